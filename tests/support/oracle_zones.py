"""Local time for the oracle, the slow way: whole stretches of one offset, found by looking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
FIRST_MS = 0
END_MS = (date(9999, 1, 1) - date(1970, 1, 1)).days * DAY_MS
"""Years 1970 to 9998 of the UTC instant."""

# No zone has changed its offset twice within so few days since 1970 (the closest: almost seven).
_STEP_MS = 6 * DAY_MS


class OffsetInterval(NamedTuple):
    """Instants from `start` to before `end`, all with one offset (milliseconds)."""

    start: int
    end: int
    offset: int


def local(milliseconds: int, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.astimezone(zone)


def offset_at(milliseconds: int, zone: ZoneInfo) -> int:
    offset = local(milliseconds, zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


@lru_cache(maxsize=64)
def intervals(start: int, end: int, zone: ZoneInfo) -> Sequence[OffsetInterval]:
    """The instants from `start` to before `end`, cut wherever the offset changes."""
    return list(_stretches(start, end, zone))


def _stretches(start: int, end: int, zone: ZoneInfo) -> Iterator[OffsetInterval]:
    offset, began, here = offset_at(start, zone), start, start
    while here < end:
        there = min(here + _STEP_MS, end)
        if offset_at(there, zone) == offset:
            here = there
            continue
        same, other = here, there
        while other - same > 1:
            middle = (same + other) // 2
            if offset_at(middle, zone) == offset:
                same = middle
            else:
                other = middle
        if other < end:
            yield OffsetInterval(began, other, offset)
            offset, began = offset_at(other, zone), other
        here = other
    yield OffsetInterval(began, end, offset)


def days_from_1970(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def first_instant(day: date, zone: ZoneInfo) -> int:
    """The first instant with this local date; of a date that was left out, with the next."""
    return min(instant for instant, number in _edges(day, zone) if number >= days_from_1970(day))


def last_instant(day: date, zone: ZoneInfo) -> int:
    """The last instant with this local date; of a date that was left out, with the one before."""
    around = _edges(day, zone, ends=True)
    return max(instant for instant, number in around if number <= days_from_1970(day))


def _edges(day: date, zone: ZoneInfo, ends: bool = False) -> Iterator[tuple[int, int]]:
    """Where local dates around `day` begin (or end), with the number of the local date."""
    noon = days_from_1970(day) * DAY_MS + DAY_MS // 2
    for start, end, offset in intervals(noon - 3 * DAY_MS, noon + 3 * DAY_MS, zone):
        for number in range((start + offset) // DAY_MS, (end - 1 + offset) // DAY_MS + 1):
            if ends:
                yield min(end, (number + 1) * DAY_MS - offset) - 1, number
            else:
                yield max(start, number * DAY_MS - offset), number


def instants_of(clock_ms: int, zone: ZoneInfo) -> list[int]:
    """When the clocks show this local time: once, twice, or never.

    A time that they never show counts as one instant, read with the offset before the gap.
    """
    around = intervals(clock_ms - 2 * DAY_MS, clock_ms + 2 * DAY_MS, zone)
    found = [clock_ms - s.offset for s in around if s.start <= clock_ms - s.offset < s.end]
    if found:
        return found
    before = [
        earlier
        for earlier, later in pairwise(around)
        if earlier.end <= clock_ms - earlier.offset and clock_ms - later.offset < later.start
    ]
    assert len(before) == 1
    return [clock_ms - before[0].offset]
