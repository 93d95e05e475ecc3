"""Counts of pairs against brute force, packed and as columns."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall.query import pairs as module
from rollcall.query.adding import Rows, narrow
from rollcall.query.pairs import Pairs, counted_pairs

pytestmark = pytest.mark.property

# Few small ones, so that many pairs are equal, and some that do not fit beside others.
KEYS = st.one_of(st.integers(0, 3), st.integers(0, 2**40), st.just(2**62))
CODES = st.one_of(
    st.integers(-2, 2),
    st.integers(2**31 - 2, 2**31),
    # Too many bits for a count beside them, and few enough to be sorted as one integer with a key.
    st.integers(-(2**57), 2**57),
    st.sampled_from([2**62, -(2**62)]),
)
BATCHES = st.lists(
    st.lists(st.tuples(KEYS, CODES), min_size=1, max_size=30), min_size=1, max_size=6
)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    keys, codes = (np.array(row, dtype=np.int64) for row in zip(*pairs, strict=True))
    return keys, codes


def counts(rows: Rows) -> dict[int, int]:
    codes, numbers = (row.tolist() for row in rows)
    assert codes == sorted(set(codes))
    return dict(zip(codes, numbers, strict=True))


# The second batch needs more bits, the third does not fit.
@example([[(5, 5), (6, 5)], [(0, 2**31), (1, 0), (2, 0)], [(2**62, -(2**62))] * 5, [(5, 5)]], 1)
# All keys have 32 bits, and not all codes.
@example([[(key, code)] for key in range(10) for code in (-(2**57), 2**57)], 10**5)
@given(BATCHES, st.sampled_from([1, 3, 10**5]))
def test_pairs_are_counted(batches: list[list[tuple[int, int]]], at_once: int) -> None:
    found = Pairs()
    with patch.object(module, "MERGED_AT_ONCE", at_once), patch.object(module, "_AT_ONCE", at_once):
        for pairs in batches:
            found.add(counted_pairs(*columns(pairs)))
        found.merge()
        expected = Counter(pair for pairs in batches for pair in pairs)
        keys = sorted({key for key, _ in expected})
        asked = sorted({0, *keys, *(key + 1 for key in keys), keys[0] - 1 if keys[0] else 0})
        spans = dict(zip(asked, found.spans(np.array(asked, dtype=np.int64)), strict=True))
        for key in asked:
            of_key = {code: number for (other, code), number in expected.items() if other == key}
            assert counts(found.values(*spans[key])) == of_key
        assert len(found) == len(expected)
        for chosen in (keys, keys[::2], keys[:1]):
            of_chosen: Counter[int] = Counter()
            for (key, code), number in expected.items():
                if key in chosen:
                    of_chosen[code] += number
            assert counts(found.values_of(spans[key] for key in chosen)) == of_chosen
            if chosen == keys:
                assert counts(found.all_values()) == of_chosen


def test_without_pairs_there_are_no_values() -> None:
    found = Pairs()
    found.merge()
    assert found.spans(np.array([0, 7])) == [(0, 0), (0, 0)]
    for rows in (
        found.values(0, 0),
        found.values_of([(0, 0)]),
        found.values_of([]),
        found.all_values(),
    ):
        assert counts(rows) == {}


def test_counts_that_do_not_fit_are_columns() -> None:
    """Keys and codes have 32 bits, and all three together more than 62."""
    found = Pairs()
    for count in (2**15, 2**14):
        rows = [0, 1, 2**18] * 2, [0] * 3 + [2**30] * 3, [count] * 6
        found.add([narrow(np.array(row)) for row in rows])
    found.merge()
    for span in found.spans(np.array([0, 1, 2**18])):
        assert counts(found.values(*span)) == {0: 3 * 2**14, 2**30: 3 * 2**14}
        assert counts(found.values_of([span])) == {0: 3 * 2**14, 2**30: 3 * 2**14}
    assert counts(found.all_values()) == {0: 9 * 2**14, 2**30: 9 * 2**14}


def test_a_count_below_zero_damages_no_other() -> None:
    """Only a damaged rollup has one."""
    found = Pairs()
    found.add([np.array([0, 0]), np.array([5, 7]), np.array([3, 3])])
    found.add([np.array([1]), np.array([5]), np.array([-2])])
    found.merge()
    first, second = found.spans(np.array([0, 1]))
    assert counts(found.values(*first)) == {5: 3, 7: 3}
    assert counts(found.values(*second)) == {5: -2}
    assert counts(found.all_values()) == {5: 1, 7: 3}


def test_pairs_stay_integers_where_they_fit() -> None:
    """Columns would take half as much memory again, and several times as long."""
    found = Pairs()
    for key in range(3):
        found.add([np.full(10, key), np.arange(10), np.full(10, 2**31 - 1)])
        found.merge()
    found.add([np.full(10, 2), np.arange(10), np.full(10, 2**31 - 1)])
    found.merge()
    assert found._packed.nbytes == 8 * len(found) == 240
    assert counts(found.all_values()) == dict.fromkeys(range(10), 4 * (2**31 - 1))
