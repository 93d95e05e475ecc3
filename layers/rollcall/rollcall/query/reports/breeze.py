"""The report of Breeze's dialect: measures of a selection in a period, in total or by bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rollcall.domain.measures import Group
from rollcall.domain.time.buckets import Granularity, Timeline
from rollcall.domain.time.periods import Bounds
from rollcall.domain.time.zones import Zone
from rollcall.query.engine import QueryEngine
from rollcall.query.model import Query, Reading, Selection
from rollcall.query.results import Series, Tally
from rollcall.query.timelines import DataRange, timeline_of


@dataclass(frozen=True, slots=True)
class ByBucket:
    """Calls by bucket of local time.

    With `is_timed`, only calls with a duration are counted, and their seconds are added up.
    """

    granularity: Granularity
    is_timed: bool


Measured: TypeAlias = tuple[Group, ...] | ByBucket


@dataclass(frozen=True, slots=True)
class BreezeQuery:
    """What is measured, and of which records."""

    measured: Measured
    selection: Selection
    bounds: Bounds
    zone: Zone

    @property
    def query(self) -> Query:
        """The selection and the period to measure."""
        return Query(self.selection, self.bounds.period)


@dataclass(frozen=True, slots=True)
class OverTime:
    """Counts by bucket; `timeline` is None if an open range has no data."""

    series: Series
    timeline: Timeline | None


class ReportBreeze:
    """Measures what the rows of an answer are made of."""

    def __init__(self, engine: QueryEngine) -> None:
        self._engine = engine

    def __call__(self, reading: Reading, query: BreezeQuery) -> Tally | OverTime:
        """Counts by bucket if the query measures those, else a tally. Raises TooManyRows."""
        measured = query.measured
        if not isinstance(measured, ByBucket):
            return self._engine.tally(reading, query.query, measured, query.zone)
        granularity, is_timed = measured.granularity, measured.is_timed
        series = self._engine.series(
            reading, query.query, granularity, query.zone, is_timed=is_timed
        )
        keys = (series.keys[0], series.keys[-1]) if series.keys else None
        data = DataRange(series.first_ms, series.last_ms, keys)
        return OverTime(series, timeline_of(granularity, query.zone, query.bounds, data))
