"""Zones against the tables of the tz database, and the days and hours that changes of clocks make."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo._zoneinfo import ZoneInfo as ReadableZoneInfo  # the pure one shows its tables

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.buckets import Granularity, Timeline, bucket_of
from rollcall.domain.time.calendar import MS_PER_DAY, format_instant, parse_date, parse_instant
from rollcall.domain.time.periods import EVER, Period, parse_end, parse_start, plan, runs
from rollcall.domain.time.zones import Zone

NAMES = sorted(zoneinfo.available_timezones() - {"localtime", "posixrules"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def known_changes(name: str) -> list[int]:
    """Seconds since 1970 at which the offset changes, out of the zone's own table."""
    table = ReadableZoneInfo(name)
    changes = []
    before = table._tti_before.utcoff if table._tti_before else None
    for second, entry in zip(table._trans_utc, table._ttinfos, strict=True):
        if before is not None and entry.utcoff != before and second >= 0:
            changes.append(second)
        before = entry.utcoff
    return changes


@pytest.mark.slow
def test_no_change_of_offset_is_missed():
    end = 2_145_916_800  # 2038: from then on a zone has a rule, and no table
    for name in NAMES:
        expected = [second for second in known_changes(name) if 0 < second < end]
        intervals = Zone(name).intervals(0, end * 1000)
        found = [interval.start_ms // 1000 for interval in intervals[1:]]
        assert found[: len(expected)] == expected, name
        assert all(a.end_ms == b.start_ms for a, b in pairwise(intervals))
        assert all(a.offset_ms != b.offset_ms for a, b in pairwise(intervals))


@given(st.sampled_from(NAMES), st.integers(0, EVER.end_ms - 1))
def test_an_offset_is_the_standard_librarys(name, instant_ms):
    (interval,) = Zone(name).intervals(instant_ms, instant_ms + 1)
    moment = EPOCH + timedelta(milliseconds=instant_ms)
    offset = moment.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
    assert interval.offset_ms == offset // timedelta(milliseconds=1)


@pytest.mark.parametrize("name", ["America/St_Johns", "Africa/Casablanca", "Australia/Lord_Howe"])
def test_changes_of_far_years(name):
    zone, rules = Zone(name), zoneinfo.ZoneInfo(name)
    start = parse_instant("9990-01-01T00:00:00Z")
    intervals = zone.intervals(start, start + 3_000 * MS_PER_DAY)
    for interval in intervals:
        for instant_ms in (interval.start_ms, interval.end_ms - 1):
            offset = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(rules).utcoffset()
            assert interval.offset_ms == offset // timedelta(milliseconds=1)
    assert all(a.offset_ms != b.offset_ms for a, b in pairwise(intervals))


@pytest.mark.parametrize(
    "name", ["", "Europe", "europe/berlin", "localtime", "posix/UTC", "/etc/localtime", "../UTC",
             "UTC\x00", "+05:30", "Z", "Mars/Olympus", "x" * 5_000]
)  # fmt: skip
def test_what_is_no_zone(name):
    with pytest.raises(ValueError, match="IANA"):
        Zone(name)


# ------------------------------------------------------------------ reading local times


@pytest.mark.parametrize(
    ("name", "local", "start", "last"),
    [
        # shown twice: the earlier instant begins, the later one ends
        ("Europe/Berlin", "2024-10-27T02:30:00", "2024-10-27T00:30:00.000Z",
         "2024-10-27T01:30:00.999Z"),
        ("Australia/Lord_Howe", "2024-04-07T01:45:00.5", "2024-04-06T14:45:00.500Z",
         "2024-04-06T15:15:00.500Z"),
        # never shown: the offset from before
        ("Europe/Berlin", "2024-03-31T02:30:00", "2024-03-31T01:30:00.000Z",
         "2024-03-31T01:30:00.999Z"),
        ("America/St_Johns", "2010-03-14T00:30:00", "2010-03-14T04:00:00.000Z",
         "2010-03-14T04:00:00.999Z"),
        # whole local days of 23, 25, 23½ and 24 h
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00:00.000Z", "2024-03-31T21:59:59.999Z"),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00:00.000Z", "2024-10-27T22:59:59.999Z"),
        ("Australia/Lord_Howe", "2024-10-06", "2024-10-05T13:30:00.000Z",
         "2024-10-06T12:59:59.999Z"),
        ("Asia/Kathmandu", "2024-02-29", "2024-02-28T18:15:00.000Z", "2024-02-29T18:14:59.999Z"),
        ("Asia/Kolkata", "2024-02-29", "2024-02-28T18:30:00.000Z", "2024-02-29T18:29:59.999Z"),
        # put back at 00:01: the day begins, is left again for 59 minutes, and goes on
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00.000Z", "2010-11-08T03:29:59.999Z"),
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30:00.000Z", "2010-11-07T03:29:59.999Z"),
        # put forward at midnight: the day begins at 01:00
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z",
         "2018-11-05T01:59:59.999Z"),
    ],
)  # fmt: skip
def test_local_bounds(name, local, start, last):
    zone = Zone(name)
    assert format_instant(parse_start(local, zone)) == start
    assert format_instant(parse_end(local, zone) - 1) == last


