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
    QUARTER = "quarter"
    YEAR = "year"


def bucket_of(granularity: Granularity, local_ms: Any, offset_ms: Any) -> Any:
    """The key of the bucket that contains a local time; takes integers, or arrays of them.

    Days and all longer buckets are numbered in order. An hour bucket is the instants that share local
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
        case Granularity.QUARTER:
            return _month(day) // 3
        case Granularity.YEAR:  # pragma: no branch - mypy checks that every case is here
            return _month(day) // 12


def _month(day: Any) -> Any:
    """The months since year 0 of a day number; in integer arithmetic, with years from March."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return (era * 400 + year) * 12 + (5 * of_year + 2) // 153 + 2


def label_of(granularity: Granularity, key: int) -> str:
    """The date of a bucket as answers have it: of an hour its start, of all others the first day."""
    match granularity:
        case Granularity.HOUR:
            hour, offset_ms = _hour_of(key)
            day, of_day = divmod(hour, 24)
            return f"{day_text(day)}T{of_day:02d}:00:00{_offset_text(offset_ms)}"
        case Granularity.DAY:
            return day_text(key)
        case Granularity.WEEK:
            return day_text(key * 7 - 3)
        case Granularity.MONTH:
            return _first_of_month(key)
        case Granularity.QUARTER:
            return _first_of_month(key * 3)
        case Granularity.YEAR:  # pragma: no branch - mypy checks that every case is here
            return _first_of_month(key * 12)


def _hour_of(key: int) -> tuple[int, int]:
    """(hours since 1970 of local time, offset from UTC in milliseconds) of the key of an hour."""
    hour, offset = key >> _OFFSET_BITS, key & ((1 << _OFFSET_BITS) - 1)
    return hour, (offset - _OFFSET_BASE) * 1000


def _first_of_month(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}-01"


class Bucket(NamedTuple):
    """One bucket: its key, and its date as answers have it."""

    key: int
    label: str


class Timeline:
    """The buckets that a period touches, in order; each is made when it is requested.

    `first_date` and `last_date` are keys of days or of longer buckets: buckets outside them are
    left out, even if the period touches them. Hours ignore them.
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
            yield self.at(index)

    def at(self, index: int) -> Bucket:
        """One bucket by its index."""
        return self._hour(index) if self._stretches else self._date(index)

    def index(self, key: int) -> int:
        """The index of the bucket with this key, which the period must touch."""
        if not self._stretches:
            return key - self._first
        hour, offset_ms = _hour_of(key)
        last_ms = (hour + 1) * MS_PER_HOUR - offset_ms - 1
        number = bisect_right(self._stretches, last_ms, key=_start_of) - 1
        # The offset may change within the hour: the bucket is then at the end of the stretch before.
        while self._stretches[number].offset_ms != offset_ms:
            number -= 1
        before = self._ends[number - 1] if number else 0
        return before + hour - _first_hour(self._stretches[number])

    def _key(self, instant_ms: int, interval: OffsetInterval) -> int:
        offset_ms = interval.offset_ms
        key: int = bucket_of(self._granularity, instant_ms + offset_ms, offset_ms)
        return key

    def _date(self, index: int) -> Bucket:
        key = self._first + index
        return Bucket(key, label_of(self._granularity, key))

    def _hour(self, index: int) -> Bucket:
        number = bisect_right(self._ends, index)
        interval = self._stretches[number]
        before = self._ends[number - 1] if number else 0
        hour = _first_hour(interval) + index - before
        key: int = bucket_of(Granularity.HOUR, hour * MS_PER_HOUR, interval.offset_ms)
        return Bucket(key, label_of(Granularity.HOUR, key))


def _start_of(interval: OffsetInterval) -> int:
    return interval.start_ms


def _first_hour(interval: OffsetInterval) -> int:
    return (interval.start_ms + interval.offset_ms) // MS_PER_HOUR


def _hours(interval: OffsetInterval) -> int:
    last = (interval.end_ms - 1 + interval.offset_ms) // MS_PER_HOUR
    return last - _first_hour(interval) + 1


def _offset_text(offset_ms: int) -> str:
    if offset_ms == 0:
        return "Z"
    minutes = abs(offset_ms) // 60_000
    return f"{'-' if offset_ms < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
