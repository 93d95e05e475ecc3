"""Exact numbers: bounds that are never rounded, and quotients that are rounded once."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.strict_json import dumps
from rollcall.domain.decimals import (
    at_least,
    at_most,
    canonical,
    divide,
    exact_sum,
    percentage,
    scaled,
    unscaled,
)

WIDE = Context(prec=100)
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


@given(st.integers(-(10**25), 10**25), st.integers(1, 10**12), st.integers(0, 6))
def test_quotients_are_rounded_once_and_written_exactly(numerator, denominator, places):
    exact = Fraction(numerator, denominator) * 10**places
    away = floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    written = Decimal(dumps(divide(numerator, denominator, places)))
    assert written == Fraction(away, 10**places)


def test_a_quotient_of_more_digits_than_a_float_is_a_decimal():
    assert divide(10**40, 3, 2) == Decimal(10**42 // 3).scaleb(-2, context=WIDE)


def test_a_quotient_by_nothing_is_zero():
    assert dumps(divide(5, 0, 2)) == "0.0"


@given(st.decimals(-(10**30), 10**30, allow_nan=False, places=25), st.integers(0, 6))
def test_what_is_scaled_is_rounded_half_away_from_zero(value, places):
    exact = Fraction(value) * 10**places
    away = floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    assert scaled(value, places) == away


@given(decimals, st.integers(0, 20))
def test_equal_numbers_have_one_canonical_form(value, zeros):
    longer = value.quantize(Decimal(1).scaleb(value.as_tuple().exponent - zeros), context=WIDE)
    assert longer == value
    assert str(canonical(longer)) == str(canonical(value))
    assert canonical(value) == value


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_percentage_is_of_the_whole(part, whole):
    assert percentage(part, whole) == (divide(100 * part, whole, 2) if whole else 0)
    assert percentage(whole, whole) == (100 if whole else 0)


@given(st.integers(-(10**60), 10**60), st.integers(0, 20))
def test_what_is_scaled_and_back_is_the_same(value, places):
    number = unscaled(value, places)
    assert Fraction(number) == Fraction(value, 10**places)
    assert scaled(number, places) == value


@given(st.lists(st.decimals(-(10**40), 10**40, places=12)))
def test_a_sum_is_not_rounded(numbers):
    assert Fraction(exact_sum(numbers)) == sum(map(Fraction, numbers))
