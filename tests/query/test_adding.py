"""Columns are added up by key as brute force does it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.query.adding import added_up, by_key, count_by, narrow

pytestmark = pytest.mark.property

KEYS = st.one_of(st.integers(0, 3), st.integers(0, 2**31 - 1), st.integers(0, 2**62))
AMOUNTS = st.integers(0, 2**31)
ROWS = st.lists(st.tuples(KEYS, KEYS, AMOUNTS), min_size=1, max_size=60)


def array(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


# Keys of 32 bits beside others: the product of both does not have 32.
@example([(1, 5 * 10**13, 1), (0, -(2 * 10**14), 2), (9, 0, 3)], 2)
@example([(0, 0, 1), (0, 2**30, 2), (2**18, 2**30, 3), (1, 0, 4)], 2)
@given(ROWS, st.sampled_from([1, 2]))
def test_columns_with_equal_keys_are_added_up(
    rows: list[tuple[int, int, int]], key_rows: int
) -> None:
    expected: Counter[tuple[int, ...]] = Counter()
    for row in rows:
        expected[row[:key_rows]] += row[-1]
    columns = list(zip(*rows, strict=True))
    arrays = [narrow(array(list(each))) for each in (*columns[:key_rows], columns[-1])]
    found = added_up(arrays, key_rows)
    *keys, amounts = (row.tolist() for row in found)
    assert list(zip(zip(*keys, strict=True), amounts, strict=True)) == sorted(expected.items())


@given(ROWS)
def test_amounts_of_rows_are_added_by_key(rows: list[tuple[int, int, int]]) -> None:
    keys, _, amounts = (array(list(row)) for row in zip(*rows, strict=True))
    found, added = by_key(keys)
    expected: Counter[int] = Counter()
    for key, amount in zip(keys.tolist(), amounts.tolist(), strict=True):
        expected[key] += amount
    assert dict(zip(found.tolist(), added(amounts).tolist(), strict=True)) == expected
    number = Counter(keys.tolist())
    assert dict(zip(found.tolist(), added(None).tolist(), strict=True)) == number
    distinct, counts = count_by(keys)
    assert dict(zip(distinct.tolist(), counts.tolist(), strict=True)) == number
    assert distinct.tolist() == found.tolist() == sorted(number)
    assert distinct.dtype == np.int64  # or what is computed with them could wrap


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1))
def test_narrow_integers_are_equal(values: list[int]) -> None:
    found = narrow(array(values))
    assert found.tolist() == values
    assert (found.itemsize == 4) == all(abs(value) < 2**31 for value in values)
