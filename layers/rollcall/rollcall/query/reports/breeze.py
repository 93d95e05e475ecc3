"""The report of Breeze's dialect: groups of a selection in a period, or its buckets over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rollcall.domain.time.buckets import Timeline
from rollcall.domain.time.periods import Bounds
from rollcall.query.components import Component
from rollcall.query.model import Aggregation, Dimension, Reading, Selection
from rollcall.query.timelines import DataRange, timeline_of

if TYPE_CHECKING:  # they import numpy, which the parser of requests does not need
    from rollcall.query.engine import QueryEngine
    from rollcall.query.grouping import GroupedRows


@dataclass(frozen=True, slots=True)
class BreezeQuery:
    """The components to count, of which records, and the dimension to count them by, if any."""

    dimension: Dimension | None
    components: tuple[Component, ...]
    selection: Selection
    bounds: Bounds

    @property
    def aggregation(self) -> Aggregation:
        """What is read."""
        dimensions = () if self.dimension is None else (self.dimension,)
        return Aggregation(
            self.selection, self.bounds.period, dimensions, self.components, is_limited=False
        )


class BreezeReport(NamedTuple):
    """The groups of a query. `timeline` has the buckets of one over time.

    It is None without buckets, and if an open range has no data.
    """

    groups: GroupedRows
    timeline: Timeline | None


class ReportBreeze:
    """Counts what the rows of an answer are made of."""

    def __init__(self, engine: QueryEngine) -> None:
        self._engine = engine

    def __call__(self, reading: Reading, query: BreezeQuery) -> BreezeReport:
        """The groups, and the buckets of a query over time. Raises TooManyRows."""
        aggregation = query.aggregation
        groups = self._engine.aggregate(reading, aggregation)
        if aggregation.granularity is None:
            return BreezeReport(groups, None)
        data = DataRange(groups.first_ms, groups.last_ms, groups.buckets())
        timeline = timeline_of(aggregation.granularity, aggregation.zone, query.bounds, data)
        return BreezeReport(groups, timeline)
