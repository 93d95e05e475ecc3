"""Reads the values of fields from selected rows of a page, and offsets of a zone in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int32s, Int64s
from rollcall.ledger.page import TIME
from rollcall.query.fields import SENTIMENT_BANDS, Field, Source

_BAND_MILLI: Final = 200
# 1970-01-01 was a Thursday, the fourth day of the week.
_FIRST_WEEKDAY: Final = 3


class Columns(Protocol):
    """Columns of some rows."""

    @property
    def count(self) -> int:
        """The number of rows."""

    def integers(self, name: str) -> Int64s:
        """A column's values; null is `NULL`."""

    def texts(self, name: str) -> tuple[Int32s, Sequence[str]]:
        """A column's codes and words: code n is word n − 1, and 0 is null."""

    def lists(self, name: str) -> tuple[Int64s, Int32s, Sequence[str]]:
        """A column of lists: the length of each, the codes of all entries, and the words."""


def integers_of(field: Field, columns: Columns, zone: Zone) -> Int64s:
    """The values of a field whose source is no text, as integers; null is `NULL`.

    Numbers have the unit of the stored column, flags are 0 and 1, and a sentiment band is its index
    in `SENTIMENT_BANDS`. Hours are 0 to 23, and days of the week 1 (Monday) to 7, of local time.
    """
    is_clock = field.source in (Source.HOUR_OF_DAY, Source.DAY_OF_WEEK)
    values = columns.integers(TIME if is_clock else field.column)
    match field.source:
        case Source.COUNT:
            return np.where(values == NULL, 0, values)
        case Source.SENTIMENT_BAND:
            return np.where(values == NULL, NULL, band_of(values))
        case _ if is_clock and not len(values):
            return values
        case Source.HOUR_OF_DAY:
            hours: Int64s = (values + offsets_ms(zone, values)) // MS_PER_HOUR % 24
            return hours
        case Source.DAY_OF_WEEK:
            days: Int64s = (values + offsets_ms(zone, values)) // MS_PER_DAY
            return (days + _FIRST_WEEKDAY) % 7 + 1
    return values


def band_of(sentiments: Int64s) -> Int64s:
    """The index in `SENTIMENT_BANDS` of each sentiment, which is not null."""
    bands: Int64s = np.minimum(sentiments // _BAND_MILLI, len(SENTIMENT_BANDS) - 1)
    return bands


def offsets_ms(zone: Zone, instants_ms: Int64s) -> Int64s | int:
    """The zone's offset from UTC at each instant; one number if it is the same at all of them.

    `instants_ms` must not be empty.
    """
    intervals = zone.intervals(int(instants_ms.min()), int(instants_ms.max()) + 1)
    if len(intervals) == 1:
        return intervals[0].offset_ms
    starts = np.array([interval.start_ms for interval in intervals], dtype=np.int64)
    offsets = np.array([interval.offset_ms for interval in intervals], dtype=np.int64)
    found: Int64s = offsets[np.searchsorted(starts, instants_ms, side="right") - 1]
    return found


def offset_ms(zone: Zone, instant_ms: int) -> int:
    """The zone's offset from UTC at one instant."""
    (interval,) = zone.intervals(instant_ms, instant_ms + 1)
    return interval.offset_ms