def test_a_day_that_was_left_out_is_empty():
    zone = Zone("Pacific/Apia")
    start, end = zone.day(parse_date("2011-12-30"))
    assert start == end == zone.day(parse_date("2011-12-31"))[0]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("1970-01-01", "Asia/Kolkata"), ("9999-01-01", "UTC"), ("2023-02-29", "UTC"),
        ("2024-1-01", "UTC"), ("2024-01-01T24:00:00", "UTC"), ("2024-01-01T00:00:60Z", "UTC"),
        ("2024-01-01 00:00:00Z", "UTC"), ("2024-W01", "UTC"), ("2024-01-01T00:00:00Z\x00", "UTC"),
        ("٢٠٢٤-01-01", "UTC"), ("0001-01-01", "Europe/Berlin"), ("0001-01-02", "Asia/Kolkata"),
        ("0001-01-01T00:00:00", "America/New_York"), ("9999-12-31", "Asia/Kolkata"),
        ("9999-12-31T23:59:59", "America/New_York"), ("1969-12-30", "Pacific/Kiritimati"),
    ],
)  # fmt: skip
def test_what_is_no_bound(text, zone):
    for parse in (parse_start, parse_end):
        if (text, parse) == ("1970-01-01", parse_end):
            continue  # its last instant is in reach, its first is not
        with pytest.raises(ValueError, match="must"):
            parse(text, Zone(zone))


def test_without_a_zone_a_bound_needs_an_offset():
    for text in ("2024-01-01", "2024-01-01T00:00:00"):
        with pytest.raises(ValueError, match="must"):
            parse_start(text, None)


# ------------------------------------------------------------------ planning


@given(st.integers(0, 10**10), st.integers(0, 10**9))
def test_a_plan_tiles_its_period_with_whole_days_between_edges(start, length):
    period = Period(start, start + length + 1)
    days, edges = plan(period)
    pieces = sorted([*edges, *runs(days)])
    assert pieces[0].start_ms == period.start_ms
    assert pieces[-1].end_ms == period.end_ms
    assert all(a.end_ms == b.start_ms for a, b in pairwise(pieces))
    assert all(edge.end_ms - edge.start_ms < MS_PER_DAY for edge in edges)
    assert len(edges) <= 2


def test_runs_join_neighbours():
    assert runs([3, 4, 7]) == [
        Period(3 * MS_PER_DAY, 5 * MS_PER_DAY),
        Period(7 * MS_PER_DAY, 8 * MS_PER_DAY),
    ]
    assert runs([]) == []


# ------------------------------------------------------------------ buckets


@given(st.integers(-400_000, 2_800_000).map(lambda day: day * MS_PER_DAY))
def test_months_and_weeks_are_the_calendars(local_ms):
    day = EPOCH + timedelta(milliseconds=max(local_ms, -700_000 * MS_PER_DAY))
    month = bucket_of(Granularity.MONTH, local_ms, 0)
    assert month == day.year * 12 + day.month - 1
    week = bucket_of(Granularity.WEEK, local_ms, 0)
    monday = EPOCH + timedelta(days=week * 7 - 3)
    assert monday.weekday() == 0
    assert timedelta(0) <= day - monday < timedelta(days=7)


def labels(granularity, name, start, end):
    timeline = Timeline(
        Granularity(granularity), Zone(name), Period(parse_instant(start), parse_instant(end))
    )
    found = [bucket.label for bucket in timeline.slice(0, len(timeline))]
    assert len(found) == len(timeline)
    # A slice is the same as a part of the whole.
    assert [b.label for b in timeline.slice(2, 3)] == found[2:5]
    return found


def test_hours_across_the_ends_of_summer_time():
    assert labels("hour", "Europe/Berlin", "2024-10-26T23:00:00Z", "2024-10-27T02:00:00.001Z") == [
        "2024-10-27T01:00:00+02:00",
        "2024-10-27T02:00:00+02:00",
        "2024-10-27T02:00:00+01:00",
        "2024-10-27T03:00:00+01:00",
    ]
    assert labels("hour", "Europe/Berlin", "2024-03-31T00:59:59Z", "2024-03-31T01:00:01Z") == [
        "2024-03-31T01:00:00+01:00",
        "2024-03-31T03:00:00+02:00",
    ]
    # Half an hour: the clock shows 01:30 to 02:00 twice.
    assert labels(
        "hour", "Australia/Lord_Howe", "2024-04-06T14:00:00Z", "2024-04-06T16:00:00Z"
    ) == [
        "2024-04-07T01:00:00+11:00",
        "2024-04-07T01:00:00+10:30",
        "2024-04-07T02:00:00+10:30",
    ]


def test_hours_where_the_clock_goes_back_to_the_day_before():
    assert labels("hour", "America/St_Johns", "2010-11-07T01:30:00Z", "2010-11-07T03:30:01Z") == [
        "2010-11-06T23:00:00-02:30",
        "2010-11-07T00:00:00-02:30",
        "2010-11-06T23:00:00-03:30",
        "2010-11-07T00:00:00-03:30",
    ]
    # A range that begins in the first minute of the new day shows the old one once more.
    assert labels("day", "America/St_Johns", "2010-11-07T02:30:00Z", "2010-11-07T05:00:00Z") == [
        "2010-11-06",
        "2010-11-07",
    ]


def test_utc_hours_end_with_z():
    assert labels("hour", "UTC", "2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.001Z") == [
        "2024-02-29T23:00:00Z",
        "2024-03-01T00:00:00Z",
    ]


def test_a_timeline_of_all_time_makes_only_what_is_asked_for():
    timeline = Timeline(Granularity.HOUR, Zone("UTC"), EVER)
    assert len(timeline) == EVER.end_ms // 3_600_000
    assert [b.label for b in timeline.slice(len(timeline) - 1, 5)] == ["9998-12-31T23:00:00Z"]
