"""Zones against the tables of the tz database and the standard library."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo._zoneinfo import ZoneInfo as ReadableZoneInfo  # the pure one shows its tables

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.calendar import MS_PER_DAY, parse_date, parse_instant
from rollcall.domain.time.periods import EVER
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


def test_a_day_that_was_left_out_is_empty():
    zone = Zone("Pacific/Apia")
    start, end = zone.day(parse_date("2011-12-30"))
    assert start == end == zone.day(parse_date("2011-12-31"))[0]


def test_a_zone_is_utc_only_if_it_always_was():
    assert [
        name for name in ("UTC", "Etc/GMT", "Europe/London", "Etc/GMT-1") if Zone(name).is_utc
    ] == [
        "UTC",
        "Etc/GMT",
    ]
