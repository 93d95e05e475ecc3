"""The measures that queries read, each declared once in `GROUPS`.

Contributions apply a rule to one record, and the aggregation of ledger pages applies it to columns.
A rule is data, so that both are built from the same declaration, and this package needs no numpy.
Stored rollups depend on the rules of their contribution version: a change of what a rule counts is
a new rule in a new version.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rollcall.domain import measures as m
from rollcall.domain.measures import Group
from rollcall.domain.records import CALL_EVENTS, DISPOSITIONS, LEAD_STATUSES
from rollcall.domain.time.calendar import utc_hour

# Columns and the values that they must have.
Where: TypeAlias = tuple[tuple[str, str | bool], ...]


@dataclass(frozen=True, slots=True)
class Rule(ABC):
    """What one record adds to measures. `names` are the measures, if this release fixes them."""

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

    A band is `width` wide, `first` is the number of the first one, and the last has no upper bound.
    `bands` are the measures of the bands.
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
    """Counts records by the hour of the day: of UTC in rollups, of the query's zone in a scan.

    `column` is the instant by which rows are ordered.
    """

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
            measures[m.open_name(self.breakdown, value)] = 1


@dataclass(frozen=True, slots=True)
class CountEach(Rule):
    """Counts records by each entry of a column of distinct texts that clients choose."""

    breakdown: str
    column: str

    def add(self, record: Any, measures: dict[str, int]) -> None:
        """Count the record once per entry."""
        for value in getattr(record, self.column):
            measures[m.open_name(self.breakdown, value)] = 1


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
            measures[m.open_name(self.breakdown, str(value))] = 1


def _has(record: Any, where: Where) -> bool:
    for column, value in where:  # noqa: SIM110 - `all` takes twice as long, for every record
        if getattr(record, column) != value:
            return False
    return True


@dataclass(frozen=True, slots=True)
class GroupRules:
    """The rules of a group: of which record type, and since which contribution version."""

    record_type: str
    rules: tuple[Rule, ...]
    since: int = 1

    @property
    def breakdown(self) -> str | None:
        """The open breakdown that the group is read from; None for closed measures."""
        breakdowns = {getattr(rule, "breakdown", None) for rule in self.rules}
        (breakdown,) = breakdowns
        return breakdown


def _call(*rules: Rule) -> GroupRules:
    return GroupRules("call", rules)


def _contact_event(*rules: Rule) -> GroupRules:
    return GroupRules("contact_event", rules)


# Distinct leads cannot be summed, so they have no rule: see `rollcall.query.distinct`.
GROUPS: Final[Mapping[Group, GroupRules]] = {
    Group.CALLS: _call(CountRecords("calls")),
    Group.ANSWERED: _call(CountRecords("answered", where=(("answered", True),))),
    Group.DURATION: _call(
        CountRecords("timed", "duration_seconds"), Sum("seconds", "duration_seconds")
    ),
    Group.EXTREMES: _call(Extremes(m.DURATION, "duration_seconds")),
    Group.COST: _call(Sum("cost_micros", "cost_micros")),
    Group.DISPOSITION: _call(CountValues("d.", "disposition", DISPOSITIONS)),
    Group.SENTIMENT: _call(
        CountBands("sentiment_milli", tuple(f"m{band}" for band in range(5)), width=200)
    ),
    Group.HOUR: _call(CountHours("started_at_ms", tuple(f"h{hour:02d}" for hour in range(24)))),
    Group.ATTEMPT: _call(
        CountBands("attempt", tuple(f"a{attempt}" for attempt in m.ATTEMPTS), first=1),
        CountBands(
            "attempt",
            tuple(f"w{attempt}" for attempt in m.ATTEMPTS),
            first=1,
            where=(("disposition", "successful"),),
        ),
    ),
    Group.EVENTS: _call(SumEach("e.", "events", CALL_EVENTS)),
    Group.OUTCOME: _call(CountOpen(m.OUTCOME, "outcome")),
    Group.PROVIDER: _call(CountOpen(m.PROVIDER, "provider")),
    Group.LABEL: _call(CountEach(m.LABEL, "labels")),
    Group.LEAD_STATUS: GroupRules(
        "lead",
        (
            CountValues("s.", "status", LEAD_STATUSES),
            CountRecords("converted", where=(("status", "FINISHED"), ("converted", True))),
        ),
    ),
    Group.EVENT_TYPE: _contact_event(CountOpen(m.EVENT_TYPE, "event_type")),
    Group.ROOM: _contact_event(CountOpen(m.ROOM, "room_id", (("event_type", "room_join"),))),
    Group.PAGE: _contact_event(CountOpen(m.PAGE, "booking_page_id", (("event_type", "booking"),))),
}

# The open breakdown that each group is read from. All other groups are closed measures, except
# distinct leads, which no rollup can hold.
OPEN_GROUPS: Final[Mapping[Group, str]] = {
    group: of_group.breakdown
    for group, of_group in GROUPS.items()
    if of_group.breakdown is not None
}


def closed_names(groups: Iterable[Group]) -> tuple[str, ...]:
    """The closed measures of the groups, and `calls`.

    Every rollup of calls has `calls`, and it shows whether a day is empty.
    """
    rules = (rule for group in groups if group in GROUPS for rule in GROUPS[group].rules)
    return tuple(dict.fromkeys(("calls", *(name for rule in rules for name in rule.names))))
