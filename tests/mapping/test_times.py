"""Times as people and programs write them, against the standard library."""

from __future__ import annotations

import datetime as dt
import email.utils
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.calendar import format_instant
from rollcall.mapping.times import read_time

BERLIN = ZoneInfo("Europe/Berlin")
AT = "2026-11-21T13:05:09.000Z"


@pytest.mark.parametrize(
    ("text", "style", "instant"),
    [
        ("2026-11-21T14:05:09+01:00", None, AT),
        ("2026-11-21 14:05:09", None, AT),
        ("2026-11-21 14:05:09.1239", None, "2026-11-21T13:05:09.123Z"),
        ("2026-11-21T13:05:09Z", None, AT),
        ("2026-11-21 13:05:09 UTC", None, AT),
        ("2026-11-21 08:05:09 -0500", None, AT),
        ("2026/11/21 14:05", None, "2026-11-21T13:05:00.000Z"),
        ("2026-11-21", None, "2026-11-20T23:00:00.000Z"),
        ("21.11.2026 14:05:09", None, AT),
        ("21.11.2026, 14:05:09", None, AT),
        ("21/11/2026 14:05:09", "day-first", AT),
        ("11/21/2026 2:05:09 PM", "month-first", AT),
        ("11/21/2026, 2:05:09 p.m.", "month-first", AT),
        ("11-21-2026 12:00 AM", "month-first", "2026-11-20T23:00:00.000Z"),
        ("11/21/2026 12:00 pm", "month-first", "2026-11-21T11:00:00.000Z"),
        ("Sat, 21 Nov 2026 13:05:09 +0000", None, AT),
        ("Sat, 21 Nov 2026 13:05:09 GMT", None, AT),
        ("21 Nov 2026 14:05:09", None, AT),
        ("Nov 21, 2026 2:05:09 PM", None, AT),
        ("November 21, 2026 at 2:05:09 PM", None, AT),
        ("Sat Nov 21, 2026 14:05:09", None, AT),
        ("1795266309", None, AT),
        ("1795266309000", None, AT),
        ("1795266309.5", None, "2026-11-21T13:05:09.500Z"),
        ("1795266309", "epoch-seconds", AT),
        ("1795266309000", "epoch-milliseconds", AT),
        ("9999999999999", None, "2286-11-20T17:46:39.999Z"),
        ("10000000000000", "epoch-milliseconds", "2286-11-20T17:46:40.000Z"),
        ("50000000", "epoch-seconds", "1971-08-02T16:53:20.000Z"),
    ],
)
def test_a_time(text, style, instant):
    assert format_instant(read_time(text, BERLIN, style).instant_ms) == instant


@pytest.mark.parametrize(
    ("text", "style", "rule"),
    [
        ("", None, "date and time"),
        ("tomorrow", None, "date and time"),
        ("14:05", None, "date and time"),
        ("05/06/2026 14:05", None, "day-first"),
        ("21/11/2026 14:05", None, "day-first"),
        ("21/11/2026 14:05", "month-first", "valid date"),
        ("2026-02-30 14:05", None, "valid date"),
        ("2026-11-21 24:05", None, "valid date"),
        ("2026-11-21 14:05 PM", None, "hours 1 to 12"),
        ("21 Foo 2026 14:05", None, "date and time"),
        ("20261121", None, "too small"),
        ("0", None, "too small"),
        ("1969-12-31T00:00:00Z", None, "1970"),
        ("99999999999999999", "epoch-milliseconds", "1970 to 9998"),
        ("20261121140500", None, 'more than 13 digits: set time = "epoch-milliseconds"'),
        ("1795266309000000", None, "more than 13 digits"),
        ("2026-11-21", "epoch-seconds", "number of seconds"),
    ],
)
def test_what_is_no_time_names_the_rule(text, style, rule):
    with pytest.raises(ValueError, match=rule):
        read_time(text, BERLIN, style)


def test_a_time_without_a_zone_needs_one():
    with pytest.raises(ValueError, match="--timezone"):
        read_time("2026-11-21 14:05", None)
    assert read_time("2026-11-21T14:05Z", None).instant_ms


def test_a_repeated_hour_is_the_earlier_one_and_is_reported():
    repeated = read_time("2026-10-25 02:30:00", BERLIN)
    assert format_instant(repeated.instant_ms) == "2026-10-25T00:30:00.000Z"
    skipped = read_time("2026-03-29 02:30:00", BERLIN)
    assert format_instant(skipped.instant_ms) == "2026-03-29T01:30:00.000Z"
    assert (repeated.is_unclear, skipped.is_unclear) == (True, True)
    assert not read_time("2026-10-25 03:30:00", BERLIN).is_unclear


@pytest.mark.property
@given(
    st.datetimes(dt.datetime(1974, 1, 1), dt.datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_every_format_names_the_same_instant(local, minutes):
    moment = local.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)), microsecond=0)
    expected = int(moment.timestamp()) * 1_000
    texts = [
        moment.isoformat(),
        moment.isoformat(" "),
        email.utils.format_datetime(moment),
        moment.strftime("%d.%m.%Y %H:%M:%S %z"),
        moment.strftime("%B %d, %Y %I:%M:%S %p %z"),
        str(expected),
        str(expected // 1_000),
    ]
    for text in texts:
        assert read_time(text, None).instant_ms == expected, text
    assert (
        read_time(moment.strftime("%m/%d/%Y %H:%M:%S %z"), None, "month-first").instant_ms
        == expected
    )
    assert (
        read_time(moment.strftime("%d/%m/%Y %H:%M:%S %z"), None, "day-first").instant_ms == expected
    )
