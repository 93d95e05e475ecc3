"""Instants and days: from RFC 3339 to milliseconds since 1970 UTC, and back."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Final, NamedTuple

MS_PER_DAY: Final = 86_400_000
MS_PER_HOUR: Final = 3_600_000
_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()
LAST_MS: Final = (dt.date(9999, 1, 1).toordinal() - _EPOCH_ORDINAL) * MS_PER_DAY - 1
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


NO_OFFSET: Final = "must have Z or an offset"


class Timestamp(NamedTuple):
    """A date and time as written: the local time, and its offset from UTC.

    `local_ms` counts from 1970-01-01T00:00 local time; `offset_ms` is None for a time without an
    offset.
    """

    local_ms: int
    offset_ms: int | None
    has_fraction: bool


def parse_instant(text: str) -> int:
    """Milliseconds since 1970 UTC of an RFC 3339 instant; further digits are cut off.

    `T` and `Z` are upper-case, an offset or `Z` is required, seconds are 00–59, and the UTC year is
    1970–9998. Raises ValueError with the rule that was broken.
    """
    timestamp = parse_timestamp(text)
    if timestamp.offset_ms is None:
        raise ValueError(NO_OFFSET)
    return check_instant(timestamp.local_ms - timestamp.offset_ms)


def parse_timestamp(text: str) -> Timestamp:
    """A date and time, with or without an offset. Raises ValueError with the broken rule."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 date and time")
    year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
    fraction, *offset = match.groups()[6:]
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("must have hours 00–23, minutes 00–59 and seconds 00–59")
    minutes = _day_number(year, month, day) * 1440 + hour * 60 + minute
    offset_ms = _offset_ms(*offset)
    millis = int((fraction or "")[:3].ljust(3, "0"))
    return Timestamp((minutes * 60 + second) * 1000 + millis, offset_ms, fraction is not None)


def _offset_ms(zulu: str | None, sign: str | None, hour: str, minute: str) -> int | None:
    """The offset from UTC of a matched timestamp; None if it has none."""
    if not sign:
        return 0 if zulu else None
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError("must have an offset between -23:59 and +23:59")
    offset_ms = (int(hour) * 60 + int(minute)) * 60_000
    return -offset_ms if sign == "-" else offset_ms


def parse_date(text: str) -> int | None:
    """The number of days from 1970-01-01 to a date `YYYY-MM-DD`; None for any other string.

    Raises ValueError for a date that does not exist.
    """
    match = _DATE.fullmatch(text)
    return _day_number(*map(int, match.groups())) if match else None


def check_instant(instant_ms: int) -> int:
    """Return the instant. Raises ValueError if it is outside the years 1970–9998 (UTC)."""
    if not 0 <= instant_ms <= LAST_MS:
        raise ValueError("must be in the years 1970 to 9998 (UTC)")
    return instant_ms


def _day_number(year: int, month: int, day: int) -> int:
    try:
        return dt.date(year, month, day).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise ValueError("must be a valid date") from None


def format_instant(instant_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`."""
    days, ms = divmod(instant_ms, MS_PER_DAY)
    seconds, ms = divmod(ms, 1000)
    return (
        f"{day_text(days)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        f".{ms:03d}Z"
    )


@lru_cache(maxsize=4096)
def day_text(day_number: int) -> str:
    """The date `day_number` days after 1970-01-01, as `YYYY-MM-DD`."""
    return dt.date.fromordinal(day_number + _EPOCH_ORDINAL).isoformat()


def utc_day(instant_ms: int) -> str:
    """The UTC day of an instant, as `YYYY-MM-DD`."""
    return day_text(instant_ms // MS_PER_DAY)


def utc_hour(instant_ms: int) -> int:
    """The UTC hour of day of an instant, 0–23."""
    return instant_ms // MS_PER_HOUR % 24
