"""Time zones: the IANA names that queries may use, and each zone's offsets from UTC.

The standard library reads the rules of the tz database. The package `tzdata` provides the list of
names, and the rules where the system has none.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from importlib import resources
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from rollcall.domain.time.calendar import LAST_MS, MS_PER_DAY

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# No zone has changed its offset twice within 6 days since 1970 (the shortest stretch is a day or
# two short of a week: America/Recife in 2000), so a probe every 3 days misses no change.
_PROBE_MS: Final = 3 * MS_PER_DAY
_WINDOW_MS: Final = 63 * _PROBE_MS
# The calendar repeats every 400 years, which are this many windows. From the year 2100 on, zones do
# too: changes that were announced one by one end before it, and only recurring rules are left.
_WINDOWS_A_CYCLE: Final = 773
_FIRST_CYCLIC_WINDOW: Final = 47_482 * MS_PER_DAY // _WINDOW_MS + 1
# No offset is as large as this.
_MAX_OFFSET_MS: Final = 26 * 3_600_000
# The latest instant that is shifted by an offset: Python's calendar ends soon after.
_LATEST_MS: Final = LAST_MS + 360 * MS_PER_DAY


class OffsetInterval(NamedTuple):
    """Instants `[start_ms, end_ms)` in which a zone has one offset from UTC."""

    start_ms: int
    end_ms: int
    offset_ms: int


class Zone:
    """One IANA time zone."""

    def __init__(self, name: str) -> None:
        """Raises ValueError if `name` is not the name of an IANA time zone."""
        if name not in _names():
            raise ValueError("must be the name of an IANA time zone")
        self.name = name
        self._rules = ZoneInfo(name)
        fixed = self._rules.utcoffset(None)
        self._fixed_ms = None if fixed is None else _milliseconds(fixed)

    @property
    def is_utc(self) -> bool:
        """Whether the zone is always at UTC."""
        return self._fixed_ms == 0

    def intervals(self, start_ms: int, end_ms: int) -> list[OffsetInterval]:
        """The intervals of constant offset that tile `[start_ms, end_ms)`, in order."""
        if self._fixed_ms is not None:
            return [OffsetInterval(start_ms, end_ms, self._fixed_ms)]
        changes = [
            change
            for window in range(start_ms // _WINDOW_MS, (end_ms - 1) // _WINDOW_MS + 1)
            for change in _changes(self.name, window)
            if start_ms < change < end_ms
        ]
        starts = [start_ms, *changes]
        ends = [*changes, end_ms]
        return [
            OffsetInterval(start, end, self._offset_ms(start))
            for start, end in zip(starts, ends, strict=True)
        ]

    def instant_of(self, local_ms: int, *, is_later: bool) -> int:
        """The instant of a local time, in milliseconds since 1970 UTC.

        A local time that occurs twice means the earlier instant, or the later one with `is_later`.
        One that never occurs is read with the offset before the gap.
        """
        around = self.intervals(local_ms - _MAX_OFFSET_MS, local_ms + _MAX_OFFSET_MS)
        shown = [s for s in around if s.start_ms <= local_ms - s.offset_ms < s.end_ms]
        if shown:
            return local_ms - shown[-1 if is_later else 0].offset_ms
        before = next(s for s in reversed(around) if s.end_ms <= local_ms - s.offset_ms)
        return local_ms - before.offset_ms

    def day(self, day_number: int) -> tuple[int, int]:
        """The instants `[start, end)` of a local day, in milliseconds since 1970 UTC.

        A day that the zone skipped is empty: both are the instant at which it would have begun.
        """
        first, end = day_number * MS_PER_DAY, (day_number + 1) * MS_PER_DAY
        around = self.intervals(first - _MAX_OFFSET_MS, end + _MAX_OFFSET_MS)
        parts = [
            (max(s.start_ms, first - s.offset_ms), min(s.end_ms, end - s.offset_ms)) for s in around
        ]
        shown = [(start, stop) for start, stop in parts if start < stop]
        if not shown:
            missing = self.instant_of(first, is_later=False)
            return missing, missing
        return min(start for start, _ in shown), max(stop for _, stop in shown)

    def _offset_ms(self, instant_ms: int) -> int:
        return _offset_ms(self._rules, instant_ms)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


@lru_cache(maxsize=16_384)
def _changes(name: str, window: int) -> tuple[int, ...]:
    """The instants within a window at which a zone's offset changes."""
    cycles = (window - _FIRST_CYCLIC_WINDOW) // _WINDOWS_A_CYCLE
    if cycles > 0:
        later_ms = cycles * _WINDOWS_A_CYCLE * _WINDOW_MS
        return tuple(
            change + later_ms for change in _changes(name, window - cycles * _WINDOWS_A_CYCLE)
        )
    rules = ZoneInfo(name)
    changes = []
    start = window * _WINDOW_MS
    before = _offset_ms(rules, start)
    for end in range(start + _PROBE_MS, start + _WINDOW_MS + 1, _PROBE_MS):
        after = _offset_ms(rules, end)
        if after != before:
            changes.append(_change_between(rules, end - _PROBE_MS, end))
        before = after
    return tuple(changes)


def _change_between(rules: ZoneInfo, start_ms: int, end_ms: int) -> int:
    """The first instant with the offset of `end_ms`; offsets change at full seconds."""
    old, low, high = _offset_ms(rules, start_ms), start_ms // 1000, end_ms // 1000
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ms(rules, middle * 1000) == old:
            low = middle
        else:
            high = middle
    return high * 1000


def _offset_ms(rules: ZoneInfo, instant_ms: int) -> int:
    moment = _EPOCH + dt.timedelta(milliseconds=min(instant_ms, _LATEST_MS))
    offset = moment.astimezone(rules).utcoffset()
    if offset is None:  # pragma: no cover - a ZoneInfo has an offset at every instant
        raise TypeError(f"{rules} has no offset")
    return _milliseconds(offset)


def _milliseconds(offset: dt.timedelta) -> int:
    return offset // dt.timedelta(milliseconds=1)


UTC: Final = Zone("UTC")
