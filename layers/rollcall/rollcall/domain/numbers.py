"""Exact decimals: rounding half away from zero, once, and one form for equal numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP, Emin=-10_000, Emax=10_000)


def scaled(value: Decimal | int, places: int) -> int:
    """`value` × 10^places as an integer, rounded half away from zero.

    The value must be of a magnitude below 10^100: callers check limits first.
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return int(rounded.scaleb(places, context=_EXACT))


def canonical(value: Decimal) -> Decimal:
    """The one Decimal that stands for all of equal value: no trailing zeros, -0 is 0."""
    if value.is_zero():
        return Decimal(0)
    return value.normalize(context=_EXACT)


def divide(numerator: int, denominator: int, places: int) -> float:
    """`numerator` ÷ `denominator` rounded half away from zero to `places`; 0.0 by nothing."""
    if denominator == 0:
        return 0.0
    scale: int = 10**places
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    top, bottom = abs(numerator) * scale, abs(denominator)
    return sign * ((2 * top + bottom) // (2 * bottom)) / scale
