"""Groups of an aggregation, from parts as rollups have them."""

from __future__ import annotations

from typing import Any

from rollcall.domain.time.periods import EVER
from rollcall.query.components import Component
from rollcall.query.grouping import GroupBuilder, GroupedRows
from rollcall.query.model import Aggregation, Dimension, Selection

# An instant, the values of the dimensions, and amounts and values of components.
Part = tuple[int, tuple[Any, ...], dict[Any, int], dict[Any, dict[Any, int]]]


def groups(
    dimension: Dimension | None, components: tuple[Component, ...], *parts: Part
) -> GroupedRows:
    dimensions = () if dimension is None else (dimension,)
    builder = GroupBuilder(
        Aggregation(Selection("call"), EVER, dimensions, components, is_limited=False)
    )
    for part in parts:
        builder.add_rollup(*part)
    return builder.groups()
