"""Read numbers and lengths of time as people and programs write them: $1,234.50, 05:25, 1h 2m."""

from __future__ import annotations

import re
from decimal import Decimal

SECONDS_OF = {
    "milliseconds": Decimal("0.001"),
    "seconds": Decimal(1),
    "minutes": Decimal(60),
    "hours": Decimal(3_600),
}

_CURRENCY = r"(?:[$€£¥₹]|[A-Z]{3})"
_NUMBERS = {
    mark: re.compile(
        rf"(?P<sign>[+-]?) ?{_CURRENCY}? ?(?P<inner>-?)"
        rf"(?P<whole>[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]*)(?:{re.escape(mark)}(?P<fraction>[0-9]+))?"
        rf"(?P<power>[eE][+-]?[0-9]{{1,3}})? ?{_CURRENCY}?"
    )
    for mark, group in ((".", "[, ']"), (",", "[. ']"))
}
_COLONS = re.compile(r"(?:([0-9]{1,5}):)?([0-9]{1,5}):([0-9]{2})(\.[0-9]+)?")
_WORDS = re.compile(
    r"(?:(?P<hours>[0-9]+) ?(?:h|hrs?|hours?),? ?)?(?:(?P<minutes>[0-9]+) ?(?:m|mins?|minutes?),? ?)?"
    r"(?:(?P<seconds>[0-9]+(?:\.[0-9]+)?) ?(?:s|secs?|seconds?))?",
    re.IGNORECASE,
)


def read_number(text: str, decimal: str = ".") -> Decimal:
    """The number of a text, without its currency and its thousands separators.

    `decimal` is the mark before the fraction, a point or a comma. Raises ValueError.
    """
    match = _NUMBERS[decimal].fullmatch(text.strip())
    if match is None or not (match["whole"] or match["fraction"]):
        raise ValueError("must be a number")
    whole = re.sub(r"[^0-9]", "", match["whole"]) or "0"
    number = Decimal(f"{whole}.{match['fraction'] or 0}{match['power'] or ''}")
    if match["fraction"] is None and match["power"] is None:
        number = Decimal(whole)
    return -number if "-" in (match["sign"], match["inner"]) else number


def read_duration(text: str, unit: str = "seconds", decimal: str = ".") -> Decimal:
    """Seconds of a length of time: 05:25 (minutes and seconds), 1:02:03, 1h 2m, or a number of `unit`.

    Raises ValueError.
    """
    text = text.strip()
    if match := _COLONS.fullmatch(text):
        hours, minutes, seconds, fraction = match.groups(default="0")
        total = int(hours) * 3_600 + int(minutes) * 60 + int(seconds)
        return Decimal(total) if match[4] is None else total + Decimal("0" + fraction)
    if text and (match := _WORDS.fullmatch(text)):
        parts = match.groupdict(default="0")
        return Decimal(parts["seconds"]) + int(parts["hours"]) * 3_600 + int(parts["minutes"]) * 60
    try:
        return read_number(text, decimal) * SECONDS_OF[unit]
    except ValueError:
        raise ValueError("must be a length of time") from None
