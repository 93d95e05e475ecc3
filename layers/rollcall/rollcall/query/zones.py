"""Whether a segment can have a row that matches, from the zones of its columns alone.

A zone holds every value of a column, and does not say whether rows without a value are there too: so
they count as possible. What cannot be excluded can match.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from rollcall.domain.time.zones import UTC
from rollcall.ledger.columns import Int32s, Int64s
from rollcall.ledger.page import PAYLOAD
from rollcall.ledger.segments import Directory, Zone
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not
from rollcall.query.fields import Field, Op, Source
from rollcall.query.masks import OPPOSITES, mask_of, ranges_of
from rollcall.query.model import Selection
from rollcall.query.values import band_of


class _Outcomes(NamedTuple):
    """Whether a condition may hold for some row of a segment, and whether it holds for every row."""

    some: bool
    every: bool


_UNKNOWN = _Outcomes(some=True, every=False)
# Zones of texts whose outcomes are kept: most segments have the same texts.
_KNOWN_ZONES = 256


def can_match(selection: Selection, directory: Directory) -> bool:
    """False only if no row of the segment can match."""
    return all(_outcomes(condition, directory).some for condition in selection.conditions)


def _outcomes(condition: Condition, directory: Directory) -> _Outcomes:
    match condition:
        case Comparison(field, op, values):
            if op in OPPOSITES:
                return _outcomes(Not(Comparison(field, OPPOSITES[op], values)), directory)
            return _of_comparison(condition, directory)
        case Not(inner):
            some, every = _outcomes(inner, directory)
            return _Outcomes(not every, not some)
        case AllOf(conditions):
            of_each = [_outcomes(each, directory) for each in conditions]
            return _Outcomes(all(o.some for o in of_each), all(o.every for o in of_each))
        case AnyOf(conditions):  # pragma: no branch - mypy checks that every case is here
            of_each = [_outcomes(each, directory) for each in conditions]
            return _Outcomes(any(o.some for o in of_each), any(o.every for o in of_each))


def _of_comparison(comparison: Comparison, directory: Directory) -> _Outcomes:
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
    return _of_integers(comparison, entry is not None, entry.zone if entry else None)


def _of_texts(comparison: Comparison, texts: Zone) -> _Outcomes:
    """A row without a value, and one with each text, have every outcome that a row can have."""
    return _of_known_texts(comparison, texts) if isinstance(texts, frozenset) else _UNKNOWN


@functools.lru_cache(_KNOWN_ZONES)
def _of_known_texts(comparison: Comparison, texts: frozenset[str]) -> _Outcomes:
    mask = mask_of(comparison, _Sample(sorted(texts)), UTC)
    return _Outcomes(bool(mask.any()), bool(mask.all()))


def _of_integers(comparison: Comparison, has_values: bool, zone: Zone) -> _Outcomes:
    is_count = comparison.field.source is Source.COUNT  # a row without a value counts as 0
    if comparison.op is Op.IS_NULL:
        return _Outcomes(not is_count, not has_values and not is_count)
    if has_values and not isinstance(zone, tuple):
        return _UNKNOWN
    zones = [_stored(comparison.field, zone)] if isinstance(zone, tuple) else []
    if is_count:
        zones.append((0, 0))
    ranges = ranges_of(comparison)
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
