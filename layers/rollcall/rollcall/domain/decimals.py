"""Exact decimals: rounding half away from zero, once, and one form for equal numbers."""

from __future__ import annotations

from decimal import (
    MAX_EMAX,
    MAX_PREC,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from typing import Final, TypeAlias

# A number of an answer: exact in decimal, either way.
Number: TypeAlias = float | Decimal

# Fifteen digits survive the way through a double.
_EXACT_IN_FLOAT: Final = 10**15
_UNROUNDED: Final = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP, Emin=-10_000, Emax=10_000)


def scaled(value: Decimal | int, places: int) -> int:
    """`value` × 10^places as an integer, rounded half away from zero.

    The value must be of a magnitude below 10^100: callers check limits first.
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return int(rounded.scaleb(places, context=_EXACT))


def at_least(bound: Decimal | int, places: int) -> int:
    """The smallest integer that, divided by 10^places, is not below the bound: exact, unrounded."""
    return _whole(bound, places, ROUND_CEILING)


def at_most(bound: Decimal | int, places: int) -> int:
    """The largest integer that, divided by 10^places, is not above the bound: exact, unrounded."""
    return _whole(bound, places, ROUND_FLOOR)


def _whole(bound: Decimal | int, places: int, rounding: str) -> int:
    shifted = Decimal(bound).scaleb(places, context=_UNROUNDED)
    return int(shifted.to_integral_value(rounding, context=_UNROUNDED))


def canonical(value: Decimal) -> Decimal:
    """The one Decimal that stands for all of equal value: no trailing zeros, -0 is 0."""
    if value.is_zero():
        return Decimal(0)
    return value.normalize(context=_EXACT)


def divide(numerator: int, denominator: int, places: int) -> Number:
    """`numerator` ÷ `denominator` rounded half away from zero to `places`; 0.0 by nothing.

    Exact in decimal: a float where it has the digits for it, else a Decimal.
    """
    if denominator == 0:
        return 0.0
    scale: int = 10**places
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    top, bottom = abs(numerator) * scale, abs(denominator)
    rounded = sign * ((2 * top + bottom) // (2 * bottom))
    if abs(rounded) < _EXACT_IN_FLOAT:
        return rounded / scale
    return Decimal(rounded).scaleb(-places, context=_UNROUNDED)


def percentage(part: int, whole: int) -> Number:
    """`part` of `whole` in percent with two decimals; of nothing 0."""
    return divide(part * 100, whole, 2)
