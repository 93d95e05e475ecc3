"""A series: how many there were in each bucket of time, and for how long."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """Counts, and sums of seconds, by bucket key in ascending order; empty buckets are left out.

    `first_ms` and `last_ms` are instants in the first and the last bucket in time that has a
    count; None where there is none. (Keys of hours are not in the order of time everywhere.)
    """

    keys: Sequence[int]
    counts: Sequence[int]
    seconds: Sequence[int]
    first_ms: int | None
    last_ms: int | None

    def at(self, key: int) -> tuple[int, int]:
        """(count, seconds) of one bucket."""
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            return self.counts[index], self.seconds[index]
        return 0, 0
