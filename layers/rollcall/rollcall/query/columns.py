"""The stored columns that a query needs, which are all that is read of a segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollcall.ledger.page import PAYLOAD, TIME
from rollcall.query.components import Count
from rollcall.query.conditions import AllOf, AnyOf, Comparison, Condition, Not
from rollcall.query.fields import Field, Source
from rollcall.query.model import Aggregation, Selection, TimeBucket


def columns_of(aggregation: Aggregation) -> frozenset[str]:
    """The columns that the selection, the groups and the components of an aggregation are read from."""
    columns = set(selected_by(aggregation.selection))
    for dimension in aggregation.dimensions:
        columns |= {TIME} if isinstance(dimension, TimeBucket) else _columns(dimension)
    for component in aggregation.components:
        if not isinstance(component, Count):
            columns |= _columns(component.field)
        elif component.where is not None:
            columns |= _named([component.where])
    return frozenset(columns)


def selected_by(selection: Selection) -> frozenset[str]:
    """The columns that the conditions of a selection name."""
    return _named(selection.conditions)


def _named(conditions: Iterable[Condition]) -> frozenset[str]:
    return frozenset(name for field in _fields(conditions) for name in _columns(field))


def _fields(conditions: Iterable[Condition]) -> Iterator[Field]:
    for condition in conditions:
        match condition:
            case Comparison(field):
                yield field
            case Not(inner):
                yield from _fields([inner])
            case AllOf(parts) | AnyOf(parts):  # pragma: no branch - mypy checks every case
                yield from _fields(parts)


def _columns(field: Field) -> set[str]:
    match field.source:
        case Source.HOUR_OF_DAY | Source.DAY_OF_WEEK:
            return {TIME}
        case Source.PAYLOAD:  # a key has a column of its own where most rows have it
            return {PAYLOAD, field.column}
    return {field.column}
