"""The bounds of a query in local time, and the plan that splits a period into whole UTC days."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.calendar import MS_PER_DAY, format_instant
from rollcall.domain.time.periods import EVER, Bounds, Period, parse_end, parse_start, plan, runs
from rollcall.domain.time.zones import Zone


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


@given(st.integers(0, EVER.end_ms - 1), st.sampled_from([None, "UTC", "Asia/Kolkata"]))
def test_a_bound_with_an_offset_is_the_same_in_every_zone(instant_ms, name):
    zone = None if name is None else Zone(name)
    text = format_instant(instant_ms)
    assert parse_start(text, zone) == instant_ms
    assert parse_end(text, zone) == instant_ms + 1


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


def test_an_open_end_has_no_limit():
    assert Bounds(None, None).period == EVER
    assert Bounds(5, None).period == Period(5, EVER.end_ms)
    assert Bounds(None, 9).period == Period(EVER.start_ms, 9)
