"""Local time in the oracle: days, folds and gaps as the zones' own laws have them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.oracle import instant
from tests.support.oracle_zones import (
    END_MS,
    HOUR_MS,
    first_instant,
    instants_of,
    intervals,
    last_instant,
)

BERLIN = ZoneInfo("Europe/Berlin")
ST_JOHNS = ZoneInfo("America/St_Johns")


def at(text: str) -> int:
    return instant(text, "time")


def clock(text: str) -> int:
    """A local time as milliseconds, as though it were UTC."""
    return round((datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds() * 1000)


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        ("UTC", "2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59.999Z"),
        ("Asia/Kolkata", "2024-02-29", "2024-02-28T18:30:00Z", "2024-02-29T18:29:59.999Z"),
        ("Asia/Kathmandu", "2024-02-29", "2024-02-28T18:15:00Z", "2024-02-29T18:14:59.999Z"),
        # 23 and 25 hours.
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59.999Z"),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00:00Z", "2024-10-27T22:59:59.999Z"),
        # 24.5 and 23.5 hours.
        ("Australia/Lord_Howe", "2024-04-07", "2024-04-06T13:00:00Z", "2024-04-07T13:29:59.999Z"),
        ("Australia/Lord_Howe", "2024-10-06", "2024-10-05T13:30:00Z", "2024-10-06T12:59:59.999Z"),
        ("America/St_Johns", "2024-11-03", "2024-11-03T02:30:00Z", "2024-11-04T03:29:59.999Z"),
        # The clock went from 00:01 back to 23:01: the day before ends twice.
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", "2010-11-07T03:29:59.999Z"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z", "2010-11-08T03:29:59.999Z"),
        ("America/St_Johns", "2010-03-14", "2010-03-14T03:30:00Z", "2010-03-15T02:29:59.999Z"),
        # No midnight: the day begins at 01:00.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T01:59:59.999Z"),
        # Midnight twice: 01:00 went back to 00:00.
        ("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z", "2024-11-04T04:59:59.999Z"),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T09:59:59.999Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T09:59:59.999Z"),
    ],
)
def test_local_days(zone: str, day: str, first: str, last: str) -> None:
    of = date.fromisoformat(day), ZoneInfo(zone)
    assert (first_instant(*of), last_instant(*of)) == (at(first), at(last))


def test_a_date_that_was_left_out_is_empty() -> None:
    of = date(2011, 12, 30), ZoneInfo("Pacific/Apia")
    assert first_instant(*of) == at("2011-12-30T10:00:00Z")
    assert last_instant(*of) == at("2011-12-30T09:59:59.999Z")


@pytest.mark.parametrize(
    ("zone", "shown", "instants"),
    [
        ("UTC", "2024-02-29T12:00:00", ["2024-02-29T12:00:00Z"]),
        ("Asia/Kathmandu", "2024-02-29T05:45:00", ["2024-02-29T00:00:00Z"]),
        ("Europe/Berlin", "2024-10-27T01:59:59", ["2024-10-26T23:59:59Z"]),
        ("Europe/Berlin", "2024-10-27T02:30", ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"]),
        ("Europe/Berlin", "2024-10-27T03:00", ["2024-10-27T02:00:00Z"]),
        ("Europe/Berlin", "2024-03-31T02:30:00", ["2024-03-31T01:30:00Z"]),  # never: +01:00
        ("Europe/Berlin", "2024-03-31T02:00:00", ["2024-03-31T01:00:00Z"]),
        ("Europe/Berlin", "2024-03-31T03:00:00", ["2024-03-31T01:00:00Z"]),
        ("America/St_Johns", "2010-11-07T00:00", ["2010-11-07T02:30:00Z", "2010-11-07T03:30:00Z"]),
        ("America/St_Johns", "2010-11-07T00:01", ["2010-11-07T03:31:00Z"]),
        ("America/St_Johns", "2010-03-14T00:30:00", ["2010-03-14T04:00:00Z"]),  # never: -03:30
        (
            "Australia/Lord_Howe",
            "2024-04-07T01:30",
            ["2024-04-06T14:30:00Z", "2024-04-06T15:00:00Z"],
        ),
        ("Australia/Lord_Howe", "2024-10-06T02:15", ["2024-10-05T15:45:00Z"]),  # never: +10:30
        ("Pacific/Apia", "2011-12-30T12:00:00", ["2011-12-30T22:00:00Z"]),  # never: -10:00
    ],
)
def test_what_the_clocks_show(zone: str, shown: str, instants: list[str]) -> None:
    assert instants_of(clock(shown), ZoneInfo(zone)) == [at(each) for each in instants]


def test_stretches_are_cut_at_each_change() -> None:
    start, end = at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z")
    spring, autumn = at("2024-03-31T01:00:00Z"), at("2024-10-27T01:00:00Z")
    assert list(intervals(start, end, BERLIN)) == [
        (start, spring, HOUR_MS),
        (spring, autumn, 2 * HOUR_MS),
        (autumn, end, HOUR_MS),
    ]
    assert list(intervals(autumn - 1, autumn, BERLIN)) == [(autumn - 1, autumn, 2 * HOUR_MS)]
    assert list(intervals(autumn, autumn + 1, BERLIN)) == [(autumn, autumn + 1, HOUR_MS)]
    assert [s.offset for s in intervals(autumn - 1, autumn + 1, BERLIN)] == [2 * HOUR_MS, HOUR_MS]
    last = at("9998-12-31T23:59:59.999Z")
    assert last == END_MS - 1
    assert [s.offset for s in intervals(last, END_MS, ST_JOHNS)] == [-7 * HOUR_MS // 2]
