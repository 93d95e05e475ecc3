"""Kinds of rules by which measures are counted. `rollcall.domain.measures` declares the measures.

Contributions apply a rule to one record. `rollcall.query.kept` makes the component of rows that is the
same measure from it; the tests compare the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

from rollcall.domain.time.calendar import utc_hour

# Columns and the values that they must have.
Where: TypeAlias = tuple[tuple[str, str | bool], ...]


@dataclass(frozen=True, slots=True)
class Rule(ABC):
    """What a record adds to measures."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the closed measures; none for an open breakdown."""
        return ()

    @abstractmethod
    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Add the measures of one record; no other rule of the record adds to the same ones."""


@dataclass(frozen=True, slots=True)
class CountRecords(Rule):
    """Counts records that have all values of `where`, and a value in `column` if it is given."""

    name: str
    column: str | None = None
    where: Where = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The one measure."""
        return (self.name,)

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record."""
        if self.column is not None and getattr(record, self.column) is None:
            return
        if _has(record, self.where):
            measures[self.name] = 1


@dataclass(frozen=True, slots=True)
class Sum(Rule):
    """Sums an integer column; null adds nothing."""

    name: str
    column: str

    @property
    def names(self) -> tuple[str, ...]:
        """The one measure."""
        return (self.name,)

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Add the value."""
        value = getattr(record, self.column)
        if value is not None:
            measures[self.name] = value


@dataclass(frozen=True, slots=True)
class SumEach(Rule):
    """Sums each of the `keys` of a column of counts, into `<prefix><key>`."""

    prefix: str
    column: str
    keys: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One measure per key."""
        return tuple(f"{self.prefix}{key}" for key in self.keys)

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Add the counts."""
        for key, count in getattr(record, self.column).items():
            measures[f"{self.prefix}{key}"] = count


@dataclass(frozen=True, slots=True)
class CountValues(Rule):
    """Counts records by the value of a text column, into `<prefix><value>`; null is not counted."""

    prefix: str
    column: str
    values: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One measure per value."""
        return tuple(f"{self.prefix}{value}" for value in self.values)

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record."""
        value = getattr(record, self.column)
        if value is not None:
            measures[f"{self.prefix}{value}"] = 1


@dataclass(frozen=True, slots=True)
class CountBands(Rule):
    """Counts records by the band of an integer column; null is not counted.

    A band is `width` wide. `bands` are the measures of the bands, of which the first has the number
    `first`, and the last has no upper bound. No value may be below the first band.
    """

    column: str
    bands: tuple[str, ...]
    width: int = 1
    first: int = 0
    where: Where = ()

    @property
    def names(self) -> tuple[str, ...]:
        """One measure per band."""
        return self.bands

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record."""
        value = getattr(record, self.column)
        if value is not None and _has(record, self.where):
            band = value // self.width - self.first
            measures[self.bands[band if band < len(self.bands) else -1]] = 1


@dataclass(frozen=True, slots=True)
class CountHours(Rule):
    """Counts records by the hour of the UTC day; `column` is the instant by which rows are ordered."""

    column: str
    hours: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One measure per hour."""
        return self.hours

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record."""
        measures[self.hours[utc_hour(getattr(record, self.column))]] = 1


@dataclass(frozen=True, slots=True)
class CountOpen(Rule):
    """Counts records by a value that clients choose. Null is counted unless there is a `where`."""

    breakdown: str
    column: str
    where: Where = ()

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record."""
        value = getattr(record, self.column)
        if not self.where or (value is not None and _has(record, self.where)):
            measures[open_name(self.breakdown, value)] = 1


@dataclass(frozen=True, slots=True)
class CountEach(Rule):
    """Counts records by each entry of a column of distinct texts that clients choose."""

    breakdown: str
    column: str

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record once per entry."""
        for value in getattr(record, self.column):
            measures[open_name(self.breakdown, value)] = 1


@dataclass(frozen=True, slots=True)
class Extremes(Rule):
    """The least and the greatest value of an integer column.

    Rollups keep a histogram of the values, since extremes cannot be subtracted.
    """

    breakdown: str
    column: str

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the value in the histogram."""
        value = getattr(record, self.column)
        if value is not None:
            measures[open_name(self.breakdown, str(value))] = 1


def _has(record: Any, where: Where) -> bool:
    for column, value in where:  # noqa: SIM110 - `all` takes twice as long, for every record
        if getattr(record, column) != value:
            return False
    return True


def open_name(breakdown: str, value: str | None) -> str:
    """The attribute that counts `value` in an open breakdown; None is "no value"."""
    return breakdown if value is None else f"{breakdown}={value}"
