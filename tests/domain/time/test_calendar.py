"""Instants and days against the standard library's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.calendar import (
    LAST_MS,
    MS_PER_DAY,
    check_instant,
    day_text,
    format_instant,
    parse_date,
    parse_instant,
    parse_timestamp,
    utc_day,
    utc_hour,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.integers(0, LAST_MS)
offsets = st.integers(-(24 * 60 - 1), 24 * 60 - 1).map(lambda minutes: timedelta(minutes=minutes))


@given(instants)
def test_a_written_instant_is_the_one_that_is_read(instant_ms: int) -> None:
    text = format_instant(instant_ms)
    assert parse_instant(text) == instant_ms
    moment = EPOCH + timedelta(milliseconds=instant_ms)
    assert datetime.fromisoformat(text) == moment
    assert (utc_day(instant_ms), utc_hour(instant_ms)) == (moment.date().isoformat(), moment.hour)


@given(st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1)), offsets)
def test_an_offset_is_subtracted_as_the_standard_library_does(
    local: datetime, offset: timedelta
) -> None:
    moment = local.replace(tzinfo=timezone(offset))
    text = moment.isoformat(timespec="microseconds")
    assert parse_instant(text) == (moment - EPOCH) // timedelta(milliseconds=1)
    timestamp = parse_timestamp(text)
    assert timestamp.offset_ms == offset // timedelta(milliseconds=1)
    assert timestamp.local_ms == (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    assert timestamp.has_fraction


@given(st.dates())
def test_days_are_numbered_from_1970(day: date) -> None:
    number = parse_date(day.isoformat())
    assert number == (day - date(1970, 1, 1)).days
    assert day_text(number) == day.isoformat()


@pytest.mark.parametrize("text", ["2024-3-01", "2024-03-01T00:00:00Z", "20240301", "", "tomorrow"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2024-02-30", "must be a valid date"),
        ("2024-13-01T00:00:00Z", "must be a valid date"),
        ("0000-01-01T00:00:00Z", "must be a valid date"),
        ("2024-03-01t00:00:00Z", "must be an RFC 3339 date and time"),
        ("2024-03-01T00:00:00", "must have Z or an offset"),
        ("2024-03-01T24:00:00Z", "must have hours 00–23"),
        ("2024-03-01T23:60:00Z", "must have hours 00–23"),
        ("2024-03-01T23:59:60Z", "must have hours 00–23"),
        ("2024-03-01T00:00:00+24:00", "must have an offset between"),
        ("2024-03-01T00:00:00-00:60", "must have an offset between"),
        ("1970-01-01T00:00:00+00:01", "must be in the years 1970 to 9998"),
        ("9998-12-31T23:59:59-00:01", "must be in the years 1970 to 9998"),
    ],
)
def test_a_refusal_names_the_rule(text: str, rule: str) -> None:
    parse = parse_instant if "T" in text.upper() else parse_date
    with pytest.raises(ValueError, match=rule):
        parse(text)


def test_the_years_from_1970_to_9998_are_in_reach() -> None:
    assert format_instant(LAST_MS) == "9998-12-31T23:59:59.999Z"
    assert (check_instant(0), check_instant(LAST_MS)) == (0, LAST_MS)
    for outside in (-1, LAST_MS + 1, LAST_MS + MS_PER_DAY):
        with pytest.raises(ValueError, match="must be in the years"):
            check_instant(outside)
