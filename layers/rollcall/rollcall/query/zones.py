"""Whether a segment can have a row that matches, from the zones of its columns alone.

A zone holds every value of a column, and does not say whether rows without a value are there too: so
they count as possible. What cannot be excluded can match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

import numpy as np

from rollcall.domain.time.zones import UTC
from rollcall.ledger.columns import Int32s, Int64s
from rollcall.ledger.page import PAYLOAD
from rollcall.ledger.segments import Directory, Zone
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not
from rollcall.query.fields import Field, Op, Source
from rollcall.query.masks import OPPOSITES, masking, ranges_of
from rollcall.query.model import Selection
from rollcall.query.values import band_of


class _Outcomes(NamedTuple):
    """Whether a condition may hold for some row of a segment, and whether it holds for every row."""

    some: bool
    every: bool


_OfSegment: TypeAlias = Callable[[Directory], _Outcomes]

_UNKNOWN = _Outcomes(some=True, every=False)
# Zones of texts whose outcomes are kept: most segments have the same texts.
_KNOWN_ZONES = 256


class SegmentFilter:
    """Excludes segments of which no row can match a selection."""

    def __init__(self, selection: Selection) -> None:
        self._outcomes = [_outcomes(condition) for condition in selection.conditions]

    def can_match(self, directory: Directory) -> bool:
        """False only if no row of the segment can match."""
        return all(of_condition(directory).some for of_condition in self._outcomes)


def _outcomes(condition: Condition) -> _OfSegment:
    match condition:
        case Comparison(field, op, values):
            if op in OPPOSITES:
                return _negated(Comparison(field, OPPOSITES[op], values))
            return partial(_of_comparison, condition, _integer_ranges(condition))
        case Not(inner):
            return _negated(inner)
        case AllOf(conditions):
            return partial(_combined, [_outcomes(each) for each in conditions], all)
        case AnyOf(conditions):  # pragma: no branch - mypy checks that every case is here
            return partial(_combined, [_outcomes(each) for each in conditions], any)


def _negated(condition: Condition) -> _OfSegment:
    of_condition = _outcomes(condition)

    def negated(directory: Directory) -> _Outcomes:
        some, every = of_condition(directory)
        return _Outcomes(not every, not some)

    return negated


def _combined(
    parts: Sequence[_OfSegment], combine: Callable[[Iterable[bool]], bool], directory: Directory
) -> _Outcomes:
    of_each = [part(directory) for part in parts]
    return _Outcomes(combine(o.some for o in of_each), combine(o.every for o in of_each))


def _integer_ranges(comparison: Comparison) -> Sequence[tuple[int, int]]:
    """The ranges of a comparison of integers; none of others."""
    is_text = comparison.field.source in (Source.TEXT, Source.LIST, Source.PAYLOAD)
    return () if is_text or comparison.op is Op.IS_NULL else ranges_of(comparison)


def _of_comparison(
    comparison: Comparison, ranges: Sequence[tuple[int, int]], directory: Directory
) -> _Outcomes:
    field = comparison.field
    entry = directory.columns.get(field.column)
    match field.source:
        case Source.HOUR_OF_DAY | Source.DAY_OF_WEEK:
            return _UNKNOWN
        case Source.PAYLOAD if entry is None and PAYLOAD in directory.columns:
            return _UNKNOWN  # it has all keys that have no column of their own
        case Source.TEXT | Source.LIST | Source.PAYLOAD:
            texts = frozenset[str]() if entry is None else entry.zone
            return _of_texts(comparison, texts)
    return _of_integers(comparison, ranges, entry is not None, entry.zone if entry else None)


def _of_texts(comparison: Comparison, texts: Zone) -> _Outcomes:
    """A row without a value, and one with each text, have every outcome that a row can have."""
    return _of_known_texts(comparison, texts) if isinstance(texts, frozenset) else _UNKNOWN


@lru_cache(_KNOWN_ZONES)
def _of_known_texts(comparison: Comparison, texts: frozenset[str]) -> _Outcomes:
    mask = masking(comparison, UTC)(_Sample(sorted(texts)))
    return _Outcomes(bool(mask.any()), bool(mask.all()))


def _of_integers(
    comparison: Comparison, ranges: Sequence[tuple[int, int]], has_values: bool, zone: Zone
) -> _Outcomes:
    is_count = comparison.field.source is Source.COUNT  # a row without a value counts as 0
    if comparison.op is Op.IS_NULL:
        return _Outcomes(not is_count, not has_values and not is_count)
    if has_values and not isinstance(zone, tuple):
        return _UNKNOWN
    zones = [_stored(comparison.field, zone)] if isinstance(zone, tuple) else []
    if is_count:
        zones.append((0, 0))
    return _Outcomes(
        any(_overlap(each, within) for each in zones for within in ranges),
        is_count and all(any(_holds(within, each) for within in ranges) for each in zones),
    )


def _stored(field: Field, zone: tuple[int, int]) -> tuple[int, int]:
    """The zone of what is compared: bands of sentiment are in the order of their values."""
    if field.source is not Source.SENTIMENT_BAND:
        return zone
    least, most = band_of(np.array(zone, dtype=np.int64)).tolist()
    return least, most


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) <= min(one[1], other[1])


def _holds(outer: tuple[int, int], inner: tuple[int, int]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


class _Sample:
    """A row without a value, and one with each of some texts (`rollcall.query.values.Columns`)."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = list(texts)

    @property
    def count(self) -> int:
        return len(self._texts) + 1

    def integers(self, name: str) -> Int64s:
        raise TypeError(f"column {name!r} has texts")  # pragma: no cover - only texts are compared

    def texts(self, _name: str) -> tuple[Int32s, list[str]]:
        return np.arange(self.count, dtype=np.int32), self._texts

    def lists(self, _name: str) -> tuple[Int64s, Int32s, list[str]]:
        lengths = np.ones(self.count, dtype=np.int64)
        lengths[0] = 0
        return lengths, np.arange(1, self.count, dtype=np.int32), self._texts
