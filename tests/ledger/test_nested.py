"""Columns of several values per row: decoded as encoded, and changed as lists of rows are."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.columns import Encoding, IntColumn, TextColumn
from rollcall.ledger.nested import ListColumn, PairColumn, decode_column

pytestmark = pytest.mark.property

texts = st.sampled_from(["", "a", "b", "é", "\x00", "\x1f"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=6
)
lists = st.none() | st.lists(texts | st.uuids().map(str), min_size=1, max_size=5).map(tuple)
pairs = st.none() | st.dictionaries(st.sampled_from("abcdef"), texts, min_size=1).map(
    lambda payload: tuple(sorted(payload.items()))
)
KINDS: list[tuple[Any, Any]] = [(ListColumn, lists), (PairColumn, pairs)]
kinds = st.sampled_from(KINDS)


def column_of(values: list[Any], kind: Any) -> Any:
    return kind.nulls(0).changed(range(len(values)), values, len(values))


def read(column: Any) -> list[Any]:
    return [column.get(row) for row in range(len(column))]


@given(st.data(), kinds)
def test_values_are_decoded_as_they_were(data: st.DataObject, kind: tuple[Any, Any]) -> None:
    values = data.draw(st.lists(kind[1], min_size=1, max_size=12).filter(any))
    column = column_of(values, kind[0])
    again = decode_column(*column.encode(), len(values))
    assert read(column) == read(again) == values
    assert again.encode() == column.encode()
    assert not column.is_empty()


@given(st.data(), kinds)
def test_a_change_is_a_copy(data: st.DataObject, kind: tuple[Any, Any]) -> None:
    first = data.draw(st.lists(kind[1], max_size=10))
    column = column_of(first, kind[0])
    added = data.draw(st.integers(0, 4))
    expected = [*first, *[None] * added]
    rows = data.draw(st.lists(st.sampled_from(range(len(expected))))) if expected else []
    changes = [data.draw(kind[1]) for _ in rows]
    for row, value in zip(rows, changes, strict=True):
        expected[row] = value  # of values for one row, the last
    changed = column.changed(rows, changes, added)
    assert read(changed) == expected
    assert read(column) == first
    if any(expected):
        assert changed.encode() == column_of(expected, kind[0]).encode()


@given(st.data(), kinds)
def test_rows_are_taken_in_the_given_order(data: st.DataObject, kind: tuple[Any, Any]) -> None:
    values = data.draw(st.lists(kind[1], min_size=1, max_size=10))
    rows = data.draw(st.lists(st.sampled_from(range(len(values))), max_size=12))
    taken = column_of(values, kind[0]).take(np.array(rows, dtype=np.intp))
    assert read(taken) == [values[row] for row in rows]


@given(st.integers(0, 50), st.sampled_from([kind for kind, _ in KINDS]))
def test_a_column_of_nulls_is_empty(count: int, kind: Any) -> None:
    assert read(kind.nulls(count)) == [None] * count
    assert kind.nulls(count).is_empty()


@given(st.lists(lists, max_size=8))
def test_no_entry_that_was_replaced_is_stored(new: list[Any]) -> None:
    column = column_of([("replaced", "too")] * len(new), ListColumn)
    changed = column.changed(range(len(new)), new, 0)
    assert b"replaced" not in changed.encode()[1]


@given(st.lists(pairs, max_size=10), st.sets(st.sampled_from("abcdexyz")))
def test_pairs_are_split_by_key_and_put_together(values: list[Any], keys: set[str]) -> None:
    column = column_of(values, PairColumn)
    payloads = [dict(value or ()) for value in values]
    found = column.of_keys(keys)
    assert {key: texts_of.texts() for key, texts_of in found.items()} == {
        key: [payload.get(key) for payload in payloads]
        for key in keys
        if any(key in payload for payload in payloads)
    }
    assert column.of_key("x") is None
    rest = column.without(keys)
    assert [dict(value or ()) for value in read(rest)] == [
        {key: text for key, text in payload.items() if key not in keys} for payload in payloads
    ]
    assert read(rest.with_columns(found)) == values
    present = {key for payload in payloads for key in payload}
    assert column.counts() == {k: sum(k in payload for payload in payloads) for k in present}


def test_a_key_of_few_rows_has_few_words() -> None:
    """Readers parse every word of a column."""
    values = [(("a", f"text {n}"), *((("b", "x"),) if n < 2 else ())) for n in range(50)]
    column = column_of(values, PairColumn)
    found = column.of_key("b")
    assert found is not None
    assert found.words == ["x"]


def test_what_version_1_joined_is_split() -> None:
    joined = TextColumn.of(["a\x1fb", None, "c"])
    assert read(ListColumn.of_joined(joined)) == [("a", "b"), None, ("c",)]


def test_entries_that_are_not_texts_are_damage() -> None:
    lengths = column_of([("a",)], ListColumn).encode()[1]
    (size,) = struct.unpack_from("<I", lengths)
    start = lengths[: 4 + size]
    encoding, raw = IntColumn(np.array([5])).encode()
    with pytest.raises(CorruptItem, match="does not hold strings"):
        decode_column(Encoding.LISTS, start + bytes((encoding,)) + raw, 1)
    with pytest.raises(CorruptItem, match="where single values are expected"):
        decode_column(Encoding.LISTS, start + bytes((Encoding.LISTS,)) + raw, 1)
