"""The report of Breeze's dialect: the measures of one of twelve types of query."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollcall.domain.measures import Group
from rollcall.domain.time.buckets import Granularity, Timeline
from rollcall.domain.time.periods import EVER, Period
from rollcall.domain.time.zones import Zone
from rollcall.query.engine import QueryEngine
from rollcall.query.model import Query, Reading, Selection
from rollcall.query.results import Series, Tally


class QueryType(enum.Enum):
    """A type of query."""

    CALL_COUNT = "call_count"
    CALL_DURATION = "call_duration"
    OUTCOME_DISTRIBUTION = "outcome_distribution"
    SENTIMENT_DISTRIBUTION = "sentiment_distribution"
    STATUS_DISTRIBUTION = "status_distribution"
    CALLS_OVER_TIME = "calls_over_time"
    AVG_DURATION_OVER_TIME = "avg_duration_over_time"
    TOP_OUTCOMES = "top_outcomes"
    RETRY_ANALYSIS = "retry_analysis"
    PROVIDER_BREAKDOWN = "provider_breakdown"
    HOURLY_HEATMAP = "hourly_heatmap"
    CONVERSION_FUNNEL = "conversion_funnel"

    @property
    def is_about_leads(self) -> bool:
        """Whether the query counts leads instead of calls."""
        return self in (QueryType.STATUS_DISTRIBUTION, QueryType.CONVERSION_FUNNEL)


_GROUPS: Final[Mapping[QueryType, tuple[Group, ...]]] = {
    QueryType.CALL_COUNT: (Group.CALLS,),
    QueryType.CALL_DURATION: (Group.DURATION, Group.EXTREMES),
    QueryType.OUTCOME_DISTRIBUTION: (Group.OUTCOME,),
    QueryType.SENTIMENT_DISTRIBUTION: (Group.SENTIMENT,),
    QueryType.STATUS_DISTRIBUTION: (Group.LEAD_STATUS,),
    QueryType.TOP_OUTCOMES: (Group.OUTCOME,),
    QueryType.RETRY_ANALYSIS: (Group.ATTEMPT,),
    QueryType.PROVIDER_BREAKDOWN: (Group.PROVIDER,),
    QueryType.HOURLY_HEATMAP: (Group.HOUR,),
    QueryType.CONVERSION_FUNNEL: (Group.LEAD_STATUS,),
}


@dataclass(frozen=True, slots=True)
class BreezeQuery:
    """A valid query. `start_ms` and the exclusive `end_ms` are None where the range is open.

    `page` counts from 1.
    """

    query_type: QueryType
    selection: Selection
    start_ms: int | None
    end_ms: int | None
    granularity: Granularity
    zone: Zone
    page: int
    page_size: int

    @property
    def first_row(self) -> int:
        """The index of the first row of the page, from 0."""
        return (self.page - 1) * self.page_size

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
        """Counts by bucket for the two types over time, else a tally. Raises TooManyRows."""
        if query.query_type in _GROUPS:
            groups = _GROUPS[query.query_type]
            return self._engine.tally(reading, query.query, groups, query.zone)
        is_timed = query.query_type is QueryType.AVG_DURATION_OVER_TIME
        series = self._engine.series(
            reading, query.query, query.granularity, query.zone, is_timed=is_timed
        )
        return OverTime(series, _timeline(query, series))


def _timeline(query: BreezeQuery, series: Series) -> Timeline | None:
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
    return Timeline(query.granularity, query.zone, period, first_date, last_date)
