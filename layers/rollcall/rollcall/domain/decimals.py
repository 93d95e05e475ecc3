"""Exact decimals: one rounding, half away from zero, and one form for equal numbers."""

from __future__ import annotations

from collections.abc import Iterable
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

# A number in an answer: exact in decimal, as a float or as a Decimal.
Number: TypeAlias = float | Decimal

# A double keeps fifteen significant digits.
_EXACT_IN_FLOAT: Final = 10**15
UNROUNDED: Final = Context(prec=MAX_PREC, Emin=MIN_EMIN, Emax=MAX_EMAX)
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP, Emin=-10_000, Emax=10_000)


def scaled(value: Decimal | int, places: int) -> int:
    """`value` × 10^places as an integer, rounded half away from zero.

    The absolute value must be below 10^100; callers check that first.
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return int(rounded.scaleb(places, context=_EXACT))


def unscaled(value: int, places: int) -> Decimal:
    """`value` ÷ 10^places, exactly: the canonical number of which `scaled` makes `value`."""
    return canonical(Decimal(value).scaleb(-places, context=_EXACT))


def at_least(bound: Decimal | int, places: int) -> int:
    """The smallest integer n for which n ÷ 10^places ≥ `bound`, computed exactly."""
    return _whole(bound, places, ROUND_CEILING)


def at_most(bound: Decimal | int, places: int) -> int:
    """The largest integer n for which n ÷ 10^places ≤ `bound`, computed exactly."""
    return _whole(bound, places, ROUND_FLOOR)


def _whole(bound: Decimal | int, places: int, rounding: str) -> int:
    shifted = Decimal(bound).scaleb(places, context=UNROUNDED)
    return int(shifted.to_integral_value(rounding, context=UNROUNDED))


def canonical(value: Decimal) -> Decimal:
    """The canonical Decimal of a value: without trailing zeros, and 0 for -0."""
    if value.is_zero():
        return Decimal(0)
    return value.normalize(context=_EXACT)


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """The sum of some numbers, of which none is rounded."""
    total = Decimal(0)
    for number in numbers:
        total = UNROUNDED.add(total, number)
    return total


def divide(numerator: int, denominator: int, places: int) -> Number:
    """`numerator` ÷ `denominator`, rounded half away from zero to `places`; 0.0 if divided by 0.

    The result is exact in decimal: a float if that has enough digits, else a Decimal.
    """
    if denominator == 0:
        return 0.0
    scale: int = 10**places
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    top, bottom = abs(numerator) * scale, abs(denominator)
    rounded = sign * ((2 * top + bottom) // (2 * bottom))
    if abs(rounded) < _EXACT_IN_FLOAT:
        return rounded / scale
    return Decimal(rounded).scaleb(-places, context=UNROUNDED)


def percentage(part: int, whole: int) -> Number:
    """`part` of `whole` in percent, rounded to two decimals; 0 if `whole` is 0."""
    return divide(part * 100, whole, 2)
