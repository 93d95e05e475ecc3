"""Breeze's analytics by brute force: docs/contract.md#breeze over the raw calls and leads.

`breeze(oracle, body)` gives the status and, for 200, the exact body; for 422 the places that an
error may name. It looks at one call after the other and counts; it imports nothing of `rollcall`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from tests.support.oracle import (
    LEAD_STATUSES,
    TIMESTAMP,
    InvalidOperation,
    Oracle,
    exact,
    identifier,
    instant,
    is_integer,
    is_number,
    payload_number,
    ratio,
)
from tests.support.oracle_zones import (
    DAY_MS,
    END_MS,
    FIRST_MS,
    HOUR_MS,
    days_from_1970,
    first_instant,
    instants_of,
    intervals,
    last_instant,
    local,
)

CALL_TYPES = (
    "call_count call_duration outcome_distribution sentiment_distribution calls_over_time "
    "avg_duration_over_time top_outcomes retry_analysis provider_breakdown hourly_heatmap"
).split()
LEAD_TYPES = "status_distribution conversion_funnel".split()
GRANULARITIES = "hour day week month".split()
IDS = "template_id merchant_id reseller_id".split()
DATES = "date_from date_to".split()
DURATIONS = "min_duration max_duration".split()
SENTIMENTS = "sentiment_min sentiment_max".split()
FILTERS = [*IDS, *DATES, *DURATIONS, *SENTIMENTS, "payload_filters"]
BANDS = "negative slightly_negative neutral slightly_positive positive".split()

Loc = tuple[str, ...]
Content = dict[str, Any]


class Malformed(Exception):
    """Answered with 400."""


@dataclass
class Query:
    """A body that passed; instants are milliseconds, `end` is exclusive, None is open."""

    query_type: str
    filters: Content
    granularity: str
    page: int
    page_size: int
    zone: ZoneInfo
    start: int | None = None
    end: int | None = None
    errors: set[Loc] = field(default_factory=set)


def breeze(oracle: Oracle, body: Any) -> tuple[int, Any]:
    """(200, body), (400, None) or (422, the places that the error may name)."""
    try:
        query = understood(body)
    except Malformed:
        return 400, None
    if query.errors:
        return 422, query.errors
    rows = ROWS[query.query_type](oracle, query)
    first = (query.page - 1) * query.page_size
    return 200, {
        "query_type": query.query_type,
        "data": list(rows[first : first + query.page_size]),
        "total": len(rows),
        "page": query.page,
        "page_size": query.page_size,
    }


# ------------------------------------------------------------------ the body


def understood(body: Any) -> Query:
    known = {"query_type", "filters", "granularity", "page", "page_size", "timezone"}
    if not isinstance(body, dict) or not body.keys() <= known:
        raise Malformed
    query_type = body.get("query_type")
    if not isinstance(query_type, str) or query_type not in CALL_TYPES + LEAD_TYPES:
        raise Malformed
    filters = body.get("filters", {})
    check_json_types(filters)

    errors: set[Loc] = set()
    granularity = body.get("granularity", "day")
    if not isinstance(granularity, str) or granularity not in GRANULARITIES:
        errors.add(("granularity",))
    page, page_size = body.get("page", 1), body.get("page_size", 50)
    if not is_integer(page) or not 1 <= page <= 10**9:
        errors.add(("page",))
    if not is_integer(page_size) or not 1 <= page_size <= 1000:
        errors.add(("page_size",))
    zone = ZoneInfo("UTC")
    if "timezone" in body:
        name = body["timezone"]
        if isinstance(name, str) and name in zone_names():
            zone = ZoneInfo(name)
        else:
            errors.add(("timezone",))
    query = Query(query_type, filters, granularity, page, page_size, zone, errors=errors)
    check_values(query)
    check_range(query, has_zone="timezone" in body)
    return query


@cache
def zone_names() -> set[str]:
    return available_timezones()


def check_json_types(filters: Any) -> None:
    if not isinstance(filters, dict) or not filters.keys() <= set(FILTERS):
        raise Malformed
    for name, value in filters.items():
        if name in IDS:
            right = isinstance(value, str) or is_number(value)
        elif name in DATES:
            right = isinstance(value, str)
        elif name in DURATIONS + SENTIMENTS:
            right = is_number(value)
        else:
            right = isinstance(value, dict) and not any(
                isinstance(entry, dict | list) for entry in value.values()
            )
        if not right:
            raise Malformed


def check_values(query: Query) -> None:
    filters, errors = query.filters, query.errors
    for name in IDS:
        if name in filters:
            try:
                identifier(filters[name], name)
            except InvalidOperation:
                errors.add(("filters", name))
    for names, largest in ((DURATIONS, None), (SENTIMENTS, 1)):
        least, most = (filters.get(name) for name in names)
        for name in names:
            if name in filters:
                number = exact(filters[name])
                beyond = number < 0 or (largest is not None and number > largest)
                if beyond or query.query_type in LEAD_TYPES:
                    errors.add(("filters", name))
        if least is not None and most is not None and exact(least) > exact(most):
            errors |= {("filters", name) for name in names}


def check_range(query: Query, has_zone: bool) -> None:
    """Fill in `start` and `end`; note what is wrong with the two dates."""
    filters, errors = query.filters, query.errors
    from_, to = filters.get("date_from"), filters.get("date_to")
    if from_ is not None:
        try:
            query.start = bounds(from_, query.zone)[0]
        except InvalidOperation:
            errors.add(("filters", "date_from"))
    if to is not None:
        try:
            query.end = bounds(to, query.zone)[1] + 1
        except InvalidOperation:
            errors.add(("filters", "date_to"))
    start, end = query.start, query.end
    if start is not None and not FIRST_MS <= start < END_MS:
        errors.add(("filters", "date_from"))
    if end is not None and not FIRST_MS <= end - 1 < END_MS:
        errors.add(("filters", "date_to"))
    if start is not None and end is not None:
        is_hourly = query.query_type.endswith("_over_time") and query.granularity == "hour"
        longest = 400 * DAY_MS + (HOUR_MS if has_zone else 0) if is_hourly else END_MS
        if start >= end or end - start > longest:
            errors |= {("filters", "date_from"), ("filters", "date_to")}


NAIVE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?)?"
)


def bounds(text: str, zone: ZoneInfo) -> tuple[int, int]:
    """The first and the last millisecond that a bound covers. Raises InvalidOperation."""
    if timestamp := TIMESTAMP.fullmatch(text):
        first = last = instant(text, "date")
        has_fraction = timestamp[7] is not None
    elif naive := NAIVE.fullmatch(text):
        try:
            day = date(*(int(part) for part in naive.groups()[:3]))
            if not date(1969, 12, 30) <= day <= date(9999, 1, 3):
                raise InvalidOperation("date", "years 1970 to 9998")
            if naive[4] is None:
                return first_instant(day, zone), last_instant(day, zone)
            hour, minute, second = (int(part) for part in naive.groups()[3:6])
            clock = datetime(day.year, day.month, day.day, hour, minute, second)
        except ValueError:
            raise InvalidOperation("date", "no such date or time") from None
        clock_ms = (clock - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
        clock_ms += int(((naive[7] or "")[1:] + "000")[:3])
        shown = instants_of(clock_ms, zone)
        first, last = min(shown), max(shown)
        has_fraction = naive[7] is not None
    else:
        raise InvalidOperation("date", "neither a date nor a time")
    return first, last if has_fraction else last + 999


# ------------------------------------------------------------------ which calls


def chosen(contents: Iterable[Content], query: Query, time: str) -> list[Content]:
    return [content for content in contents if matches(content, query, content[time])]


def matches(content: Content, query: Query, moment: int) -> bool:
    filters = query.filters
    if query.start is not None and moment < query.start:
        return False
    if query.end is not None and moment >= query.end:
        return False
    for name in IDS:
        if name in filters and content[name] != identifier(filters[name], name):
            return False
    for names, stored, places in ((DURATIONS, "duration_seconds", 0), (SENTIMENTS, "sentiment", 3)):
        least, most = (filters.get(name) for name in names)
        if least is None and most is None:
            continue
        if content[stored] is None:
            return False
        value = Decimal(content[stored]).scaleb(-places)
        if least is not None and value < exact(least):
            return False
        if most is not None and value > exact(most):
            return False
    wanted = filters.get("payload_filters", {})
    return all(
        key in content["payload"] and content["payload"][key] == comparable(value)
        for key, value in wanted.items()
    )


def comparable(value: Any) -> tuple[str, Any]:
    """A value as the model keeps those of payloads: no two types are ever equal."""
    if value is None:
        return "null", None
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, str):
        return "string", value
    try:
        return "number", payload_number(value, "payload_filters")
    except InvalidOperation:
        return "nothing", None


def calls_of(oracle: Oracle, query: Query) -> list[Content]:
    return chosen((call for _, call in oracle.live("call")), query, "started_at")


def leads_of(oracle: Oracle, query: Query) -> list[Content]:
    return chosen((lead for _, lead in oracle.live("lead")), query, "created_at")


# ------------------------------------------------------------------ rows


def call_count(oracle: Oracle, query: Query) -> list[Content]:
    return [{"count": len(calls_of(oracle, query))}]


def call_duration(oracle: Oracle, query: Query) -> list[Content]:
    seconds = durations(calls_of(oracle, query))
    return [
        {
            "avg": average(seconds),
            "min": min(seconds, default=None),
            "max": max(seconds, default=None),
            "total": sum(seconds),
            "count": len(seconds),
        }
    ]


def durations(calls: Iterable[Content]) -> list[int]:
    return [call["duration_seconds"] for call in calls if call["duration_seconds"] is not None]


def average(values: Sequence[int]) -> Decimal | None:
    return ratio(sum(values), len(values), 2) if values else None


def percentage(part: int, whole: int) -> Decimal:
    return ratio(100 * part, whole, 2)


def by_count(values: Sequence[str], name: str) -> list[Content]:
    """One row for each value: those that occur most first, then in the order of their text."""
    ordered = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [
        {name: value, "count": count, "percentage": percentage(count, len(values))}
        for value, count in ordered
    ]


def outcome_distribution(oracle: Oracle, query: Query) -> list[Content]:
    calls = calls_of(oracle, query)
    values = ["N/A" if call["outcome"] is None else call["outcome"] for call in calls]
    return by_count(values, "outcome")


def provider_breakdown(oracle: Oracle, query: Query) -> list[Content]:
    calls = calls_of(oracle, query)
    values = ["N/A" if call["provider"] is None else call["provider"] for call in calls]
    return by_count(values, "provider")


def top_outcomes(oracle: Oracle, query: Query) -> list[Content]:
    calls = calls_of(oracle, query)
    rows = by_count([call["outcome"] for call in calls if call["outcome"] is not None], "outcome")
    return [{"rank": rank, **row} for rank, row in enumerate(rows, start=1)]


def sentiment_distribution(oracle: Oracle, query: Query) -> list[Content]:
    scores = [
        call["sentiment"] for call in calls_of(oracle, query) if call["sentiment"] is not None
    ]
    rows = []
    for number, band in enumerate(BANDS):
        low, high = 200 * number, 200 * (number + 1)
        count = sum(low <= score < high or score == high == 1000 for score in scores)
        rows.append(
            {
                "sentiment": band,
                "min": Decimal(low) / 1000,
                "max": Decimal(high) / 1000,
                "count": count,
                "percentage": percentage(count, len(scores)),
            }
        )
    return rows


def status_distribution(oracle: Oracle, query: Query) -> list[Content]:
    leads = leads_of(oracle, query)
    counts = Counter(lead["status"] for lead in leads)
    return [
        {
            "status": status,
            "count": counts[status],
            "percentage": percentage(counts[status], len(leads)),
        }
        for status in LEAD_STATUSES
    ]


def retry_analysis(oracle: Oracle, query: Query) -> list[Content]:
    calls = calls_of(oracle, query)
    rows = []
    for attempt in range(1, 11):
        own = [call for call in calls if min(call["attempt"], 10) == attempt]
        successful = sum(call["disposition"] == "successful" for call in own)
        if own:
            rows.append(
                {
                    "attempt": attempt if attempt < 10 else "10+",
                    "calls": len(own),
                    "successful": successful,
                    "success_rate": percentage(successful, len(own)),
                }
            )
    return rows


def hourly_heatmap(oracle: Oracle, query: Query) -> list[Content]:
    calls = calls_of(oracle, query)
    counts = Counter(local(call["started_at"], query.zone).hour for call in calls)
    return [{"hour": hour, "count": counts[hour]} for hour in range(24)]


def conversion_funnel(oracle: Oracle, query: Query) -> list[Content]:
    leads = leads_of(oracle, query)
    reached = {
        "BACKLOG": len(leads),
        "PROCESSING": sum(lead["status"] != "BACKLOG" for lead in leads),
        "FINISHED": sum(lead["status"] == "FINISHED" for lead in leads),
        "CONVERTED": sum(
            lead["status"] == "FINISHED" and lead["converted"] is True for lead in leads
        ),
    }
    rows, before = [], len(leads)
    for stage, count in reached.items():
        rows.append(
            {
                "stage": stage,
                "count": count,
                "percentage": percentage(count, len(leads)),
                "drop_off": before - count,
            }
        )
        before = count
    return rows


# ------------------------------------------------------------------ rows over time


class Rows(Sequence[Content]):
    """Rows that are made when they are looked at: there may be millions."""

    def __init__(self, labels: Sequence[str], row: Callable[[str], Content]) -> None:
        self.labels, self.row = labels, row

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, wanted: Any) -> Any:
        return [self.row(label) for label in self.labels[wanted]]


class Dates(Sequence[str]):
    """The dates of some ordinals."""

    def __init__(self, ordinals: range) -> None:
        self.ordinals = ordinals

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, wanted: Any) -> Any:
        return [date.fromordinal(ordinal).isoformat() for ordinal in self.ordinals[wanted]]


class Months(Sequence[str]):
    """The first days of some months, counted from the year 0."""

    def __init__(self, numbers: range) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, wanted: Any) -> Any:
        return [f"{month // 12:04d}-{month % 12 + 1:02d}-01" for month in self.numbers[wanted]]


class Hours(Sequence[str]):
    """The hours of each stretch of one offset, as (numbers of local hours, offset)."""

    def __init__(self, parts: Sequence[tuple[range, int]]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return sum(len(hours) for hours, _ in self.parts)

    def __getitem__(self, wanted: Any) -> Any:
        first, last, _ = wanted.indices(len(self))
        labels: list[str] = []
        passed = 0
        for hours, offset in self.parts:
            own = hours[max(0, first - passed) : max(0, last - passed)]
            labels += [hour_label(hour, offset) for hour in own]
            passed += len(hours)
        return labels


def hour_label(hour: int, offset_ms: int) -> str:
    clock = datetime(1970, 1, 1) + timedelta(hours=hour)
    hours, minutes = divmod(abs(offset_ms) // 60_000, 60)
    sign = "-" if offset_ms < 0 else "+"
    return f"{clock.isoformat()}{f'{sign}{hours:02d}:{minutes:02d}' if offset_ms else 'Z'}"


def label_of(moment: int, query: Query) -> str:
    """The bucket that an instant belongs to."""
    clock = local(moment, query.zone)
    match query.granularity:
        case "hour":
            offset = clock.utcoffset()
            assert offset is not None
            shown = days_from_1970(clock.date()) * 24 + clock.hour
            return hour_label(shown, offset // timedelta(milliseconds=1))
        case "day":
            return clock.date().isoformat()
        case "week":
            return (clock.date() - timedelta(days=clock.weekday())).isoformat()
    return f"{clock.date().isoformat()[:7]}-01"


def buckets(moments: Sequence[int], query: Query) -> Sequence[str]:
    """Every bucket from the start of the range, or the first data, to the end, or the last."""
    if not moments and (query.start is None or query.end is None):
        return []
    zone = query.zone
    start = min(moments) if query.start is None else query.start
    end = max(moments) + 1 if query.end is None else query.end
    if query.granularity == "hour":
        return Hours(
            [
                (range((s + offset) // HOUR_MS, (e - 1 + offset) // HOUR_MS + 1), offset)
                for s, e, offset in intervals(start, end, zone)
            ]
        )
    shown = [local(each, zone).date() for each in touched(start, end, zone)]
    data = [local(moment, zone).date() for moment in moments]
    first = min(data if query.start is None else shown)
    last = max(data if query.end is None else shown)
    if query.granularity == "day":
        return Dates(range(first.toordinal(), last.toordinal() + 1))
    if query.granularity == "week":
        monday = first.toordinal() - first.weekday()
        return Dates(range(monday, last.toordinal() + 1, 7))
    return Months(range(first.year * 12 + first.month - 1, last.year * 12 + last.month))


def touched(start: int, end: int, zone: ZoneInfo) -> Iterable[int]:
    """Instants among which are one of the first and one of the last date of a range.

    Where the clock is put back over midnight, both dates may be inside the range.
    """
    for interval in intervals(start, end, zone):
        yield from (interval.start, interval.end - 1)


def calls_over_time(oracle: Oracle, query: Query) -> Rows:
    moments = [call["started_at"] for call in calls_of(oracle, query)]
    counts = Counter(label_of(moment, query) for moment in moments)
    return Rows(buckets(moments, query), lambda label: {"date": label, "count": counts[label]})


def avg_duration_over_time(oracle: Oracle, query: Query) -> Rows:
    calls = [call for call in calls_of(oracle, query) if call["duration_seconds"] is not None]
    moments = [call["started_at"] for call in calls]
    by_label: dict[str, list[int]] = {}
    for call in calls:
        label = label_of(call["started_at"], query)
        by_label.setdefault(label, []).append(call["duration_seconds"])

    def row(label: str) -> Content:
        seconds = by_label.get(label, [])
        return {"date": label, "avg_duration": average(seconds), "count": len(seconds)}

    return Rows(buckets(moments, query), row)


ROWS: dict[str, Callable[[Oracle, Query], Sequence[Content]]] = {
    "call_count": call_count,
    "call_duration": call_duration,
    "outcome_distribution": outcome_distribution,
    "sentiment_distribution": sentiment_distribution,
    "status_distribution": status_distribution,
    "calls_over_time": calls_over_time,
    "avg_duration_over_time": avg_duration_over_time,
    "top_outcomes": top_outcomes,
    "retry_analysis": retry_analysis,
    "provider_breakdown": provider_breakdown,
    "hourly_heatmap": hourly_heatmap,
    "conversion_funnel": conversion_funnel,
}
