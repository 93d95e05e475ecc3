"""The results of a query: a tally, tallies by day, or a series over time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rollcall.domain.measures import DURATION, Measures, values_of
from rollcall.domain.rules import open_name

# The key of the only tally if rows are not counted by day.
WHOLE: Final = 0


@dataclass(slots=True)
class Tally:
    """Measures of some rows, with the names and units of rollups.

    `shortest` and `longest` are the extremes of durations, in whole seconds.
    """

    measures: Counter[str] = field(default_factory=Counter)
    shortest: int | None = None
    longest: int | None = None

    def __getitem__(self, name: str) -> int:
        """One measure; 0 if nothing was counted."""
        return self.measures[name]

    def values(self, breakdown: str) -> dict[str | None, int]:
        """The count of each value of an open breakdown; None is "no value", no count is zero."""
        return values_of(breakdown, self.measures)

    def add_measures(self, measures: Measures) -> None:
        """Add measures of other rows."""
        for name, amount in measures.items():
            self.measures[name] += amount

    def add_breakdown(self, breakdown: str, measures: Measures) -> None:
        """Add one open breakdown of a rollup; of durations, only the extremes are kept."""
        counts = values_of(breakdown, measures)
        if breakdown == DURATION:
            durations = [int(value) for value in counts if value is not None]
            if durations:
                self.add_extremes(min(durations), max(durations))
            return
        for value, count in counts.items():
            self.measures[open_name(breakdown, value)] += count

    def add_extremes(self, shortest: int | None, longest: int | None) -> None:
        """Combine the extremes with those of other rows."""
        if shortest is not None:
            self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
        if longest is not None:
            self.longest = longest if self.longest is None else max(self.longest, longest)

    def add(self, other: Tally) -> None:
        """Add the tally of other rows."""
        self.measures.update(other.measures)
        self.add_extremes(other.shortest, other.longest)


@dataclass(frozen=True, slots=True)
class DayTallies:
    """Tallies by UTC day number, and distinct leads by day and in total.

    Days without rows may be left out.
    """

    days: Mapping[int, Tally]
    leads_of_day: Mapping[int, int]
    leads: int


def total(tallies: Mapping[int, Tally]) -> Tally:
    """The sum of some tallies."""
    together = Tally()
    for tally in tallies.values():
        together.add(tally)
    return together


@dataclass(frozen=True, slots=True)
class Series:
    """Counts, and sums of seconds, by bucket key in ascending order; empty buckets are left out.

    `first_ms` and `last_ms` are instants in the earliest and the latest bucket that has a count;
    None if there is none. (Keys of hours are not in the order of time in every zone.)
    """

    keys: Sequence[int]
    counts: Sequence[int]
    seconds: Sequence[int]
    first_ms: int | None
    last_ms: int | None

    def at(self, key: int) -> tuple[int, int]:
        """(count, seconds) of one bucket; zeros if it is empty."""
        index = bisect_left(self.keys, key)
        if index < len(self.keys) and self.keys[index] == key:
            return self.counts[index], self.seconds[index]
        return 0, 0


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """(value, count) pairs, the most frequent first, ties by code point."""
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
