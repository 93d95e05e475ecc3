"""Read times as people and programs write them: ISO 8601, epochs, RFC 2822, 21/11/2026 2:05 PM."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rollcall.domain.time.calendar import check_instant
from rollcall.domain.time.zones import Zone

STYLES = ("day-first", "month-first", "epoch-seconds", "epoch-milliseconds")

# Seconds until the year 5138, milliseconds from 1973 on.
_LEAST_MILLISECONDS = 10**11
# Fewer digits are more likely a date or a mistake than a time before 1973.
_LEAST_SECONDS = 10**8
# Milliseconds until the year 2286: 14 digits are more likely a date, such as 20261121140500.
_MOST_DIGITS = 13
_EPOCH = re.compile(r"[0-9]{1,17}(\.[0-9]+)?")

_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_OFFSET = r"(?: ?(?P<offset>[Zz]|UTC|GMT|UT|[+-][0-9]{2}:?[0-9]{2}))?(?: ?\([A-Za-z ]+\))?"
_MONTH = r"(?P<name>[A-Za-z]{3})[a-z]*\.?"
_WEEKDAY = r"(?:[A-Za-z]{3,9},? )?"
_DATES = (
    r"(?P<year>[0-9]{4})(?P<separator>[-/.])(?P<month>[0-9]{1,2})(?P=separator)(?P<day>[0-9]{1,2})",
    r"(?P<first>[0-9]{1,2})(?P<separator>[-/.])(?P<second_>[0-9]{1,2})(?P=separator)(?P<year>[0-9]{4})",
    _WEEKDAY + r"(?P<day>[0-9]{1,2})[ -]" + _MONTH + r"[ -](?P<year>[0-9]{4})",
    _WEEKDAY + _MONTH + r" (?P<day>[0-9]{1,2}),? (?P<year>[0-9]{4})",
)
_PATTERNS = tuple(
    re.compile(rf"{date}(?:(?:[Tt]|,? +(?:at )?){_CLOCK}{_OFFSET})?") for date in _DATES
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


class Time(NamedTuple):
    """An instant in milliseconds since 1970 UTC, and whether its local time occurs twice or never."""

    instant_ms: int
    is_unclear: bool = False


def zone_named(name: str | None) -> ZoneInfo | None:
    """The zone with an IANA name; None if none is named. Raises ValueError with the name."""
    if name is None:
        return None
    try:
        Zone(name)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error
    return ZoneInfo(name)


def read_time(text: str, zone: ZoneInfo | None, style: str | None = None) -> Time:
    """The instant of a text. Raises ValueError with the rule that it breaks.

    A number is an epoch: seconds or milliseconds by its magnitude, unless `style` says. `zone` is that of
    times without an offset; a local time that occurs twice means the earlier instant, and one that
    never occurs is read with the offset before the gap. Digits after the milliseconds are cut off.
    """
    text = text.strip()
    if _EPOCH.fullmatch(text):
        return Time(check_instant(_epoch_ms(Decimal(text), style)))
    if style in ("epoch-seconds", "epoch-milliseconds"):
        raise ValueError("must be a number of seconds or milliseconds since 1970")
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _PATTERNS)), None)
    if match is None:
        raise ValueError("must be a date and time")
    parts = match.groupdict()
    try:
        local = dt.datetime(*_date(parts, style), *_clock(parts), tzinfo=dt.UTC)
    except ValueError as error:
        raise ValueError(str(error) if "date" in str(error) else "must be a valid date") from None
    offset = parts["offset"]
    if offset is None:
        return _in_zone(local, zone)
    return Time(check_instant(_ms(local) - _offset_ms(offset)))


def _epoch_ms(number: Decimal, style: str | None) -> int:
    if style not in ("epoch-seconds", "epoch-milliseconds") and number >= 10**_MOST_DIGITS:
        raise ValueError(
            f"must be a date and time; it has more than {_MOST_DIGITS} digits:"
            ' set time = "epoch-milliseconds" if they are milliseconds since 1970'
        )
    if style == "epoch-milliseconds" or (style is None and number >= _LEAST_MILLISECONDS):
        return int(number)
    if style != "epoch-seconds" and number < _LEAST_SECONDS:
        raise ValueError("must be a date and time; it is too small for seconds since 1970")
    return int(number * 1_000)


def _date(parts: dict[str, str | None], style: str | None) -> tuple[int, int, int]:
    year = int(parts["year"] or 0)
    if name := parts.get("name"):
        if name.lower() not in _MONTHS:
            raise ValueError("must be a date and time")
        return year, _MONTHS.index(name.lower()) + 1, int(parts["day"] or 0)
    if first := parts.get("first"):
        if style is None and parts["separator"] != ".":
            raise ValueError(
                'must be a date that is clear; set time = "day-first" or "month-first"'
            )
        pair = int(first), int(parts["second_"] or 0)
        month, day = pair if style == "month-first" else pair[::-1]
        return year, month, day
    return year, int(parts["month"] or 0), int(parts["day"] or 0)


def _clock(parts: dict[str, str | None]) -> tuple[int, int, int, int]:
    hour = int(parts["hour"] or 0)
    if half := parts["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("must be a date with hours 1 to 12 before AM or PM")
        hour = hour % 12 + (12 if half in "pP" else 0)
    millis = int((parts["fraction"] or "")[:3].ljust(3, "0"))
    return hour, int(parts["minute"] or 0), int(parts["second"] or 0), millis * 1_000


def _in_zone(local: dt.datetime, zone: ZoneInfo | None) -> Time:
    if zone is None:
        raise ValueError("has no time zone; name that of the file with --timezone")
    earlier = local.replace(tzinfo=zone).utcoffset() or dt.timedelta()
    later = local.replace(tzinfo=zone, fold=1).utcoffset()
    instant_ms = check_instant(_ms(local) - earlier // dt.timedelta(milliseconds=1))
    return Time(instant_ms, is_unclear=earlier != later)


def _offset_ms(offset: str) -> int:
    if offset[0] not in "+-":
        return 0
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if offset[0] == "-" else minutes) * 60_000


def _ms(local: dt.datetime) -> int:
    return (local - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
