"""Breeze's types of query: each is one object in `QUERY_TYPES`.

The parser, the answers and the OpenAPI document take the types from that list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from rollcall.dialects.breeze import rows
from rollcall.domain.measures import Group
from rollcall.domain.time.buckets import Bucket
from rollcall.query.results import Tally

RowT = TypeVar("RowT", bound=Mapping[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyType(Generic[RowT]):
    """A type of query whose rows are made from the measures of all selected records together.

    `description` says in the API reference what the rows are, and in which order. `row` is the
    TypedDict of a row, and `rows` makes all rows from a tally of `groups`.
    """

    name: str
    description: str
    groups: tuple[Group, ...]
    row: type[RowT]
    rows: Callable[[Tally], list[RowT]]
    is_about_leads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTimeType(Generic[RowT]):
    """A type of query with a row per bucket of local time.

    With `is_timed`, only calls with a duration are counted, and their seconds are added up; without
    it, all calls are counted. `row_of` makes a row from a bucket, its count and its seconds.
    """

    name: str
    description: str
    is_timed: bool
    row: type[RowT]
    row_of: Callable[[Bucket, int, int], RowT]
    is_about_leads: bool = False


QueryType: TypeAlias = TallyType[Any] | OverTimeType[Any]


QUERY_TYPES: Final[tuple[QueryType, ...]] = (
    TallyType(
        name="call_count",
        description="one: how many",
        groups=(Group.CALLS,),
        row=rows.CountRow,
        rows=rows.call_count,
    ),
    TallyType(
        name="call_duration",
        description="one: average, shortest, longest and sum, in seconds, of calls that have a"
        " duration",
        groups=(Group.DURATION, Group.EXTREMES),
        row=rows.DurationRow,
        rows=rows.call_duration,
    ),
    TallyType(
        name="outcome_distribution",
        description="by outcome, `N/A` where there is none; the most frequent first",
        groups=(Group.OUTCOME,),
        row=rows.OutcomeRow,
        rows=rows.outcome_distribution,
    ),
    TallyType(
        name="sentiment_distribution",
        description="five bands, always",
        groups=(Group.SENTIMENT,),
        row=rows.SentimentRow,
        rows=rows.sentiment_distribution,
    ),
    TallyType(
        name="status_distribution",
        description="leads by status, always four",
        groups=(Group.LEAD_STATUS,),
        row=rows.StatusRow,
        rows=rows.status_distribution,
        is_about_leads=True,
    ),
    OverTimeType(
        name="calls_over_time",
        description="by bucket of `granularity`, the empty ones too",
        is_timed=False,
        row=rows.CallsRow,
        row_of=rows.calls_row,
    ),
    OverTimeType(
        name="avg_duration_over_time",
        description="by bucket; null where no call has a duration",
        is_timed=True,
        row=rows.AverageRow,
        row_of=rows.average_row,
    ),
    TallyType(
        name="top_outcomes",
        description="by outcome, calls without one left out; the most frequent first",
        groups=(Group.OUTCOME,),
        row=rows.TopOutcomeRow,
        rows=rows.top_outcomes,
    ),
    TallyType(
        name="retry_analysis",
        description="by number of the attempt, 1 to 9, then `10+`",
        groups=(Group.ATTEMPT,),
        row=rows.RetryRow,
        rows=rows.retry_analysis,
    ),
    TallyType(
        name="provider_breakdown",
        description="by provider, `N/A` where there is none; the most frequent first",
        groups=(Group.PROVIDER,),
        row=rows.ProviderRow,
        rows=rows.provider_breakdown,
    ),
    TallyType(
        name="hourly_heatmap",
        description="by hour of the day, always 24",
        groups=(Group.HOUR,),
        row=rows.HourRow,
        rows=rows.hourly_heatmap,
    ),
    TallyType(
        name="conversion_funnel",
        description="leads that have come as far as each of four stages",
        groups=(Group.LEAD_STATUS,),
        row=rows.StageRow,
        rows=rows.conversion_funnel,
        is_about_leads=True,
    ),
)

# By name, in the order of the list.
QUERY_TYPE_OF: Final[Mapping[str, QueryType]] = {each.name: each for each in QUERY_TYPES}
