"""Sums and counts by key against brute force, exact at any size."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rollcall.query.aggregation import count_by, sum_by


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 3), st.integers(-(2**60), 2**60)),
            st.one_of(st.integers(0, 10**15), st.just(2**63 - 1)),
        ),
        min_size=1,
        max_size=200,
    )
)
def test_sums_are_exact_whatever_their_size(pairs):
    keys = np.array([key for key, _ in pairs], dtype=np.int64)
    values = np.array([value for _, value in pairs], dtype=np.int64)
    expected: Counter[int] = Counter()
    for key, value in pairs:
        expected[key] += value
    found, sums = sum_by(keys, values)
    assert dict(zip(found.tolist(), sums, strict=True)) == dict(expected)
    found, counts = count_by(keys)
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == Counter(keys.tolist())


def test_sums_of_a_whole_chunk_of_the_largest_values():
    count = 2**18
    (total,) = sum_by(np.zeros(count, dtype=np.int64), np.full(count, 10**15))[1]
    assert total == count * 10**15
