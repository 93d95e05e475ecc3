"""Payload keys: a column of its own for what most rows have, one column for all others."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.ledger.columns import TextColumn
from rollcall.ledger.nested import PairColumn
from rollcall.ledger.payload_keys import OWN_KEYS, arranged

pytestmark = pytest.mark.property

# Up to 40 keys, of which the first are in most rows.
KEYS = [f"k{number}" for number in range(40)]


def some_payloads(count: int, seed: int) -> list[dict[str, str]]:
    random = Random(seed)
    return [
        {
            key: random.choice(["sx", "n1", "null"])
            for place, key in enumerate(KEYS)
            if random.random() < 1.2 / (1 + place / 4)
        }
        for _ in range(count)
    ]


payloads = st.builds(some_payloads, st.integers(0, 12), st.integers(0, 2**32))


def spread(found: list[dict[str, str]], own: set[str]) -> tuple[dict[str, TextColumn], PairColumn]:
    columns = {key: TextColumn.of([payload.get(key) for payload in found]) for key in own}
    rest = [tuple(sorted((k, v) for k, v in each.items() if k not in own)) for each in found]
    return columns, PairColumn.nulls(len(found)).changed(range(len(found)), rest, 0)


def together(columns: dict[str, TextColumn], shared: PairColumn) -> list[dict[str, Any]]:
    found = [dict(shared.get(row) or ()) for row in range(len(shared))]
    for key, column in columns.items():
        for row, text in enumerate(column.texts()):
            if text is not None:
                assert key not in found[row]
                found[row][key] = text
    return found


@given(payloads, st.sets(st.sampled_from(KEYS)), st.sets(st.sampled_from(KEYS)))
def test_the_arrangement_depends_on_the_rows_alone(
    found: list[dict[str, str]], own: set[str], others: set[str]
) -> None:
    columns, shared = arranged(*spread(found, own))
    assert together(columns, shared) == found
    again, same = arranged(*spread(found, others))
    assert {key: c.encode() for key, c in columns.items()} == {
        key: c.encode() for key, c in again.items()
    }
    assert shared.is_empty() == same.is_empty()
    assert shared.is_empty() or shared.encode() == same.encode()
    once, unchanged = arranged(columns, shared)
    assert once == columns
    assert unchanged is shared


@given(payloads)
def test_only_keys_of_most_rows_have_columns_beyond_a_few_keys(
    found: list[dict[str, str]],
) -> None:
    columns, shared = arranged(*spread(found, set()))
    count_of = {key: sum(key in payload for payload in found) for key in KEYS}
    present = {key for key, count in count_of.items() if count}
    if len(present) <= OWN_KEYS:
        assert columns.keys() == present
        assert shared.is_empty()
    else:
        assert columns.keys() == {key for key in present if 2 * count_of[key] > len(found)}
        cells, values = len(columns) * len(found), sum(map(len, found))
        assert cells <= 2 * values
