"""Buckets of local time: which one an instant falls into, and which ones a period touches."""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final, NamedTuple

from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR, day_text
from rollcall.domain.time.periods import Period
from rollcall.domain.time.zones import OffsetInterval, Zone

# The key of an hour has the offset in its lower bits, in seconds above -24 h.
_OFFSET_BITS: Final = 18
_OFFSET_BASE: Final = 86_400


class Granularity(enum.Enum):
    """The length of a bucket."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def bucket_of(granularity: Granularity, local_ms: Any, offset_ms: Any) -> Any:
    """The key of the bucket that contains a local time; takes integers, or arrays of them.

    Days, weeks and months are numbered in order. An hour bucket is the instants that share local
    date, hour and offset, so the offset is part of its key.
    """
    day = local_ms // MS_PER_DAY
    match granularity:
        case Granularity.HOUR:
            offset = offset_ms // 1000 + _OFFSET_BASE
            return (local_ms // MS_PER_HOUR << _OFFSET_BITS) | offset
        case Granularity.DAY:
            return day
        case Granularity.WEEK:
            return (day + 3) // 7  # 1970-01-01 was a Thursday
        case Granularity.MONTH:
            return _month(day)


def _month(day: Any) -> Any:
    """The months since year 0 of a day number; in integer arithmetic, with years from March."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return (era * 400 + year) * 12 + (5 * of_year + 2) // 153 + 2


class Bucket(NamedTuple):
    """One bucket: its key, and its date as answers have it."""

    key: int
    label: str


class Timeline:
    """The buckets that a period touches, in order; each is made when it is requested.

    `first_date` and `last_date` are keys of days, weeks or months: buckets outside them are left
    out, even if the period touches them. Hours ignore them.
    """

    def __init__(
        self,
        granularity: Granularity,
        zone: Zone,
        period: Period,
        first_date: int | None = None,
        last_date: int | None = None,
    ) -> None:
        self._granularity = granularity
        intervals = zone.intervals(*period)
        if granularity is Granularity.HOUR:
            self._stretches = intervals
            self._ends = list(accumulate(_hours(interval) for interval in intervals))
            return
        # Not simply the keys of the first and the last instant: a clock that is put back at 00:01
        # returns to the day before.
        first = min(self._key(s.start_ms, s) for s in intervals)
        last = max(self._key(s.end_ms - 1, s) for s in intervals)
        self._first = first if first_date is None else max(first, first_date)
        last = last if last_date is None else min(last, last_date)
        self._stretches = []
        self._ends = [last - self._first + 1]

    def __len__(self) -> int:
        return self._ends[-1]

    def slice(self, first: int, count: int) -> Iterator[Bucket]:
        """Up to `count` buckets from index `first` on; fewer where the period ends."""
        for index in range(first, min(first + count, len(self))):
            yield self._hour(index) if self._stretches else self._date(index)

    def _key(self, instant_ms: int, interval: OffsetInterval) -> int:
        offset_ms = interval.offset_ms
        key: int = bucket_of(self._granularity, instant_ms + offset_ms, offset_ms)
        return key

    def _date(self, index: int) -> Bucket:
        key = self._first + index
        match self._granularity:
            case Granularity.WEEK:
                return Bucket(key, day_text(key * 7 - 3))
            case Granularity.MONTH:
                return Bucket(key, f"{key // 12:04d}-{key % 12 + 1:02d}-01")
        return Bucket(key, day_text(key))

    def _hour(self, index: int) -> Bucket:
        number = bisect_right(self._ends, index)
        interval = self._stretches[number]
        before = self._ends[number - 1] if number else 0
        offset_ms = interval.offset_ms
        hour = (interval.start_ms + offset_ms) // MS_PER_HOUR + index - before
        key: int = bucket_of(Granularity.HOUR, hour * MS_PER_HOUR, offset_ms)
        day, of_day = divmod(hour, 24)
        return Bucket(key, f"{day_text(day)}T{of_day:02d}:00:00{_offset_text(offset_ms)}")


def _hours(interval: OffsetInterval) -> int:
    first = (interval.start_ms + interval.offset_ms) // MS_PER_HOUR
    return (interval.end_ms - 1 + interval.offset_ms) // MS_PER_HOUR - first + 1


def _offset_text(offset_ms: int) -> str:
    if offset_ms == 0:
        return "Z"
    minutes = abs(offset_ms) // 60_000
    return f"{'-' if offset_ms < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
