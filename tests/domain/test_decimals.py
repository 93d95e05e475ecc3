"""Exact numbers: bounds that are never rounded, quotients that are rounded once, sums of any size."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.strict_json import dumps
from rollcall.domain.decimals import at_least, at_most, divide
from rollcall.domain.validation import parse_payload_number
from rollcall.query.aggregation import count_by, sum_by

decimals = st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=30)


@given(decimals, st.integers(0, 3))
def test_bounds_are_compared_exactly(bound, places):
    exact = Fraction(bound) * 10**places
    assert at_least(bound, places) == ceil(exact)
    assert at_most(bound, places) == floor(exact)


@pytest.mark.parametrize(
    ("bound", "least", "most"),
    [("1e-999999", 1, 0), ("0.2", 200, 200), ("0.2000000000000000000000000000001", 201, 200),
     ("0." + "9" * 60_000, 1_000, 999), ("0", 0, 0)],
)  # fmt: skip
def test_bounds_of_any_length(bound, least, most):
    assert (at_least(Decimal(bound), 3), at_most(Decimal(bound), 3)) == (least, most)


@pytest.mark.parametrize(
    "text", ["1.0000000000000000000000000000000000001e100", "-1.1e100", "1e101"]
)
def test_a_payload_number_just_past_the_largest(text):
    assert parse_payload_number(Decimal("1e100")) == Decimal("1e100")
    with pytest.raises(ValueError, match="magnitude"):
        parse_payload_number(Decimal(text))


@given(st.integers(-(10**25), 10**25), st.integers(1, 10**12), st.integers(0, 6))
def test_quotients_are_rounded_once_and_written_exactly(numerator, denominator, places):
    exact = Fraction(numerator, denominator) * 10**places
    away = floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    written = Decimal(dumps(divide(numerator, denominator, places)))
    assert written == Fraction(away, 10**places)


def test_a_quotient_by_nothing_is_zero():
    assert dumps(divide(5, 0, 2)) == "0.0"


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
