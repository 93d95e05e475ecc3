"""Turns conditions into functions of columns: a mask has True for each row for which its condition holds.

A condition is prepared once per query, and evaluated on the columns of each page. One on texts is
evaluated once per distinct text of a page, not once per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rollcall.domain.decimals import at_least, at_most
from rollcall.domain.facts import payload_text, payload_value
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int64s
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not
from rollcall.query.fields import NUMBER_OPS, SENTIMENT_BANDS, Field, Op, Source
from rollcall.query.values import Columns, integers_of

Mask: TypeAlias = NDArray[np.bool_]
Masking: TypeAlias = Callable[[Columns], Mask]

OPPOSITES: Final = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_NULL: Op.IS_NULL}
_NULL_TEXT: Final = payload_text(None)
# No stored integer is as large; a bound beyond it has the same effect.
_BEYOND: Final = 2**62


def masking(condition: Condition, zone: Zone) -> Masking:
    """A function that finds the rows for which a condition holds; clock fields are local times in `zone`."""
    match condition:
        case Comparison(field, op, values):
            if op in OPPOSITES:
                return _negated(Comparison(field, OPPOSITES[op], values), zone)
            return _compared(condition, zone)
        case Not(inner):
            return _negated(inner, zone)
        case AllOf(conditions):
            return _all_hold(conditions, zone)
        case AnyOf(conditions):  # pragma: no branch - mypy checks that every case is here
            return _negated(AllOf(tuple(map(Not, conditions))), zone)


def _negated(condition: Condition, zone: Zone) -> Masking:
    holds = masking(condition, zone)
    return lambda columns: ~holds(columns)


def _all_hold(conditions: Iterable[Condition], zone: Zone) -> Masking:
    """The rows for which all conditions hold; once there are none, no further column is decoded."""
    maskings = [masking(each, zone) for each in conditions]

    def held_by(columns: Columns) -> Mask:
        held: Mask | None = None
        for holds in maskings:
            mask = holds(columns)
            held = mask if held is None else held & mask
            if not held.any():
                break
        return np.ones(columns.count, dtype=np.bool_) if held is None else held

    return held_by


def _compared(comparison: Comparison, zone: Zone) -> Masking:
    field = comparison.field
    is_null = comparison.op is Op.IS_NULL
    match field.source:
        case Source.TEXT:
            return partial(_texts, field.column, _matcher(comparison), is_null)
        case Source.LIST:
            return partial(_lists, field.column, _matcher(comparison), is_null)
        case Source.PAYLOAD:
            return partial(_texts, field.column, _payload_matcher(comparison), is_null)
    if is_null:
        return lambda columns: integers_of(field, columns, zone) == NULL
    ranges = ranges_of(comparison)
    return lambda columns: _within(integers_of(field, columns, zone), ranges)


def _texts(name: str, matches: Callable[[str], bool], is_null: bool, columns: Columns) -> Mask:
    codes, words = columns.texts(name)
    mask: Mask = np.array([is_null, *map(matches, words)], dtype=np.bool_)[codes]
    return mask


def _lists(name: str, matches: Callable[[str], bool], is_null: bool, columns: Columns) -> Mask:
    """The rows of which any entry matches; with `is_null`, those without entries."""
    lengths, codes, words = columns.lists(name)
    if is_null:
        nulls: Mask = lengths == 0
        return nulls
    found = np.array([False, *map(matches, words)], dtype=np.bool_)
    mask = np.zeros(columns.count, dtype=np.bool_)
    mask[np.repeat(np.arange(columns.count), lengths)[found[codes]]] = True
    return mask


def _matcher(comparison: Comparison) -> Callable[[str], bool]:
    """Whether a text that is not null matches."""
    match comparison.op, comparison.values:
        case Op.CONTAINS, (str(part),):
            return lambda text: part in text
        case Op.STARTS_WITH, (str(start),):
            return lambda text: text.startswith(start)
        case Op.IS_NULL, _:
            return lambda _: False
    return frozenset(comparison.values).__contains__


def _payload_matcher(comparison: Comparison) -> Callable[[str], bool]:
    """Whether a stored `payload_text` matches; a null that was sent is no value."""
    if comparison.op is Op.IS_NULL:
        return lambda text: text == _NULL_TEXT
    of_value = _value_matcher(comparison)
    return lambda text: of_value(text, payload_value(text))


def _value_matcher(comparison: Comparison) -> Callable[[str, object], bool]:
    if comparison.op in NUMBER_OPS:
        is_within = _decimal_matcher(comparison)
        return lambda _, value: isinstance(value, Decimal) and is_within(value)
    matches = _matcher(comparison)
    if comparison.op in (Op.CONTAINS, Op.STARTS_WITH):
        return lambda _, value: isinstance(value, str) and matches(value)
    return lambda text, _: matches(text)


def _decimal_matcher(comparison: Comparison) -> Callable[[Decimal], bool]:
    match comparison.op, comparison.values:
        case Op.LT, (Decimal() as bound,):
            return lambda value: value < bound
        case Op.LTE, (Decimal() as bound,):
            return lambda value: value <= bound
        case Op.GT, (Decimal() as bound,):
            return lambda value: value > bound
        case Op.GTE, (Decimal() as bound,):
            return lambda value: value >= bound
        case Op.BETWEEN, (Decimal() as least, Decimal() as most):
            return lambda value: least <= value <= most
    raise TypeError(
        f"{comparison.op} does not compare numbers"
    )  # pragma: no cover - OPS has no other


def _within(values: Int64s, ranges: Iterable[tuple[int, int]]) -> Mask:
    mask: Mask | None = None
    for least, most in ranges:
        inside = _between(values, least, most)
        mask = inside if mask is None else mask | inside
    return np.zeros(len(values), dtype=np.bool_) if mask is None else mask


def _between(values: Int64s, least: int, most: int) -> Mask:
    above: Mask = values >= min(max(least, -_BEYOND), _BEYOND)  # null is not
    return above if most >= _BEYOND else above & (values <= most)


def ranges_of(comparison: Comparison) -> Sequence[tuple[int, int]]:
    """The inclusive ranges of stored integers for which a comparison holds; null is in none."""
    field, op, values = comparison.field, comparison.op, comparison.values
    match op, values:
        case Op.LT, (Decimal() as bound,):
            return [(-_BEYOND, at_least(bound, field.places) - 1)]
        case Op.LTE, (Decimal() as bound,):
            return [(-_BEYOND, at_most(bound, field.places))]
        case Op.GT, (Decimal() as bound,):
            return [(at_most(bound, field.places) + 1, _BEYOND)]
        case Op.GTE, (Decimal() as bound,):
            return [(at_least(bound, field.places), _BEYOND)]
        case Op.BETWEEN, (Decimal() as least, Decimal() as most):
            return [(at_least(least, field.places), at_most(most, field.places))]
    if field.source is Source.SENTIMENT_BAND:
        matches = _matcher(comparison)
        return [(n, n) for n, band in enumerate(SENTIMENT_BANDS) if matches(band)]
    return [_equal_range(field, value) for value in values]


def _equal_range(field: Field, value: object) -> tuple[int, int]:
    if isinstance(value, bool):
        return int(value), int(value)
    if not isinstance(value, Decimal):
        raise TypeError(  # pragma: no cover - parsers check the type of each value
            f"{field.name} does not compare {type(value).__name__}"
        )
    # The range is empty if the value has more decimals than stored ones.
    return at_least(value, field.places), at_most(value, field.places)
