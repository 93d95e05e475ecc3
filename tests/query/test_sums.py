"""Sums and counts by key against brute force, exact at any size."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.domain.time.zones import UTC
from rollcall.query import pairs as counted
from rollcall.query import sums
from rollcall.query.cells import LOW_BITS
from rollcall.query.coding import ValueCoder
from rollcall.query.components import ALL_ROWS, Sum, Values
from rollcall.query.datasets import call_field
from rollcall.query.sums import LOW, Slots, Table

pytestmark = pytest.mark.property

COST = Sum(call_field("cost"))
DURATIONS = Values(call_field("duration_seconds"))
KEYS = st.one_of(st.integers(0, 3), st.integers(0, 2**62))
VALUES = st.one_of(st.integers(0, 10**15), st.just(2**63 - 1))


def table() -> Table:
    coders = {DURATIONS: ValueCoder(DURATIONS.field, UTC)}
    return Table(Slots((ALL_ROWS, COST, DURATIONS)), coders, is_limited=False)


@given(st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=200), st.sampled_from([1, 7, 2**20]))
def test_sums_are_exact_whatever_their_size(pairs: list[tuple[int, int]], most: int) -> None:
    keys = np.array([key for key, _ in pairs], dtype=np.int64)
    values = np.array([value for _, value in pairs], dtype=np.int64)
    expected: Counter[int] = Counter()
    for key, value in pairs:
        expected[key] += value
    found = table()
    with patch.object(sums, "_ADDED_AT_ONCE", most):
        found.add(keys, [(0, None), (1, values & LOW), (2, values >> LOW_BITS)])
    found.merge()
    assert dict(zip(found.keys.tolist(), found.integers(COST), strict=True)) == dict(expected)
    counts = dict(zip(found.keys.tolist(), found.integers(ALL_ROWS), strict=True))
    assert counts == Counter(keys.tolist())


@given(st.lists(st.tuples(KEYS, st.none() | VALUES), min_size=1, max_size=60))
def test_values_are_counted_by_key(pairs: list[tuple[int, int | None]]) -> None:
    keys = np.array([key for key, _ in pairs], dtype=np.int64)
    codes = np.array([sums.NULL if code is None else code for _, code in pairs], dtype=np.int64)
    found = table()
    found.add(keys, [(0, None)])
    found.add_values(DURATIONS, keys, codes)
    found.merge()
    for index, key in enumerate(found.keys.tolist()):
        expected = Counter(code for other, code in pairs if other == key and code is not None)
        assert found.cell(index).values(DURATIONS).integers() == expected


# The largest integers of 32 bits and of 62, and few others: many pairs are equal.
CODES = st.one_of(st.integers(0, 2), st.integers(2**31 - 2, 2**31), st.just(2**62)).flatmap(
    lambda code: st.sampled_from([code, -code])
)
PAIRS = st.lists(st.tuples(st.integers(0, 2) | KEYS, CODES), min_size=1, max_size=40)


# With 63 bits, no integer would follow the greatest.
@example([[(0, -(2**62)), (0, -1)]], 1)
@given(st.lists(PAIRS, min_size=1, max_size=6), st.sampled_from([1, 3, 10**5]))
def test_values_that_are_added_in_parts_are_counted(
    batches: list[list[tuple[int, int]]], at_once: int
) -> None:
    found = table()
    with (
        patch.object(sums, "MERGED_AT_ONCE", at_once),
        patch.object(counted, "MERGED_AT_ONCE", at_once),
        patch.object(counted, "_AT_ONCE", at_once),
    ):
        for pairs in batches:
            keys, codes = (np.array(row, dtype=np.int64) for row in zip(*pairs, strict=True))
            found.add(keys, [(0, None)])
            found.add_values(DURATIONS, keys, codes)
        found.merge()
    counts = Counter(pair for pairs in batches for pair in pairs)
    for index, key in enumerate(found.keys.tolist()):
        codes, numbers = found.cell(index)._values[DURATIONS]
        of_key = sorted((code, count) for (other, code), count in counts.items() if other == key)
        assert list(zip(codes.tolist(), numbers.tolist(), strict=True)) == of_key
    by_code: Counter[int] = Counter()
    for (_, code), count in counts.items():
        by_code[code] += count
    assert found.whole().values(DURATIONS).integers() == by_code


def test_counts_beyond_32_bits_are_added_up() -> None:
    found = table()
    for _ in range(2):
        found.add_groups([np.array([each]) for each in (0, 2**31 - 1, 0, 0)])
        found.add_counted(DURATIONS, 0, {5: 2**31 - 1, 6: 1})
    found.merge()
    assert found.cell(0).values(DURATIONS).integers() == {5: 2**32 - 2, 6: 2}
    assert found.whole().values(DURATIONS).integers() == {5: 2**32 - 2, 6: 2}
    assert found.merged(np.array([0])).values(DURATIONS).integers() == {5: 2**32 - 2, 6: 2}


def test_sums_of_as_many_of_the_largest_amounts_as_are_added_at_once() -> None:
    count = sums._ADDED_AT_ONCE
    found = table()
    keys = np.repeat(np.arange(2), count // 2)
    found.add(keys, [(0, None), (1, np.full(count, LOW)), (2, np.full(count, 2**31 - 1))])
    found.merge()
    assert found.integers(COST) == [count // 2 * (2**63 - 1)] * 2
