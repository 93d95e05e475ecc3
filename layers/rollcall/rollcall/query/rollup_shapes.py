"""The shapes in which rollups hold the components of an aggregation.

A rollup counts all of its rows, counts calls by the hour, or breaks the number of rows down by one
field. A shape knows what to read of a rollup, what a rollup may lack, and what it adds to groups.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from rollcall.domain.measures import Rollup
from rollcall.domain.time.calendar import MS_PER_HOUR
from rollcall.query import kept
from rollcall.query.components import ALL_ROWS, Component, Count, Sum, Values
from rollcall.query.conditions import Value
from rollcall.query.kept import BREAKDOWNS, Breakdown

_HOURS: Final = BREAKDOWNS["call"]["hour_of_day"]


class Counted(NamedTuple):
    """Components of some rows of a rollup.

    `instant_ms` is the start of what they cover, `value` that of the field which breaks the counts
    down, and `values` the rows of each integer or text.
    """

    instant_ms: int
    value: Value | int | None
    amounts: dict[Count | Sum, int]
    values: dict[Values, dict[int | str, int]]


@dataclass(frozen=True, slots=True)
class Shape(ABC):
    """How rollups hold the components. `rows` is the measure of the number of rows."""

    rows: str

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The closed measures and the open breakdowns to read."""

    @property
    def reads_open(self) -> bool:
        """Whether open breakdowns are read."""
        return False

    def lacks(self, rollup: Rollup) -> bool:  # noqa: ARG002
        """Whether a rollup does not have everything that is counted."""
        return False

    @abstractmethod
    def counted(self, start_ms: int, rollup: Rollup) -> Iterator[Counted]:
        """What is counted in a rollup that begins at `start_ms`."""


@dataclass(frozen=True, slots=True)
class ByHour(Shape):
    """The number of calls of each hour of a UTC day."""

    @property
    def names(self) -> tuple[str, ...]:
        """The number of rows, and of each hour."""
        return (self.rows, *_HOURS.names.values())

    def counted(self, start_ms: int, rollup: Rollup) -> Iterator[Counted]:
        """One count per hour that has calls."""
        rows = rollup.measures.get(self.rows, 0)
        for hour, count in _HOURS.counts(rollup.measures, rows):
            yield Counted(start_ms + int(hour or 0) * MS_PER_HOUR, None, {ALL_ROWS: count}, {})


@dataclass(frozen=True, slots=True)
class ByValue(Shape):
    """The number of rows by one field, and of those that have one value of it.

    `allowed` are the values that the selection allows; None allows all.
    """

    breakdown: Breakdown
    allowed: frozenset[Value] | None
    components: tuple[Component, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The number of rows, and the counts of the breakdown."""
        beyond = self.breakdown.beyond
        return (self.rows, *self.breakdown.stored, *([beyond] if beyond else []))

    @property
    def reads_open(self) -> bool:
        """Whether the breakdown is open."""
        return self.breakdown.letter is not None

    def lacks(self, rollup: Rollup) -> bool:
        """Whether the breakdown is spilled, or has rows whose value is not kept."""
        beyond = self.breakdown.beyond
        has_others = beyond is not None and rollup.measures.get(beyond, 0) > 0
        return has_others or self.breakdown.letter in rollup.spilled

    def counted(self, start_ms: int, rollup: Rollup) -> Iterator[Counted]:
        """One count per allowed value."""
        rows = rollup.measures.get(self.rows, 0)
        for value, count in self.breakdown.counts(rollup.measures, rows):
            if self.allowed is None or value in self.allowed:
                yield Counted(start_ms, value, self._amounts(value, count), {})

    def _amounts(self, value: Value | int | None, count: int) -> dict[Count | Sum, int]:
        amounts: dict[Count | Sum, int] = {ALL_ROWS: count}
        for component in self.components:
            restriction = kept.restriction_of(component)
            if isinstance(component, Count) and restriction is not None:
                amounts[component] = count if restriction[1] == value else 0
        return amounts


@dataclass(frozen=True, slots=True)
class AllRows(Shape):
    """Components of all rows: sums of closed measures, and breakdowns that have every value."""

    sums: dict[Count | Sum, tuple[str, ...]]
    histograms: dict[Values, Breakdown]

    @property
    def names(self) -> tuple[str, ...]:
        """The number of rows, and the measures of all components."""
        of_values = (each.stored for each in self.histograms.values())
        names = chain.from_iterable((*self.sums.values(), *of_values))
        return tuple(dict.fromkeys((self.rows, *names)))

    @property
    def reads_open(self) -> bool:
        """Whether an open breakdown is read."""
        return any(each.letter is not None for each in self.histograms.values())

    def lacks(self, rollup: Rollup) -> bool:
        """Whether a breakdown that is needed is spilled."""
        return any(each.letter in rollup.spilled for each in self.histograms.values())

    def counted(self, start_ms: int, rollup: Rollup) -> Iterator[Counted]:
        """The components, if there are rows."""
        measures = rollup.measures
        rows = measures.get(self.rows, 0)
        if not rows:
            return
        amounts: dict[Count | Sum, int] = {ALL_ROWS: rows}
        for component, names in self.sums.items():
            amounts[component] = sum(measures.get(name, 0) for name in names)
        values: dict[Values, dict[int | str, int]] = {}
        for each, breakdown in self.histograms.items():
            counts = breakdown.counts(measures, rows)
            values[each] = {value: count for value, count in counts if isinstance(value, int | str)}
        yield Counted(start_ms, None, amounts, values)
