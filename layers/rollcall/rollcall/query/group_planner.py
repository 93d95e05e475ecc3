"""The planner of aggregations: whether rollups can answer one, which of them, and why not.

A day is read from rollups whole, or from ledger pages whole: once pages must be read for one
component, rollups save no reads. They save the counting of all else, which is much for a report of
many components: such an aggregation is mixed. Plans are pure. The engine finds out which days have
rollups that lack something, and reads those days from pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from rollcall.domain.measures import Rollup, Scope, has_lifetime
from rollcall.domain.time.buckets import Granularity, bucket_of
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER, Period, plan
from rollcall.domain.time.zones import Zone
from rollcall.query import kept
from rollcall.query.components import ALL_ROWS, Count, Sum, Values
from rollcall.query.conditions import Value
from rollcall.query.fields import Field
from rollcall.query.kept import BREAKDOWNS, Breakdown
from rollcall.query.model import Aggregation, Dimension, TimeBucket
from rollcall.query.rollup_shapes import AllRows, ByHour, ByValue, Shape
from rollcall.query.scopes import Narrowed, narrowed


class FromPages(NamedTuple):
    """Everything is read from ledger pages; `reason` says why rollups cannot answer."""

    reason: str


class Part(NamedTuple):
    """Components of one group, as a rollup has them; the fields are those of `Counted`."""

    instant_ms: int
    group: tuple[Value | int | None, ...]
    amounts: dict[Count | Sum, int]
    values: dict[Values, dict[int | str, int]]


@dataclass(frozen=True, slots=True)
class FromRollups:
    """Whole UTC days, or all time, are read from the rollups of all scopes; `edges` from pages.

    `scopes` has the values that each scope's rows have in fields, and `shape` how the rollups hold
    the components. `field` is the name of the field that breaks the counts down, if one does. All
    time can be read from one rollup per scope if `has_lifetime`. `beside` are the values that are
    read from pages for each day with rows.
    """

    dimensions: tuple[Dimension, ...]
    start_ms: int
    family: str
    scopes: Mapping[Scope, Mapping[str, str]]
    shape: Shape
    field: str | None
    days: range
    edges: tuple[Period, ...]
    has_lifetime: bool
    beside: tuple[Values, ...] = ()

    def bucket_of(self, day: int) -> int | None:
        """The key of the time bucket of a UTC day; None if no dimension has buckets."""
        for each in self.dimensions:
            if isinstance(each, TimeBucket):
                return int(bucket_of(each.granularity, day * MS_PER_DAY, 0))
        return None

    def parts(self, scope: Scope, start_ms: int, rollup: Rollup) -> Iterator[Part]:
        """What a rollup that begins at `start_ms` adds to groups."""
        for instant_ms, value, amounts, values in self.shape.counted(start_ms, rollup):
            group = tuple(self._value(each, scope, instant_ms, value) for each in self.dimensions)
            yield Part(instant_ms, group, amounts, values)

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
    selected = narrowed(aggregation.selection)
    if selected is None:
        raise _NotKept("rollups do not count the rows with these conditions apart")
    if aggregation.granularity is not None and not aggregation.zone.is_utc:
        raise _NotKept("rollups have days of UTC")
    field = _broken_down_by(aggregation, selected)
    beside = _beside(aggregation, selected)
    shape = _shape(aggregation, selected, field, beside)
    days, edges = plan(aggregation.period)
    is_kept = all(has_lifetime(selected.family, scope) for scope in selected.scopes)
    is_ever = aggregation.period == EVER and aggregation.granularity is None
    return FromRollups(
        aggregation.dimensions,
        aggregation.period.start_ms,
        selected.family,
        selected.scopes,
        shape,
        field,
        days,
        edges,
        has_lifetime=is_ever and is_kept and not beside,
        beside=beside,
    )


def _broken_down_by(aggregation: Aggregation, selected: Narrowed) -> str | None:
    """The name of the field that breaks the counts down; None if none does."""
    of_scope = next(iter(selected.scopes.values())).keys()
    names = {each.name for each in aggregation.dimensions if isinstance(each, Field)} - of_scope
    names |= selected.restricted.keys()
    if len(names) > 1:
        raise _NotKept(f"rollups have no combinations of {' and '.join(sorted(names))}")
    return next(iter(names), None)


def _beside(aggregation: Aggregation, selected: Narrowed) -> tuple[Values, ...]:
    """The values that a mixed aggregation reads from pages."""
    if not aggregation.is_mixed:
        return ()
    values = (each for each in aggregation.components if isinstance(each, Values))
    return tuple(each for each in values if not _has_histogram(each, selected))


def _shape(
    aggregation: Aggregation, selected: Narrowed, field: str | None, beside: tuple[Values, ...]
) -> Shape:
    record_type = aggregation.selection.record_type
    rows = kept.ROWS_NAME[record_type]
    if selected.is_timed:
        return _of_timed(aggregation, field)
    if aggregation.granularity is Granularity.HOUR:
        is_plain = all(component == ALL_ROWS for component in aggregation.components)
        if record_type != "call" or not is_plain or field is not None:
            raise _NotKept("rollups keep only the number of calls by the hour")
        return ByHour(rows)
    if field is not None:
        breakdown = _breakdown(aggregation, selected, field)
        allowed = selected.restricted.get(field)
        return ByValue(rows, breakdown, allowed, aggregation.components)
    names: dict[Count | Sum, tuple[str, ...]] = {}
    histograms: dict[Values, Breakdown] = {}
    for component in aggregation.components:
        if not isinstance(component, Values):
            names[component] = _names(record_type, component)
        elif component not in beside:
            histograms[component] = _histogram(component, selected, aggregation.zone)
    return AllRows(rows, names, histograms)


def _of_timed(aggregation: Aggregation, field: str | None) -> Shape:
    names = {
        component: kept.timed_names(component)
        for component in aggregation.components
        if not isinstance(component, Values)
    }
    found = {component: each for component, each in names.items() if each is not None}
    is_hourly = aggregation.granularity is Granularity.HOUR
    if is_hourly or field is not None or len(found) < len(aggregation.components):
        raise _NotKept(
            "of calls that have a duration, rollups have their number and seconds by day"
        )
    return AllRows(kept.TIMED_ROWS, found, {})


def _breakdown(aggregation: Aggregation, selected: Narrowed, field: str) -> Breakdown:
    breakdown = BREAKDOWNS[aggregation.selection.record_type].get(field)
    if breakdown is None:
        raise _NotKept(f"rollups have no counts by {field}")
    if breakdown.is_utc and not aggregation.zone.is_utc:
        raise _NotKept("rollups have hours of UTC")
    for component in aggregation.components:
        restriction = kept.restriction_of(component)
        if component != ALL_ROWS and (restriction is None or restriction[0] != field):
            raise _NotKept(f"by {field}, rollups have only the number of rows")
    if not breakdown.is_partition and not _has_one_value(aggregation, selected, field):
        raise _NotKept(f"a row may have several values of {field}")
    return breakdown


def _has_one_value(aggregation: Aggregation, selected: Narrowed, field: str) -> bool:
    """Whether a row counts for one value at most: else it would count several times."""
    is_dimension = field in [d.name for d in aggregation.dimensions if isinstance(d, Field)]
    return not is_dimension and len(selected.restricted[field]) == 1


def _has_histogram(component: Values, selected: Narrowed) -> bool:
    return all(kept.has_histogram(scope, component) for scope in selected.scopes)


def _histogram(component: Values, selected: Narrowed, zone: Zone) -> Breakdown:
    if not _has_histogram(component, selected):
        raise _NotKept(f"rollups of these scopes keep no values of {component.field.name}")
    breakdown = kept.HISTOGRAMS[component]
    if breakdown.is_utc and not zone.is_utc:
        raise _NotKept("rollups have hours of UTC")
    return breakdown


def _names(record_type: str, component: Count | Sum) -> tuple[str, ...]:
    names = kept.closed_names(record_type, component)
    if names is not None:
        return names
    if isinstance(component, Sum):
        raise _NotKept(f"rollups keep no sum of {component.field.name}")
    raise _NotKept("rollups keep no such count")
