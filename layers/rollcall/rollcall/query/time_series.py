"""Time series: counts calls by bucket of local time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

import numpy as np

from rollcall.domain.time.buckets import Granularity, bucket_of
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int64s
from rollcall.ledger.page import TIME
from rollcall.query.filtering import CHUNK_ROWS, Selected
from rollcall.query.results import Series
from rollcall.query.values import offsets_ms

_DURATION: Final = "duration_seconds"


class SeriesBuilder:
    """Builds a `Series` from selected calls and from rollups.

    With `is_timed`, only calls with a duration are counted, and their seconds are added up; without
    it, all calls are counted, and seconds stay 0. Memory grows with the number of buckets that have
    a call, not with the number of calls.
    """

    def __init__(self, granularity: Granularity, zone: Zone, *, is_timed: bool) -> None:
        self._granularity = granularity
        self._zone = zone
        self._is_timed = is_timed
        self._times: list[Int64s] = []
        self._seconds: list[Int64s] = []
        self._gathered = 0
        self._first_ms: int | None = None
        self._last_ms: int | None = None
        # Rows of key, count and seconds: one array sorted by key, and those added since.
        self._sums = np.empty((3, 0), dtype=np.int64)
        self._since: list[Int64s] = []

    def add(self, selected: Selected) -> None:
        """Count some rows of a page."""
        times = selected.integers(TIME)
        if self._is_timed:
            seconds = selected.integers(_DURATION)
            kept = seconds != NULL
            if not kept.any():
                return
            times = times[kept]
            self._seconds.append(seconds[kept])
        self._times.append(times)
        self._gathered += len(times)
        if self._gathered >= CHUNK_ROWS:
            self._count()

    def add_known(self, known: Iterable[tuple[int, int, int]]) -> None:
        """Add counts from rollups, as (an instant in the bucket, count, seconds)."""
        rows = [(instant, count, seconds) for instant, count, seconds in known if count]
        if rows:
            self._add(*np.array(rows, dtype=np.int64).T)

    def series(self) -> Series:
        """The series of everything that was added."""
        self._count()
        self._consolidate()
        keys, counts, seconds = (array("q", row.tobytes()) for row in self._sums)
        return Series(keys, counts, seconds, self._first_ms, self._last_ms)

    def _count(self) -> None:
        if self._gathered:
            times = np.concatenate(self._times)
            ones = np.ones(len(times), dtype=np.int64)
            seconds = np.concatenate(self._seconds) if self._is_timed else np.zeros_like(ones)
            self._add(times, ones, seconds)
            self._times.clear()
            self._seconds.clear()
            self._gathered = 0

    def _add(self, times: Int64s, counts: Int64s, seconds: Int64s) -> None:
        first, last = int(times.min()), int(times.max())
        self._first_ms = first if self._first_ms is None else min(self._first_ms, first)
        self._last_ms = last if self._last_ms is None else max(self._last_ms, last)
        offsets = offsets_ms(self._zone, times)
        keys = bucket_of(self._granularity, times + offsets, offsets)
        self._since.append(_summed(np.stack((keys, counts, seconds))))
        if sum(part.shape[1] for part in self._since) > max(CHUNK_ROWS, self._sums.shape[1]):
            self._consolidate()

    def _consolidate(self) -> None:
        if self._since:
            self._sums = _summed(np.concatenate((self._sums, *self._since), axis=1))
            self._since.clear()


def _summed(rows: Int64s) -> Int64s:
    """Add up columns with equal keys. No sum comes near 2^63: a call has at most 10^9 seconds."""
    order = np.argsort(rows[0], kind="stable")
    ordered = rows[:, order]
    if not ordered.shape[1]:
        return ordered
    is_first = np.concatenate(([True], ordered[0, 1:] != ordered[0, :-1]))
    starts = np.flatnonzero(is_first)
    summed: Int64s = np.add.reduceat(ordered, starts, axis=1)
    summed[0] = ordered[0, starts]
    return summed
