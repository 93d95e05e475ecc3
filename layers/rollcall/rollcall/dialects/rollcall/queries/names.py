"""The names of measures, dimensions and fields in queries."""

from __future__ import annotations

from typing import Final

from rollcall.domain.time.buckets import Granularity
from rollcall.query.datasets import PAYLOAD_AGGREGATES, Dataset
from rollcall.query.model import Dimension, TimeBucket

BUCKETS: Final = tuple(each.value for each in Granularity)


def dimension_of(dataset: Dataset, name: str) -> Dimension | None:
    """A dimension by its name; None if there is none."""
    if name in BUCKETS:
        return TimeBucket(Granularity(name))
    field = dataset.field(name)
    return field if field is not None and field.is_dimension else None


def name_of(dimension: Dimension) -> str:
    """The name of a dimension."""
    return dimension.granularity.value if isinstance(dimension, TimeBucket) else dimension.name


def measure_names(dataset: Dataset) -> list[str]:
    """The names of a dataset's measures as documentation has them."""
    of_payload = [f"{aggregate}.payload.<key>" for aggregate in PAYLOAD_AGGREGATES]
    return [*dataset.measures, *(of_payload if dataset.has_payload else [])]


def dimension_names(dataset: Dataset) -> list[str]:
    """The names of a dataset's dimensions as documentation has them."""
    of_payload = ["payload.<key>"] if dataset.has_payload else []
    return [*BUCKETS, *dataset.dimensions, *of_payload]


def field_names(dataset: Dataset) -> list[str]:
    """The names of a dataset's fields as documentation has them."""
    return [*dataset.fields, *(["payload.<key>"] if dataset.has_payload else [])]
