"""The planner of aggregations: whether rollups can answer one, which of them, and why not.

A day is read from rollups whole, or from ledger pages whole: once pages must be read for one
component, rollups would save nothing. Plans are pure. The engine finds out which days have rollups
that lack something, and reads those days from pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from rollcall.domain import measures as m
from rollcall.domain.measures import Rollup, Scope
from rollcall.domain.time.buckets import Granularity, bucket_of
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.periods import EVER, Period, plan
from rollcall.query import kept
from rollcall.query.components import ALL_ROWS, Component, Count, Sum, Values
from rollcall.query.conditions import Value
from rollcall.query.fields import Field
from rollcall.query.kept import BREAKDOWNS, Breakdown
from rollcall.query.model import Aggregation, Dimension, TimeBucket
from rollcall.query.scopes import Narrowed, narrowed

_HOURS: Final = BREAKDOWNS["call"]["hour_of_day"]


class FromPages(NamedTuple):
    """Everything is read from ledger pages; `reason` says why rollups cannot answer."""

    reason: str


class Part(NamedTuple):
    """Components of one group, as a rollup has them.

    `instant_ms` is the start of what they cover, `values` the rows of each integer value.
    """

    instant_ms: int
    group: tuple[Value | int | None, ...]
    amounts: dict[Component, int]
    values: dict[Values, dict[int, int]]


@dataclass(frozen=True, slots=True)
class FromRollups:
    """Whole UTC days, or all time, are read from the rollups of all scopes; `edges` from pages.

    `closed` are the closed measures to read of each rollup, and `reads_open` is true if the open
    breakdowns are read too. At most one field breaks the counts down.
    """

    aggregation: Aggregation
    family: str
    scopes: Mapping[Scope, Mapping[str, str]]
    closed: tuple[str, ...]
    reads_open: bool
    days: range
    edges: tuple[Period, ...]
    has_lifetime: bool
    field: str | None
    breakdown: Breakdown | None
    allowed: frozenset[Value] | None

    def lacks(self, rollup: Rollup) -> bool:
        """Whether a rollup does not have everything that the aggregation counts."""
        breakdown = self.breakdown
        if breakdown is not None:
            if breakdown.letter in rollup.spilled:
                return True
            if breakdown.beyond is not None and rollup.measures.get(breakdown.beyond, 0):
                return True
        return self._has_values and m.DURATION in rollup.spilled

    def parts(self, scope: Scope, start_ms: int, rollup: Rollup) -> Iterator[Part]:
        """What a rollup that begins at `start_ms` adds to groups."""
        measures = rollup.measures
        record_type = self.aggregation.selection.record_type
        rows = measures.get(kept.ROWS_NAME[record_type], 0)
        if self.aggregation.granularity is Granularity.HOUR:
            for hour, count in _HOURS.counts(measures, rows):
                instant_ms = start_ms + int(hour or 0) * MS_PER_HOUR
                yield Part(instant_ms, self._group(scope, instant_ms, None), {ALL_ROWS: count}, {})
        elif self.breakdown is not None:
            for value, count in self.breakdown.counts(measures, rows):
                if self.allowed is None or value in self.allowed:
                    group = self._group(scope, start_ms, value)
                    yield Part(start_ms, group, self._amounts_of(value, count), {})
        elif rows:
            amounts: dict[Component, int] = {ALL_ROWS: rows}
            values: dict[Values, dict[int, int]] = {}
            for component in self.aggregation.components:
                if isinstance(component, Values):
                    counts = m.values_of(m.DURATION, measures)
                    values[component] = {int(text or 0): count for text, count in counts.items()}
                else:
                    names = kept.closed_names(record_type, component) or ()
                    amounts[component] = sum(measures.get(name, 0) for name in names)
            yield Part(start_ms, self._group(scope, start_ms, None), amounts, values)

    @property
    def _has_values(self) -> bool:
        return any(isinstance(each, Values) for each in self.aggregation.components)

    def _amounts_of(self, value: Value | int | None, count: int) -> dict[Component, int]:
        amounts: dict[Component, int] = {ALL_ROWS: count}
        for component in self.aggregation.components:
            restriction = kept.restriction_of(component)
            if restriction is not None:
                amounts[component] = count if restriction[1] == value else 0
        return amounts

    def _group(
        self, scope: Scope, instant_ms: int, value: Value | int | None
    ) -> tuple[Value | int | None, ...]:
        return tuple(
            self._value(dimension, scope, instant_ms, value)
            for dimension in self.aggregation.dimensions
        )

    def _value(
        self, dimension: Dimension, scope: Scope, instant_ms: int, value: Value | int | None
    ) -> Value | int | None:
        if isinstance(dimension, TimeBucket):
            return int(bucket_of(dimension.granularity, instant_ms, 0))
        if dimension.name == self.field:
            return value
        return self.scopes[scope][dimension.name]


AggregationPlan: TypeAlias = FromRollups | FromPages


class _NotKept(Exception):
    """Rollups cannot answer an aggregation; the message says why."""


def plan_aggregation(aggregation: Aggregation) -> AggregationPlan:
    """Where the answer to an aggregation is read from."""
    try:
        return _from_rollups(aggregation)
    except _NotKept as error:
        return FromPages(str(error))


def _from_rollups(aggregation: Aggregation) -> FromRollups:
    record_type = aggregation.selection.record_type
    selected = narrowed(aggregation.selection)
    if selected is None:
        raise _NotKept("rollups keep no rows with these conditions apart")
    _check_buckets(aggregation, record_type)
    name = _broken_down_by(aggregation, selected)
    breakdown = None
    if name is not None:
        breakdown = _breakdown(aggregation, record_type, name)
    closed = dict.fromkeys((kept.ROWS_NAME[record_type],))
    if breakdown is not None:
        _check_restricted(aggregation, breakdown, name, selected)
        closed |= dict.fromkeys(breakdown.names.values())
        if breakdown.beyond is not None:
            closed[breakdown.beyond] = None
    else:
        for component in aggregation.components:
            closed |= dict.fromkeys(_names(record_type, component, selected))
    if aggregation.granularity is Granularity.HOUR:
        closed |= dict.fromkeys(_HOURS.names.values())
    has_values = any(isinstance(each, Values) for each in aggregation.components)
    is_open = breakdown is not None and breakdown.letter is not None
    days, edges = plan(aggregation.period)
    return FromRollups(
        aggregation,
        selected.family,
        selected.scopes,
        () if is_open else tuple(closed),
        is_open or has_values,
        days,
        edges,
        has_lifetime=(
            aggregation.period == EVER
            and aggregation.granularity is None
            and not has_values
            and all(kept.has_lifetime(selected.family, scope) for scope in selected.scopes)
        ),
        field=name,
        breakdown=breakdown,
        allowed=None if name is None else selected.restricted.get(name),
    )


def _check_buckets(aggregation: Aggregation, record_type: str) -> None:
    granularity = aggregation.granularity
    if granularity is None:
        return
    if not aggregation.zone.is_utc:
        raise _NotKept("rollups have days of UTC")
    if granularity is Granularity.HOUR:
        is_plain = all(component == ALL_ROWS for component in aggregation.components)
        if record_type != "call" or not is_plain or len(aggregation.dimensions) > 1:
            raise _NotKept("rollups keep only the number of calls by the hour")


def _broken_down_by(aggregation: Aggregation, selected: Narrowed) -> str | None:
    """The name of the field that breaks the counts down; None if none does."""
    of_scope = next(iter(selected.scopes.values())).keys()
    names = {d.name for d in aggregation.dimensions if isinstance(d, Field)} - of_scope
    names |= selected.restricted.keys()
    if len(names) > 1:
        raise _NotKept(f"rollups have no combinations of {' and '.join(sorted(names))}")
    if names and aggregation.granularity is Granularity.HOUR:
        raise _NotKept("rollups keep only the number of calls by the hour")
    return next(iter(names), None)


def _breakdown(aggregation: Aggregation, record_type: str, name: str) -> Breakdown:
    breakdown = BREAKDOWNS[record_type].get(name)
    if breakdown is None:
        raise _NotKept(f"rollups have no counts by {name}")
    if breakdown.is_utc and not aggregation.zone.is_utc:
        raise _NotKept("rollups have hours of UTC")
    for component in aggregation.components:
        restriction = kept.restriction_of(component)
        if component != ALL_ROWS and (restriction is None or restriction[0] != name):
            raise _NotKept(f"by {name}, rollups have only the number of rows")
    return breakdown


def _check_restricted(
    aggregation: Aggregation, breakdown: Breakdown, name: str | None, selected: Narrowed
) -> None:
    """Refuse what a breakdown in which a row has several values cannot count once."""
    if breakdown.is_partition:
        return
    is_dimension = any(isinstance(d, Field) and d.name == name for d in aggregation.dimensions)
    if is_dimension or len(selected.restricted[name or ""]) != 1:
        raise _NotKept(f"a row may have several values of {name}")


def _names(record_type: str, component: Component, selected: Narrowed) -> tuple[str, ...]:
    """The closed measures of a component; none if it is in the histogram."""
    if isinstance(component, Values):
        if all(kept.has_histogram(scope, component) for scope in selected.scopes):
            return ()
        raise _NotKept(f"rollups of these scopes keep no values of {component.field.name}")
    names = kept.closed_names(record_type, component)
    if names is None:
        raise _NotKept(_unkept(component))
    return names


def _unkept(component: Count | Sum) -> str:
    if isinstance(component, Sum):
        return f"rollups keep no sum of {component.field.name}"
    return "rollups keep no such count"


def start_of_day(day: int) -> int:
    """The first instant of a UTC day, by its number."""
    return day * MS_PER_DAY
