"""What the dashboard writes for a figure of the API, in American English: an independent reading.

Nothing here is shared with the dashboard. Spaces are plain ones; compare with `plain(text)`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

Number = int | Decimal | None
NONE = "–"
ARROWS = {1: "↑", -1: "↓", 0: "→"}


def plain(text: str) -> str:
    """Without the several kinds of space that keep a number in one line."""
    return re.sub(r"\s+", " ", text).strip()


def rounded(value: int | Decimal, places: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def grouped(value: int | Decimal, places: int, least: int = 0) -> str:
    """1234.5 with two places at most and none at least is "1,234.5"."""
    text = f"{rounded(value, places):,f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(least, "0")
    return f"{whole}.{fraction}" if fraction else whole


# ------------------------------------------------------------------ figures
def figure(value: Number, unit: str) -> str:
    """A value as tables, tiles and names of bars have it."""
    if value is None:
        return NONE
    if unit == "seconds":
        return duration(Decimal(value))
    if unit == "percent":
        return f"{grouped(value, 2)}%"
    if unit == "money":
        return small(value) if 0 < value < Decimal("0.01") else grouped(value, 2, least=2)
    return grouped(value, 2)


def small(value: int | Decimal) -> str:
    """Two digits of what is smaller than a hundredth."""
    value = Decimal(value)
    return f"{rounded(value, 1 - value.adjusted()):f}".rstrip("0")


def duration(seconds: Decimal) -> str:
    if rounded(seconds, 2) < 60:
        return f"{grouped(seconds, 2)} s"
    whole = int(rounded(seconds, 0))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours == 0:
        return f"{minutes} m {rest:02} s"
    return f"{hours} h {minutes:02} m" + (f" {rest:02} s" if hours < 100 else "")


def share(part: Number, whole: Number) -> str:
    """A part of a whole in percent; whole percents from ten on."""
    if not whole:
        return NONE
    ratio = Decimal(part or 0) / Decimal(whole)
    if Decimal("0.995") <= ratio < 1:
        return f"{min(rounded(ratio * 100, 1), Decimal('99.9'))}%"
    return f"{_of_ratio(ratio)}%"


def _of_ratio(ratio: Decimal) -> str:
    if abs(ratio) >= Decimal("0.0995"):
        return grouped(ratio * 100, 0)
    if abs(ratio) >= Decimal("0.001") or ratio == 0:
        return grouped(ratio * 100, 1)
    return f"{rounded(ratio * 100, -ratio.adjusted() - 2):f}"


def change(now: Number, before: Number, unit: str) -> str:
    """ "↑ +12%", "↓ -1.5 pp", "→ ±0"; nothing without two values."""
    if now is None or before is None:
        return ""
    difference = Decimal(now) - Decimal(before)
    arrow = ARROWS[(difference > 0) - (difference < 0)]
    if difference == 0:
        return f"{arrow} ±0"
    sign = "+" if difference > 0 else "-"
    if unit == "percent":
        return f"{arrow} {sign}{grouped(abs(difference), 2)} pp"
    if before == 0:
        return f"{arrow} new"
    if Decimal(now) / Decimal(before) >= 10:
        return f"{arrow} ×{grouped(Decimal(now) / Decimal(before), 0)}"
    return f"{arrow} {sign}{_of_ratio(abs(difference) / Decimal(before))}%"


def tile_change(now: Number, before: Number, unit: str) -> str:
    """The line below the figure of a tile."""
    sign = change(now, before, unit)
    if not sign:
        return "nothing to compare with"
    words = {"↑": "up from", "↓": "down from"}.get(sign[0])
    return f"{sign} {words} {figure(before, unit)}" if words else f"{sign} as before"


# ------------------------------------------------------------------ times
def bucket_name(label: str, *, is_twice: bool = False) -> str:
    """ "Sunday, October 26"; an hour is "Sun, Oct 26, 2:00 – 3:00 AM", with its offset if it comes twice."""
    if len(label) == 10:
        day = date.fromisoformat(label)
        return f"{day:%A, %B} {day.day}"
    start = datetime.fromisoformat(label[:19])
    name = f"{start:%a, %b} {start.day}, {hour_name(start.hour)}"
    return f"{name} (UTC{label[19:]})" if is_twice else name


def hour_name(hour: int) -> str:
    start = datetime(2000, 1, 1, hour)
    end = start + timedelta(hours=1)
    if end.day != start.day:
        return f"{_clock(start)}–{_clock(end)}"
    first = _clock(start) if f"{start:%p}" != f"{end:%p}" else _clock(start)[:-3]
    return f"{first} – {_clock(end)}"


def minute(instant: str, zone: str) -> str:
    """ "Oct 26, 2025, 02:30 AM": an instant in the list of calls."""
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    return f"{local:%b} {local.day}, {local:%Y, %I:%M %p}"


def _clock(moment: datetime) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M %p}"


def names_of(rows: list[dict[str, Any]], bucket: str) -> list[str]:
    """The names of buckets, in the order of an answer's rows."""
    labels = [row[bucket] for row in rows]
    clocks = [label[:16] for label in labels]
    twice = [bucket == "hour" and clocks.count(clock) > 1 for clock in clocks]
    return [
        bucket_name(label, is_twice=is_twice) for label, is_twice in zip(labels, twice, strict=True)
    ]
