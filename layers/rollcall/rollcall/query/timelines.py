"""The buckets of a range; an open range begins or ends with the data."""

from __future__ import annotations

from typing import NamedTuple

from rollcall.domain.time.buckets import Granularity, Timeline
from rollcall.domain.time.periods import Bounds, Period
from rollcall.domain.time.zones import Zone


class DataRange(NamedTuple):
    """Instants in the first and the last bucket that have rows, and the keys of the two.

    All are None if there are no rows.
    """

    first_ms: int | None
    last_ms: int | None
    keys: tuple[int, int] | None


def timeline_of(
    granularity: Granularity, zone: Zone, bounds: Bounds, data: DataRange
) -> Timeline | None:
    """The buckets of a range; None if it is open and has no data, or is a day that the zone skipped."""
    (start_ms, end_ms), first_date, last_date = bounds.period, None, None
    if None in bounds:
        if data.first_ms is None or data.last_ms is None or data.keys is None:
            return None
        if bounds.start_ms is None:
            start_ms, first_date = data.first_ms, data.keys[0]
        if bounds.end_ms is None:
            end_ms, last_date = data.last_ms + 1, data.keys[1]
    elif start_ms >= end_ms:
        return None
    return Timeline(granularity, zone, Period(start_ms, end_ms), first_date, last_date)
