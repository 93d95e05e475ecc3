"""The report of Breeze's dialect: measures of a selection in a period, in total or by bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rollcall.domain.measures import Group
from rollcall.domain.time.buckets import Granularity, Timeline
from rollcall.domain.time.periods import EVER, Period
from rollcall.domain.time.zones import Zone
from rollcall.query.engine import QueryEngine
from rollcall.query.model import Query, Reading, Selection
from rollcall.query.results import Series, Tally


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
    """What is measured, and of which records.

    `start_ms` and the exclusive `end_ms` are None where the range is open.
    """

    measured: Measured
    selection: Selection
    start_ms: int | None
    end_ms: int | None
    zone: Zone

    @property
    def query(self) -> Query:
        """The selection and the period to measure; an open end has no limit."""
        start_ms = EVER.start_ms if self.start_ms is None else self.start_ms
        end_ms = EVER.end_ms if self.end_ms is None else self.end_ms
        return Query(self.selection, Period(start_ms, end_ms))


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
        return OverTime(series, _timeline(query, granularity, series))


def _timeline(query: BreezeQuery, granularity: Granularity, series: Series) -> Timeline | None:
    """The buckets of the range; an open range starts or ends at the data."""
    (start_ms, end_ms), first_date, last_date = query.query.period, None, None
    if query.start_ms is None or query.end_ms is None:
        if series.first_ms is None or series.last_ms is None:
            return None
        if query.start_ms is None:
            start_ms, first_date = series.first_ms, series.keys[0]
        if query.end_ms is None:
            end_ms, last_date = series.last_ms + 1, series.keys[-1]
    period = Period(start_ms, end_ms)
    return Timeline(granularity, query.zone, period, first_date, last_date)
