"""Which components rollups keep, and under which names.

A rollup counts all rows of its scope and bucket, and breaks some counts down by one field at a time.
`rollcall.domain.measures` and `rollcall.domain.contributions` write these names. The components of
closed measures follow from the rules there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rollcall.domain import measures as m
from rollcall.domain import rules
from rollcall.domain.choices import (
    CALL_STATUSES,
    DISPOSITIONS,
    LEAD_STATUSES,
    TASK_STATUSES,
)
from rollcall.domain.measures import ATTEMPTS, Measures, Scope
from rollcall.query import datasets as d
from rollcall.query.components import ALL_ROWS, Component, Count, Sum
from rollcall.query.conditions import AllOf, Comparison, Value, equals
from rollcall.query.fields import SENTIMENT_BANDS, Field, Op, Source, fields_of

TIMED_ROWS: Final = "timed"
ROWS_NAME: Final[Mapping[str, str]] = {"call": "calls", "lead": "leads", "task": "tasks"}


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Counts of rows by one field.

    `names` maps values to closed measures; rows without any of them have the value `rest`, if there
    may be such rows. `letter` is the open breakdown instead. A rollup in which `beyond` is above
    zero has rows whose value it does not keep.
    """

    names: Mapping[Value | int, str]
    has_rest: bool = False
    rest: bool | None = None
    letter: str | None = None
    beyond: str | None = None
    is_utc: bool = False
    is_partition: bool = True

    @property
    def stored(self) -> tuple[str, ...]:
        """What to read of a rollup: the closed measures, or the letter."""
        return tuple(self.names.values()) if self.letter is None else (self.letter,)

    def counts(self, measures: Measures, rows: int) -> Iterator[tuple[Value | int | None, int]]:
        """(value, count above zero) of a rollup with `rows` rows; None is "no value"."""
        if self.letter is not None:
            yield from m.values_of(self.letter, measures).items()
            return
        for value, name in self.names.items():
            count = measures.get(name, 0)
            if count:
                yield value, count
                rows -= count
        if self.has_rest and rows:
            yield self.rest, rows


def _closed(prefix: str, values: tuple[str, ...], *, has_rest: bool = False) -> Breakdown:
    return Breakdown({value: f"{prefix}{value}" for value in values}, has_rest=has_rest)


BREAKDOWNS: Final[Mapping[str, Mapping[str, Breakdown]]] = {
    "call": {
        "status": _closed("s.", CALL_STATUSES),
        "disposition": _closed("d.", DISPOSITIONS, has_rest=True),
        "sentiment_band": Breakdown(
            {band: f"m{n}" for n, band in enumerate(SENTIMENT_BANDS)}, has_rest=True
        ),
        "answered": Breakdown({True: "answered"}, has_rest=True, rest=False),
        "hour_of_day": Breakdown({hour: f"h{hour:02d}" for hour in range(24)}, is_utc=True),
        "attempt": Breakdown(
            {int(attempt): f"a{attempt}" for attempt in ATTEMPTS[:-1]}, beyond=f"a{ATTEMPTS[-1]}"
        ),
        "outcome": Breakdown({}, letter=m.OUTCOME),
        "provider": Breakdown({}, letter=m.PROVIDER),
        "label": Breakdown({}, letter=m.LABEL, is_partition=False),
    },
    "lead": {"status": _closed("s.", LEAD_STATUSES)},
    "task": {"status": _closed("s.", TASK_STATUSES)},
}

# The breakdowns that have every value of a component.
HISTOGRAMS: Final[Mapping[Component, Breakdown]] = {
    d.DURATIONS: Breakdown({}, letter=m.DURATION),
    d.LABELS: BREAKDOWNS["call"]["label"],
    d.HOURS: BREAKDOWNS["call"]["hour_of_day"],
}

# Fields whose values are those of their column.
_AS_STORED: Final = (Source.TEXT, Source.INTEGER, Source.COUNT, Source.FLAG)


def _names_of_rules(record_type: str) -> Iterator[tuple[Component, tuple[str, ...]]]:
    """The components that the rules of a record type count, with the measures that add up to each."""
    fields = fields_of(record_type).values()
    by_column = {field.column: field for field in fields if field.source in _AS_STORED}
    for group in m.GROUPS.values():
        if group.record_type == record_type and group.since <= m.READ_VERSION:
            for rule in group.rules:
                yield from _names_of_rule(rule, by_column)


def _names_of_rule(
    rule: rules.Rule, fields: Mapping[str, Field]
) -> Iterator[tuple[Component, tuple[str, ...]]]:
    match rule:
        case rules.CountRecords(name, column, where):
            has_value = () if column is None else (Comparison(fields[column], Op.NOT_NULL),)
            yield _count(where, has_value, fields), (name,)
        case rules.CountBands(column, bands, width, first, where):
            if not where:
                yield _count((), (Comparison(fields[column], Op.NOT_NULL),), fields), bands
            if width == 1:
                for number, name in enumerate(bands, first):
                    op = Op.GTE if name == bands[-1] else Op.EQ
                    is_of_band = Comparison(fields[column], op, (Decimal(number),))
                    yield _count(where, (is_of_band,), fields), (name,)
        case rules.Sum(name, column):
            yield Sum(fields[column]), (name,)
        case rules.SumEach(prefix, column, keys):
            for key in keys:
                yield Sum(fields[f"{column}.{key}"]), (f"{prefix}{key}",)


def _count(
    where: rules.Where, conditions: tuple[Comparison, ...], fields: Mapping[str, Field]
) -> Count:
    """The rows that have the values of `where`, and for which the conditions hold."""
    every = (*(equals(fields[column], value) for column, value in where), *conditions)
    if not every:
        return ALL_ROWS
    return Count(every[0] if len(every) == 1 else AllOf(every))


_NAMES: Final[Mapping[str, Mapping[Component, tuple[str, ...]]]] = {
    record_type: dict(_names_of_rules(record_type)) for record_type in ROWS_NAME
}


def closed_names(record_type: str, component: Component) -> tuple[str, ...] | None:
    """The closed measures whose sum is a component of all rows; None if there are none."""
    if component == ALL_ROWS:
        return (ROWS_NAME[record_type],)
    names = _NAMES[record_type].get(component)
    if names is not None:
        return names
    restriction = restriction_of(component)
    if restriction is None:
        return None
    field, value = restriction
    breakdown = BREAKDOWNS[record_type].get(field)
    name = None if breakdown is None else breakdown.names.get(value)
    return None if name is None else (name,)


def restriction_of(component: Component) -> tuple[str, Value] | None:
    """(field, value) of a component that counts the rows with one value."""
    if isinstance(component, Count) and isinstance(component.where, Comparison):
        field, op, values = component.where.field, component.where.op, component.where.values
        if op is Op.EQ and not isinstance(values[0], Decimal):
            return field.name, values[0]
    return None


def timed_names(component: Component) -> tuple[str, ...] | None:
    """The closed measures whose sum is a component of the calls that have a duration."""
    if component in (ALL_ROWS, d.TIMED):
        return (TIMED_ROWS,)
    return _NAMES["call"][component] if component == d.TALK_SECONDS else None


def has_histogram(scope: Scope, component: Component) -> bool:
    """Whether the rollups of a scope keep all values of a component."""
    if component == d.DURATIONS:
        return scope[0] in m.WITH_HISTOGRAM
    return component in HISTOGRAMS
