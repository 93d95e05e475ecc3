"""Columns: any values are decoded as they were encoded, each kind in its most compact encoding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.columns import (
    NULL,
    Encoding,
    IntColumn,
    TextColumn,
    compress,
    decompress,
)
from rollcall.ledger.nested import decode_column
from rollcall.ledger.words import LONGEST_PACKED, Words

pytestmark = pytest.mark.property

MOST = 2**63 - 1
numbers = st.one_of(
    st.none(), st.integers(0, 3), st.integers(-(2**40), 2**40), st.integers(NULL + 1, MOST)
)
words = st.one_of(
    st.none(),
    st.sampled_from(["", "a", "é", "\x00"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.uuids().map(str),
    st.uuids().map(lambda each: str(each).upper()),
)


def column_of(values: list[Any], kind: Any) -> Any:
    return kind.nulls(0).changed(range(len(values)), values, len(values))


def read(column: Any) -> list[Any]:
    return [column.get(row) for row in range(len(column))]


def round_trip(column: Any) -> Any:
    encoding, data = column.encode()
    return decode_column(encoding, decompress(compress(data)), len(column))


# A page leaves out a column of nulls.
@given(st.lists(numbers, max_size=20).filter(lambda values: any(v is not None for v in values)))
def test_integers_of_64_bits_are_decoded_as_they_were(values: list[int | None]) -> None:
    column = column_of(values, IntColumn)
    assert read(column) == values
    assert read(round_trip(column)) == values
    assert not column.is_empty()


@given(st.lists(st.integers(NULL + 1, MOST), min_size=2, max_size=20).map(sorted))
def test_integers_in_order_are_stored_as_steps(values: list[int]) -> None:
    column = column_of(values, IntColumn)
    assert column.encode()[0] is Encoding.STEPS
    assert read(round_trip(column)) == values


@pytest.mark.parametrize(
    ("span", "width"), [(0, 0), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32, 8)]
)
def test_an_integer_takes_as_many_bytes_as_the_span_of_its_column(span: int, width: int) -> None:
    column = column_of([10**12 + span, 10**12], IntColumn)
    encoding, data = column.encode()
    assert (encoding is Encoding.OFFSETS) == bool(span)
    assert not span or len(data) == 10 + 2 * width
    assert read(round_trip(column)) == [10**12 + span, 10**12]


@given(st.lists(words, min_size=1, max_size=20))
def test_texts_are_decoded_as_they_were(values: list[str | None]) -> None:
    column = column_of(values, TextColumn)
    assert read(column) == column.texts() == values
    again = round_trip(column)
    assert again.texts() == values
    assert round_trip(again).encode() == again.encode()
    assert column.is_empty() == (values == [None] * len(values))


@given(st.lists(words | st.text("ab", max_size=70), min_size=1, max_size=20))
def test_packed_words_are_the_words_or_there_are_none(values: list[str | None]) -> None:
    column = round_trip(column_of(values, TextColumn))
    if not isinstance(column.words, Words):
        return  # identifiers in 16 bytes
    packed = column.words.packed()
    texts = list(column.words)
    if packed is None:
        assert not any(texts) or any(
            not text.isascii() or "\0" in text or len(text) > LONGEST_PACKED for text in texts
        )
    else:
        assert [text.decode() for text in packed.tolist()] == texts


@given(st.lists(st.uuids().map(str), min_size=1, max_size=20, unique=True))
def test_uuids_take_16_bytes_each(values: list[str]) -> None:
    encoding, data = column_of(values, TextColumn).encode()
    assert (encoding, len(data)) == (Encoding.UUIDS, 16 * len(values))
    assert round_trip(column_of(values, TextColumn)).texts() == values


@given(st.sets(st.text("abc", max_size=4), min_size=1, max_size=20).map(list))
def test_a_word_per_row_needs_no_codes(values: list[str]) -> None:
    assert column_of(values, TextColumn).encode()[0] is Encoding.DISTINCT
    assert column_of([*values, values[0]], TextColumn).encode()[0] is Encoding.WORDS


@given(st.lists(words, min_size=1, max_size=20), st.lists(words, min_size=1, max_size=20))
def test_no_value_that_was_replaced_is_stored(old: list[str | None], new: list[str | None]) -> None:
    column = column_of(old, TextColumn).changed(range(len(old)), [None] * len(old), len(new))
    column = column.changed(range(len(old), len(old) + len(new)), new, 0)
    again = round_trip(column)
    assert again.texts() == [None] * len(old) + new
    assert set(again.words) == {word for word in new if word is not None}


@given(st.data(), st.sampled_from([(IntColumn, numbers), (TextColumn, words)]))
def test_a_change_is_a_copy(data: st.DataObject, kind: tuple[Any, Any]) -> None:
    column_kind, values = kind
    first = data.draw(st.lists(values, max_size=10))
    column = column_of(first, column_kind)
    added = data.draw(st.integers(0, 4))
    total = len(first) + added
    rows = data.draw(st.lists(st.sampled_from(range(total)), max_size=12)) if total else []
    changes = data.draw(st.lists(values, min_size=len(rows), max_size=len(rows)))
    expected = [*first, *[None] * added]
    for row, value in zip(rows, changes, strict=True):
        expected[row] = value  # of values for one row, the last
    assert read(column.changed(rows, changes, added)) == expected
    assert read(column) == first


@given(st.data(), st.sampled_from([(IntColumn, numbers), (TextColumn, words)]))
def test_rows_are_taken_in_the_given_order(data: st.DataObject, kind: tuple[Any, Any]) -> None:
    column_kind, values = kind
    given_values = data.draw(st.lists(values, min_size=1, max_size=10))
    rows = data.draw(st.lists(st.sampled_from(range(len(given_values))), max_size=12))
    taken = column_of(given_values, column_kind).take(np.array(rows, dtype=np.intp))
    assert read(taken) == [given_values[row] for row in rows]
    assert len(taken) == len(rows)


@given(st.integers(0, 50), st.sampled_from([IntColumn, TextColumn]))
def test_a_column_of_nulls_is_empty(count: int, kind: Any) -> None:
    assert read(kind.nulls(count)) == [None] * count
    assert kind.nulls(count).is_empty()


@pytest.mark.parametrize("data", [b"", b"\xff" * 9, compress(b"abc" * 50)[:-2]])
def test_damaged_bytes_are_an_error(data: bytes) -> None:
    with pytest.raises(CorruptItem, match="damaged column"):
        decompress(data)
