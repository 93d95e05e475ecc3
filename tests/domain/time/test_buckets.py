"""Buckets of local time: the calendar's weeks and months, and the hours that changes of clocks make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.buckets import Granularity, Timeline, bucket_of
from rollcall.domain.time.calendar import MS_PER_DAY, parse_instant
from rollcall.domain.time.periods import EVER, Period
from rollcall.domain.time.zones import Zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def test_an_hour_that_the_clock_cuts_has_its_place_in_both_stretches():
    start, end = (parse_instant(f"2010-11-07T{time}:01Z") for time in ("01:30", "03:30"))
    timeline = Timeline(Granularity.HOUR, Zone("America/St_Johns"), Period(start, end))
    keys = [bucket.key for bucket in timeline.slice(0, len(timeline))]
    assert list(map(timeline.index, keys)) == list(range(4))


def test_utc_hours_end_with_z():
    assert labels("hour", "UTC", "2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.001Z") == [
        "2024-02-29T23:00:00Z",
        "2024-03-01T00:00:00Z",
    ]


def test_a_timeline_of_all_time_makes_only_what_is_asked_for():
    timeline = Timeline(Granularity.HOUR, Zone("UTC"), EVER)
    assert len(timeline) == EVER.end_ms // 3_600_000
    assert [b.label for b in timeline.slice(len(timeline) - 1, 5)] == ["9998-12-31T23:00:00Z"]


@given(
    st.sampled_from(list(Granularity)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]),
    st.integers(0, 2_000_000_000_000),
    st.integers(1, 40 * MS_PER_DAY),
    st.data(),
)
def test_every_instant_of_a_period_is_in_a_bucket_of_its_timeline(
    granularity, name, start_ms, length_ms, data
):
    zone = Zone(name)
    period = Period(start_ms, start_ms + length_ms)
    timeline = Timeline(granularity, zone, period)
    keys = [bucket.key for bucket in timeline.slice(0, len(timeline))]
    assert len(set(keys)) == len(keys) == len(timeline)
    assert list(map(timeline.index, keys)) == list(range(len(keys)))
    instant_ms = data.draw(st.integers(start_ms, period.end_ms - 1))
    (interval,) = zone.intervals(instant_ms, instant_ms + 1)
    assert bucket_of(granularity, instant_ms + interval.offset_ms, interval.offset_ms) in keys


@given(
    st.sampled_from([Granularity.DAY, Granularity.WEEK, Granularity.MONTH]),
    st.integers(0, 2_000_000_000_000),
    st.integers(1, 400 * MS_PER_DAY),
    st.data(),
)
def test_the_first_and_last_date_cut_a_timeline(granularity, start_ms, length_ms, data):
    zone, period = Zone("Europe/Berlin"), Period(start_ms, start_ms + length_ms)
    whole = Timeline(granularity, zone, period)
    keys = [bucket.key for bucket in whole.slice(0, len(whole))]
    first, last = sorted(data.draw(st.tuples(st.sampled_from(keys), st.sampled_from(keys))))
    cut = Timeline(granularity, zone, period, first, last)
    found = [bucket.key for bucket in cut.slice(0, len(cut))]
    assert found == [key for key in keys if first <= key <= last]
    # Dates outside of the period cut nothing.
    wide = Timeline(granularity, zone, period, keys[0] - 1, keys[-1] + 1)
    assert len(wide) == len(whole)


def test_weeks_are_named_by_their_monday_and_months_by_their_first_day():
    assert labels("week", "UTC", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00.001Z") == [
        "2024-02-26",
        "2024-03-04",
    ]
    assert labels("month", "UTC", "2023-12-31T23:59:59Z", "2024-02-01T00:00:00.001Z") == [
        "2023-12-01",
        "2024-01-01",
        "2024-02-01",
    ]
