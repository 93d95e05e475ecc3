"""Instants and days: RFC 3339 text to milliseconds since 1970 UTC, and back."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Final

MS_PER_DAY: Final = 86_400_000
_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()
LAST_MS: Final = (dt.date(9999, 1, 1).toordinal() - _EPOCH_ORDINAL) * MS_PER_DAY - 1
_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse_instant(text: str) -> int:
    """Milliseconds since 1970 UTC of an RFC 3339 instant; further digits are cut off.

    Upper-case `T` and `Z`, an offset or `Z`, seconds 00–59, years 1970–9998 of the UTC instant.
    Raises ValueError with a message that names the rule that was broken.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be an RFC 3339 instant with Z or an offset")
    year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
    fraction, zulu, sign, offset_hour, offset_minute = match.groups()[6:]
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("must have hours 00–23, minutes 00–59 and seconds 00–59")
    try:
        day_ordinal = dt.date(year, month, day).toordinal()
    except ValueError:
        raise ValueError("must be a date that exists") from None
    offset_minutes = 0
    if not zulu:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            raise ValueError("must have an offset between -23:59 and +23:59")
        offset_minutes = int(offset_hour) * 60 + int(offset_minute)
        if sign == "-":
            offset_minutes = -offset_minutes
    minutes = (day_ordinal - _EPOCH_ORDINAL) * 1440 + hour * 60 + minute - offset_minutes
    millis = int((fraction or "")[:3].ljust(3, "0"))
    instant_ms = (minutes * 60 + second) * 1000 + millis
    if not 0 <= instant_ms <= LAST_MS:
        raise ValueError("must lie in the years 1970 to 9998 (UTC)")
    return instant_ms


def format_instant(instant_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`."""
    days, ms = divmod(instant_ms, MS_PER_DAY)
    seconds, ms = divmod(ms, 1000)
    return (
        f"{_day_text(days)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        f".{ms:03d}Z"
    )


@lru_cache(maxsize=4096)
def _day_text(day_number: int) -> str:
    return dt.date.fromordinal(day_number + _EPOCH_ORDINAL).isoformat()


def utc_day(instant_ms: int) -> str:
    """The UTC day of an instant, as `YYYY-MM-DD`."""
    return _day_text(instant_ms // MS_PER_DAY)


def utc_hour(instant_ms: int) -> int:
    """The UTC hour of day of an instant, 0–23."""
    return instant_ms // 3_600_000 % 24
