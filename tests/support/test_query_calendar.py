"""Periods, comparisons and buckets of the query oracle, worked out by hand."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.oracle import instant
from tests.support.query_calendar import (
    PERIODS,
    Span,
    bucket_at,
    buckets,
    compared,
    dates_of,
    span_of,
)

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
APIA = ZoneInfo("Pacific/Apia")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NEW_YORK = ZoneInfo("America/New_York")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def at(text: Any) -> Any:
    return instant(text, "time")


def span(first: Any, last: Any) -> Any:
    return Span(at(first), at(last))


def covered(body: Any, zone: Any = UTC, now: Any = "2026-11-28T12:00:00Z") -> Any:
    return span_of(body, at(now), zone)


def labels(span: Any, name: Any, zone: Any = UTC, moments: Any = ()) -> Any:
    return [bucket.label for bucket in buckets(span, moments, name, zone)]


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("today", "2026-11-28", "2026-11-28"),
        ("yesterday", "2026-11-27", "2026-11-27"),
        ("last_7_days", "2026-11-22", "2026-11-28"),
        ("last_28_days", "2026-11-01", "2026-11-28"),
        ("last_30_days", "2026-10-30", "2026-11-28"),
        ("last_90_days", "2026-08-31", "2026-11-28"),
        ("this_week", "2026-11-23", "2026-11-29"),
        ("last_week", "2026-11-16", "2026-11-22"),
        ("this_month", "2026-11-01", "2026-11-30"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("this_year", "2026-01-01", "2026-12-31"),
    ],
)
def test_periods_on_a_saturday(period: Any, first: Any, last: Any) -> None:
    found = dates_of(period, date(2026, 11, 28))
    assert [day.isoformat() for day in found] == [first, last]


def test_there_are_eleven_periods() -> None:
    assert len(PERIODS) == 11


def test_periods_are_local_days() -> None:
    now = "2026-10-24T22:30:00Z"  # Sunday 00:30 in Berlin, with 25 hours
    assert covered({"period": "today"}, BERLIN, now) == span(
        "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z"
    )
    assert covered({"period": "last_month"}, UTC, "2024-03-31T00:00:00Z") == span(
        "2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999Z"
    )
    assert dates_of("this_month", date(2026, 12, 31))[1] == date(2026, 12, 31)
    assert dates_of("this_week", date(2026, 11, 29))[0] == date(2026, 11, 23)


def test_bounds() -> None:
    assert covered({}) == Span(None, None)
    assert covered({"from": "2026-11-01"}) == Span(at("2026-11-01T00:00:00Z"), None)
    assert covered({"to": "2026-11-01T10:00:00Z"}) == Span(None, at("2026-11-01T10:00:00.999Z"))
    assert covered({"to": "2026-11-01T10:00:00.5Z"}) == Span(None, at("2026-11-01T10:00:00.500Z"))
    twice = {"from": "2026-10-25T02:00:00", "to": "2026-10-25T02:00:00"}
    assert covered(twice, BERLIN) == span("2026-10-25T00:00:00Z", "2026-10-25T01:00:00.999Z")


# ------------------------------------------------------------------ comparisons


@pytest.mark.parametrize(
    ("first", "last", "compare", "expected"),
    [
        ("2026-11-01", "2026-11-30", "previous_period", ("2026-10-02", "2026-10-31")),
        ("2026-11-28", "2026-11-28", "previous_period", ("2026-11-27", "2026-11-27")),
        ("2026-11-28", "2026-11-28", "previous_weekdays", ("2026-11-21", "2026-11-21")),
        ("2026-11-22", "2026-11-28", "previous_weekdays", ("2026-11-15", "2026-11-21")),
        ("2026-11-21", "2026-11-28", "previous_weekdays", ("2026-11-07", "2026-11-14")),
        ("2024-02-29", "2024-02-29", "previous_year", ("2023-02-28", "2023-02-28")),
        ("2024-02-01", "2024-02-29", "previous_year", ("2023-02-01", "2023-02-28")),
        ("2025-02-01", "2025-03-01", "previous_year", ("2024-02-01", "2024-03-01")),
    ],
)
@pytest.mark.parametrize("zone", [UTC, BERLIN, LORD_HOWE])
def test_whole_days_are_compared_with_whole_days(
    first: Any, last: Any, compare: Any, expected: Any, zone: Any
) -> None:
    here = span_of({"from": first, "to": last}, 0, zone)
    there = span_of(dict(zip(("from", "to"), expected, strict=True)), 0, zone)
    assert compared(here, compare, zone) == there


def test_the_day_before_a_long_day_is_a_day() -> None:
    """25 October has 25 hours in Berlin, the day before it 24."""
    here = span_of({"from": "2026-10-25", "to": "2026-10-25"}, 0, BERLIN)
    assert compared(here, "previous_period", BERLIN) == span(
        "2026-10-23T22:00:00Z", "2026-10-24T21:59:59.999Z"
    )


def test_other_bounds_are_compared_with_as_many_milliseconds() -> None:
    here = span("2026-11-28T10:00:00Z", "2026-11-28T11:29:59.999Z")
    assert compared(here, "previous_period", UTC) == span(
        "2026-11-28T08:30:00Z", "2026-11-28T09:59:59.999Z"
    )
    # Whole days of UTC are none of Berlin.
    day = span_of({"from": "2026-10-25", "to": "2026-10-25"}, 0, UTC)
    assert compared(day, "previous_period", BERLIN) == span(
        "2026-10-24T00:00:00Z", "2026-10-24T23:59:59.999Z"
    )


def test_a_day_that_the_zone_skipped_is_compared_with_nothing() -> None:
    """Samoa went from 29 to 31 December 2011: the day between has no instant, as has the range before it."""
    here = span_of({"from": "2011-12-30", "to": "2011-12-30"}, 0, APIA)
    assert here == span("2011-12-30T10:00:00Z", "2011-12-30T09:59:59.999Z")
    assert compared(here, "previous_period", APIA) == here


def test_other_bounds_move_with_the_local_clock() -> None:
    # From 10:00 to 11:00 in New York, where the clock went back on 1 November.
    here = span("2026-11-02T15:00:00Z", "2026-11-02T16:00:00.999Z")
    assert compared(here, "previous_weekdays", NEW_YORK) == span(
        "2026-10-26T14:00:00Z", "2026-10-26T15:00:00.999Z"
    )
    assert compared(here, "previous_year", NEW_YORK) == span(
        "2025-11-02T15:00:00Z", "2025-11-02T16:00:00.999Z"
    )


def test_an_explicit_comparison() -> None:
    explicit = {"from": "2026-10-25", "to": "2026-10-25T12:00:00"}
    here = span_of({"from": "2026-11-25", "to": "2026-11-26"}, 0, BERLIN)
    assert compared(here, explicit, BERLIN) == span(
        "2026-10-24T22:00:00Z", "2026-10-25T11:00:00.999Z"
    )


# ------------------------------------------------------------------ buckets


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("day", "2026-11-28"),
        ("week", "2026-11-23"),
        ("month", "2026-11-01"),
        ("quarter", "2026-10-01"),
        ("year", "2026-01-01"),
        ("hour", "2026-11-28T12:00:00Z"),
    ],
)
def test_labels(name: Any, label: Any) -> None:
    assert bucket_at(at("2026-11-28T12:59:59.999Z"), name, UTC).label == label


@pytest.mark.parametrize(("month", "first"), [(3, 1), (4, 4), (6, 4), (7, 7), (9, 7), (12, 10)])
def test_quarters(month: Any, first: Any) -> None:
    moment = at(f"2026-{month:02d}-28T00:00:00Z")
    assert bucket_at(moment, "quarter", UTC).label == f"2026-{first:02d}-01"


def test_an_hour_that_comes_twice_is_two_buckets() -> None:
    night = span("2026-10-24T23:00:00Z", "2026-10-25T02:59:59.999Z")
    assert labels(night, "hour", BERLIN) == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_half_an_hour_twice() -> None:
    night = span("2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z")
    assert labels(night, "hour", LORD_HOWE) == [
        "2026-04-05T01:00:00+11:00",
        "2026-04-05T01:00:00+10:30",
        "2026-04-05T02:00:00+10:30",
    ]
    hours = [
        bucket_at(at(f"2026-04-04T{time}Z"), "hour", LORD_HOWE) for time in ("14:59:59", "15:00:00")
    ]
    assert hours[0].order < hours[1].order == at("2026-04-04T15:00:00Z")


def test_an_hour_that_is_left_out_is_no_bucket() -> None:
    night = span("2026-03-29T00:00:00Z", "2026-03-29T01:59:59Z")
    assert labels(night, "hour", BERLIN) == [
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]
    night = span("2018-11-04T02:00:00Z", "2018-11-04T03:00:00Z")  # no midnight
    assert labels(night, "hour", SAO_PAULO) == [
        "2018-11-03T23:00:00-03:00",
        "2018-11-04T01:00:00-02:00",
    ]


def test_every_bucket_of_a_range_is_there() -> None:
    year = span("2023-12-31T00:00:00Z", "2024-03-01T00:00:00Z")
    assert labels(year, "month") == ["2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01"]
    assert labels(year, "quarter") == ["2023-10-01", "2024-01-01"]
    assert labels(year, "year") == ["2023-01-01", "2024-01-01"]
    assert labels(year, "week")[:2] == ["2023-12-25", "2024-01-01"]
    assert len(labels(year, "day")) == 1 + 31 + 29 + 1


def test_an_open_range_begins_and_ends_with_the_data() -> None:
    moments = [at("2026-11-03T10:00:00Z"), at("2026-11-05T10:00:00Z")]
    assert labels(Span(None, None), "day", UTC, moments) == [
        "2026-11-03",
        "2026-11-04",
        "2026-11-05",
    ]
    assert labels(Span(at("2026-11-02T00:00:00Z"), None), "day", UTC, moments)[0] == "2026-11-02"
    assert labels(Span(None, None), "day") == []
    assert labels(Span(at("2026-11-02T00:00:00Z"), None), "day") == []
