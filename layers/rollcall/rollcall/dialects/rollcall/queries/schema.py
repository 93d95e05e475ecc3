"""The body of `GET /v1/schema`: what queries may name, made from what parses them."""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import TypedDict

from rollcall.dialects.rollcall.queries import limits
from rollcall.dialects.rollcall.queries.names import dimension_names
from rollcall.domain.errors import MAX_GROUPS
from rollcall.domain.time.named_periods import COMPARISONS, PERIODS
from rollcall.query.datasets import DATASETS, PAYLOAD_AGGREGATES, Dataset, payload_measure
from rollcall.query.fields import Field, field_of_key


class MeasureSchema(TypedDict):
    """One measure."""

    name: str
    unit: str
    description: str


class DimensionSchema(TypedDict):
    """One dimension."""

    name: str


class FieldSchema(TypedDict):
    """One field that conditions may name, and its operators."""

    name: str
    type: str
    ops: list[str]


class DatasetSchema(TypedDict):
    """One dataset. `<key>` in a name stands for any payload key."""

    name: str
    measures: list[MeasureSchema]
    dimensions: list[DimensionSchema]
    fields: list[FieldSchema]


class Limits(TypedDict):
    """The limits of one query."""

    measures: int
    dimensions: int
    conditions: int
    nesting: int
    """How deep conditions may be nested; a plain condition is one deep."""
    values: int
    """Values of `in` and `not_in`."""
    rows: int
    """Rows of one page."""
    total_rows: int
    """Rows of a query on all pages."""
    calls: int
    """Calls of one page of a search."""


class Schema(TypedDict):
    """What queries may name."""

    datasets: list[DatasetSchema]
    periods: list[str]
    compare: list[str]
    limits: Limits


def schema_body() -> Schema:
    """The body of the answer; it is the same for every organisation."""
    return {
        "datasets": [_dataset(dataset) for dataset in DATASETS.values()],
        "periods": [*PERIODS],
        "compare": [*COMPARISONS],
        "limits": {
            "measures": limits.MAX_MEASURES,
            "dimensions": limits.MAX_DIMENSIONS,
            "conditions": limits.MAX_CONDITIONS,
            "nesting": limits.MAX_NESTING,
            "values": limits.MAX_VALUES,
            "rows": limits.MAX_ROWS,
            "total_rows": MAX_GROUPS,
            "calls": limits.MAX_CALLS,
        },
    }


def _dataset(dataset: Dataset) -> DatasetSchema:
    return {
        "name": dataset.name,
        "measures": [*_measures(dataset)],
        "dimensions": [{"name": name} for name in dimension_names(dataset)],
        "fields": [*_fields(dataset)],
    }


def _measures(dataset: Dataset) -> Iterator[MeasureSchema]:
    for each in dataset.measures.values():
        yield {"name": each.name, "unit": each.unit, "description": each.description}
    if dataset.has_payload:
        for aggregate in PAYLOAD_AGGREGATES:
            sample = payload_measure(f"{aggregate}.payload.{_KEY}")
            if sample is not None:
                yield {
                    "name": sample.name.replace(_KEY, "<key>"),
                    "unit": sample.unit,
                    "description": sample.description.replace(_KEY, "<key>"),
                }


def _fields(dataset: Dataset) -> Iterator[FieldSchema]:
    for field in dataset.fields.values():
        yield _field(field.name, field)
    if dataset.has_payload:
        yield _field("payload.<key>", field_of_key(_KEY))


# A payload key that stands for all of them.
_KEY = "key"


def _field(name: str, field: Field) -> FieldSchema:
    return {"name": name, "type": field.type.value, "ops": [op.value for op in field.ops]}
