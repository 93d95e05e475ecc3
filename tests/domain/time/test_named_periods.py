"""Named periods and comparisons: whole local days, with the length that was asked for."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.calendar import format_instant, parse_instant
from rollcall.domain.time.named_periods import (
    COMPARISONS,
    PERIODS,
    days_before,
    named_period,
    weekdays_before,
    year_before,
)
from rollcall.domain.time.periods import Period, parse_end, parse_start
from rollcall.domain.time.zones import UTC, Zone

BERLIN = Zone("Europe/Berlin")
ZONES = st.sampled_from(
    [UTC, *map(Zone, ("Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"))]
)
INSTANTS = st.datetimes(dt.datetime(1980, 1, 1), dt.datetime(2060, 1, 1)).map(
    lambda moment: int(moment.replace(tzinfo=dt.UTC).timestamp() * 1000)
)
SATURDAY = parse_instant("2026-11-28T12:00:00Z")


def days(first: str, last: str, zone: Zone = UTC) -> Period:
    return Period(parse_start(first, zone), parse_end(last, zone))


@pytest.mark.parametrize(
    ("name", "first", "last"),
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
def test_each_name(name: str, first: str, last: str) -> None:
    for zone in (UTC, BERLIN):
        assert named_period(name, zone, SATURDAY) == days(first, last, zone)


@given(st.sampled_from(PERIODS), ZONES, INSTANTS)
def test_every_period_begins_and_ends_with_local_days(name: str, zone: Zone, now_ms: int) -> None:
    period = named_period(name, zone, now_ms)
    for instant_ms in period:
        (interval,) = zone.intervals(instant_ms, instant_ms + 1)
        (before,) = zone.intervals(instant_ms - 1, instant_ms)
        day = (instant_ms + interval.offset_ms) // 86_400_000
        assert (instant_ms - 1 + before.offset_ms) // 86_400_000 < day
    if name not in ("yesterday", "last_week", "last_month"):
        assert period.start_ms <= now_ms < period.end_ms


@given(st.sampled_from(sorted(COMPARISONS)), st.sampled_from(PERIODS), ZONES, INSTANTS)
def test_a_comparison_ends_before_the_period_begins(
    comparison: str, name: str, zone: Zone, now_ms: int
) -> None:
    period = named_period(name, zone, now_ms)
    compared = COMPARISONS[comparison](period, zone)
    assert compared.start_ms < compared.end_ms <= period.start_ms


def test_as_many_days_or_milliseconds_before() -> None:
    week = days("2026-03-29", "2026-04-04", BERLIN)  # its first day has 23 hours
    assert days_before(week, BERLIN) == days("2026-03-22", "2026-03-28", BERLIN)
    assert days_before(Period(5_000, 7_500), UTC) == Period(2_500, 5_000)


def test_weekdays_move_by_the_fewest_weeks_that_clear_the_range() -> None:
    assert weekdays_before(days("2026-11-27", "2026-11-28"), UTC) == days(
        "2026-11-20", "2026-11-21"
    )
    month = days("2026-11-01", "2026-11-30")
    assert weekdays_before(month, UTC) == days("2026-09-27", "2026-10-26")


def test_a_week_more_clears_a_local_time_that_a_clock_repeats() -> None:
    """At 00:01 of 2009-11-01, clocks in St John's went back to 23:01 of the day before."""
    st_johns = Zone("America/St_Johns")
    period = Period(parse_start("2009-11-01", st_johns), parse_end("2010-12-11T23:01:00", st_johns))
    assert weekdays_before(period, st_johns) == Period(
        parse_start("2008-09-14", st_johns), parse_end("2009-10-24T23:01:00", st_johns)
    )


@given(
    st.sampled_from(["America/St_Johns", "Europe/Berlin", "Australia/Lord_Howe"]).map(Zone),
    st.integers(2000, 2030),
    st.integers(0, 370 * 24 * 60),
    st.integers(1, 30 * 24 * 60),
)
def test_weekdays_before_end_before_the_period_begins(
    zone: Zone, year: int, minute: int, minutes: int
) -> None:
    start_ms = parse_instant(f"{year}-01-01T00:00:00Z") + minute * 60_000
    period = Period(start_ms, start_ms + minutes * 60_000)
    before = weekdays_before(period, zone)
    assert before.end_ms <= period.start_ms
    assert (period.start_ms - before.end_ms) < 8 * 24 * 3_600_000


def test_a_year_before_keeps_local_dates_and_times() -> None:
    assert year_before(days("2024-02-29", "2024-02-29"), UTC) == days("2023-02-28", "2023-02-28")
    noon = Period(
        parse_start("2026-07-01T12:00:00", BERLIN), parse_end("2026-12-01T12:00:00", BERLIN)
    )
    moved = year_before(noon, BERLIN)
    assert format_instant(moved.start_ms) == "2025-07-01T10:00:00.000Z"
    assert format_instant(moved.end_ms - 1) == "2025-12-01T11:00:00.999Z"


@pytest.mark.parametrize("comparison", COMPARISONS.values())
def test_nothing_is_compared_with_a_time_before_1970(comparison) -> None:
    with pytest.raises(ValueError, match="1970"):
        comparison(days("1970-01-01", "1970-01-02"), UTC)
