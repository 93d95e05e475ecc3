"""Periods: parsing the bounds of a query, and splitting a period into whole UTC days."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from rollcall.domain.time.calendar import (
    LAST_MS,
    MS_PER_DAY,
    NO_OFFSET,
    Timestamp,
    check_instant,
    parse_date,
    parse_timestamp,
)
from rollcall.domain.time.zones import Zone


class Period(NamedTuple):
    """The instants `[start_ms, end_ms)`, in milliseconds since 1970 UTC."""

    start_ms: int
    end_ms: int


EVER: Final = Period(0, LAST_MS + 1)


class Bounds(NamedTuple):
    """The start and the exclusive end of a range, in milliseconds; None where it is open."""

    start_ms: int | None
    end_ms: int | None

    @property
    def period(self) -> Period:
        """The period to read; an open end has no limit."""
        return Period(
            EVER.start_ms if self.start_ms is None else self.start_ms,
            EVER.end_ms if self.end_ms is None else self.end_ms,
        )


class Plan(NamedTuple):
    """A period as whole UTC days, numbered from 1970-01-01, and the partial days at its edges."""

    days: range
    edges: tuple[Period, ...]


def plan(period: Period) -> Plan:
    """Split a period into whole UTC days, and the partial days before and after them.

    Days and edges tile the period. A period that contains no whole day has no days, and one that
    begins and ends at midnight has no edges.
    """
    first = -(-period.start_ms // MS_PER_DAY)
    end = period.end_ms // MS_PER_DAY
    if first > end:
        return Plan(range(0), (period,))
    edges = (
        Period(period.start_ms, first * MS_PER_DAY),
        Period(end * MS_PER_DAY, period.end_ms),
    )
    return Plan(range(first, end), tuple(edge for edge in edges if edge.start_ms < edge.end_ms))


def runs(days: Iterable[int]) -> list[Period]:
    """The periods that cover days given in ascending order; adjacent days share a period."""
    periods: list[Period] = []
    for day in days:
        start, end = day * MS_PER_DAY, (day + 1) * MS_PER_DAY
        if periods and periods[-1].end_ms == start:
            start = periods.pop().start_ms
        periods.append(Period(start, end))
    return periods


def parse_start(text: str, zone: Zone | None) -> int:
    """The first instant of a lower bound, in milliseconds since 1970 UTC.

    With a zone, a date is its whole local day, and a time without an offset is local; without a
    zone, both are refused. Raises ValueError with the rule that was broken.
    """
    day = parse_date(text)
    if zone is not None and day is not None:
        return check_instant(zone.day(_in_reach(day * MS_PER_DAY) // MS_PER_DAY)[0])
    timestamp = parse_timestamp(text)
    return check_instant(_instant_ms(timestamp, timestamp.local_ms, zone, is_later=False))


def parse_end(text: str, zone: Zone | None) -> int:
    """The end of an inclusive upper bound: the millisecond after its last one.

    A bound without a fraction covers its whole second, a date its whole local day. In all else it
    is parsed as by `parse_start`.
    """
    day = parse_date(text)
    if zone is not None and day is not None:
        last = zone.day(_in_reach(day * MS_PER_DAY) // MS_PER_DAY)[1] - 1
    else:
        timestamp = parse_timestamp(text)
        covered_ms = timestamp.local_ms + (0 if timestamp.has_fraction else 999)
        last = _instant_ms(timestamp, covered_ms, zone, is_later=True)
    return check_instant(last) + 1


def _instant_ms(timestamp: Timestamp, local_ms: int, zone: Zone | None, *, is_later: bool) -> int:
    if timestamp.offset_ms is not None:
        return local_ms - timestamp.offset_ms
    if zone is None:
        raise ValueError(NO_OFFSET)
    return zone.instant_of(_in_reach(local_ms), is_later=is_later)


def _in_reach(local_ms: int) -> int:
    """Return the local time. Raises ValueError if no offset brings it into the allowed years."""
    if not -2 * MS_PER_DAY <= local_ms <= LAST_MS + 2 * MS_PER_DAY:
        check_instant(local_ms)
    return local_ms
