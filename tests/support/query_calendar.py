"""Ranges of time, the ranges they are compared with, and buckets, in any zone, the slow way.

A range has inclusive ends in milliseconds; None is open. It imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.oracle_breeze import bounds, hour_label, touched
from tests.support.oracle_zones import (
    DAY_MS,
    HOUR_MS,
    days_from_1970,
    first_instant,
    instants_of,
    intervals,
    last_instant,
    local,
    offset_at,
)

Move = Callable[[date], date]

DAY = timedelta(days=1)
TIME_BUCKETS = "hour day week month quarter year".split()
PERIODS = (
    "today yesterday last_7_days last_28_days last_30_days last_90_days "
    "this_week last_week this_month last_month this_year"
).split()
COMPARISONS = "previous_period previous_weekdays previous_year".split()


class Span(NamedTuple):
    start: int | None
    end: int | None

    def has(self, moment: int) -> bool:
        return (self.start is None or self.start <= moment) and (
            self.end is None or moment <= self.end
        )


class Bucket(NamedTuple):
    """Where a bucket stands among others, and its label."""

    order: int
    label: str


# ------------------------------------------------------------------ ranges


def days(first: date, last: date, zone: ZoneInfo) -> Span:
    return Span(first_instant(first, zone), last_instant(last, zone))


def span_of(body: dict[str, Any], now_ms: int, zone: ZoneInfo) -> Span:
    """What `from` and `to`, or `period`, cover."""
    if "period" in body:
        return days(*dates_of(body["period"], local(now_ms, zone).date()), zone)
    start = bounds(body["from"], zone)[0] if "from" in body else None
    end = bounds(body["to"], zone)[1] if "to" in body else None
    return Span(start, end)


def dates_of(period: str, today: date) -> tuple[date, date]:
    """The first and the last day of a period."""
    monday = today - today.weekday() * DAY
    first_of_month = today.replace(day=1)
    match period.split("_"):
        case ["today"]:
            return today, today
        case ["yesterday"]:
            return today - DAY, today - DAY
        case ["last", number, "days"]:
            return today - (int(number) - 1) * DAY, today
        case ["this", "week"]:
            return monday, monday + 6 * DAY
        case ["last", "week"]:
            return monday - 7 * DAY, monday - DAY
        case ["this", "month"]:
            return first_of_month, (first_of_month + 31 * DAY).replace(day=1) - DAY
        case ["last", "month"]:
            return (first_of_month - DAY).replace(day=1), first_of_month - DAY
        case ["this", "year"]:
            return date(today.year, 1, 1), date(today.year, 12, 31)
    raise AssertionError(period)


def whole_days(span: Span, zone: ZoneInfo) -> tuple[date, date] | None:
    """The first and the last local day, if the range is exactly those days.

    A range without an instant, as that of a day that a zone skipped, is no day.
    """
    assert span.start is not None
    assert span.end is not None
    first, last = local(span.start, zone).date(), local(span.end, zone).date()
    return (first, last) if first <= last and days(first, last, zone) == span else None


def compared(span: Span, compare: Any, zone: ZoneInfo) -> Span:
    """The range that a range with both ends is compared with."""
    if isinstance(compare, dict):
        return span_of(compare, 0, zone)
    assert span.start is not None
    assert span.end is not None
    whole = whole_days(span, zone)
    if compare == "previous_period":
        if whole is None:
            length = span.end + 1 - span.start
            return Span(span.start - length, span.start - 1)
        first, last = whole
        return days(first - (last - first) - DAY, first - DAY, zone)
    if compare == "previous_year":
        return moved(span, whole, zone, a_year_earlier)
    backs = (moved(span, whole, zone, weeks_earlier(weeks)) for weeks in count(1))
    return next(back for back in backs if back.end is not None and back.end < span.start)


def weeks_earlier(weeks: int) -> Move:
    return lambda day: day - weeks * 7 * DAY


def a_year_earlier(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


def moved(span: Span, whole: tuple[date, date] | None, zone: ZoneInfo, move: Move) -> Span:
    """A range whose local dates are moved: whole days stay whole, other times keep their clock."""
    if whole is not None:
        return days(move(whole[0]), move(whole[1]), zone)
    assert span.start is not None
    assert span.end is not None
    return Span(
        min(instants_of(moved_clock(span.start, zone, move), zone)),
        max(instants_of(moved_clock(span.end, zone, move), zone)),
    )


def moved_clock(moment: int, zone: ZoneInfo, move: Move) -> int:
    """A local time at another date, as milliseconds."""
    clock_ms = moment + offset_at(moment, zone)
    day = local(moment, zone).date()
    return clock_ms + (days_from_1970(move(day)) - days_from_1970(day)) * DAY_MS


# ------------------------------------------------------------------ buckets


def bucket_at(moment: int, name: str, zone: ZoneInfo) -> Bucket:
    """The bucket that an instant belongs to."""
    if name == "hour":
        offset = offset_at(moment, zone)
        hour = (moment + offset) // HOUR_MS
        around = intervals(moment - 2 * DAY_MS, moment + 1, zone)[-1]
        first = max(around.start, hour * HOUR_MS - offset)
        return Bucket(first, hour_label(hour, offset))
    return bucket_of(local(moment, zone).date(), name)


def bucket_of(day: date, name: str) -> Bucket:
    """The bucket, of a day or more, that a local date belongs to."""
    match name:
        case "week":
            day -= day.weekday() * DAY
        case "month":
            day = day.replace(day=1)
        case "quarter":
            day = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case "year":
            day = date(day.year, 1, 1)
    return Bucket(day.toordinal(), day.isoformat())


def buckets(span: Span, moments: Sequence[int], name: str, zone: ZoneInfo) -> list[Bucket]:
    """Every bucket of a range, in order. Where it is open, it begins or ends with the data."""
    if not moments and None in span:
        return []
    start = min(moments) if span.start is None else span.start
    end = max(moments) if span.end is None else span.end
    if start > end:
        return []
    if name == "hour":
        return list(hours(start, end, zone))
    # Where a clock is put back over midnight, the last instant need not have the last date.
    shown = [local(each, zone).date() for each in touched(start, end + 1, zone)]
    data = [local(each, zone).date() for each in moments]
    day = min(data if span.start is None else shown)
    last = max(data if span.end is None else shown)
    found = []
    while day <= last:
        found.append(bucket_of(day, name))
        day += DAY
    return list(dict.fromkeys(found))


def hours(start: int, end: int, zone: ZoneInfo) -> Iterator[Bucket]:
    """The hour buckets that a range touches, in order."""
    for began, ended, offset in intervals(start - 2 * DAY_MS, end + 1, zone):
        for hour in range((began + offset) // HOUR_MS, (ended - 1 + offset) // HOUR_MS + 1):
            shown = hour * HOUR_MS - offset
            if min(shown + HOUR_MS, ended) > start:
                yield Bucket(max(shown, began), hour_label(hour, offset))
