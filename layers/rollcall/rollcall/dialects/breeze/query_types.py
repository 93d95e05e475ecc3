"""Breeze's types of query: each is one object in `QUERY_TYPES`, beside its row and its function.

The parser, the answers and the OpenAPI document take the types from that list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from typing_extensions import TypedDict

from rollcall.dialects.breeze.query_type import OverTimeType, QueryType, TallyType
from rollcall.domain import measures as m
from rollcall.domain.decimals import Number, divide, percentage
from rollcall.domain.measures import Group
from rollcall.domain.records import LEAD_STATUSES
from rollcall.domain.time.buckets import Bucket
from rollcall.query.results import Tally, by_count

NOT_AVAILABLE: Final = "N/A"
_SENTIMENTS: Final = ("negative", "slightly_negative", "neutral", "slightly_positive", "positive")


class CountRow(TypedDict):
    """`call_count`."""

    count: int


class DurationRow(TypedDict):
    """`call_duration`: seconds, over calls that have a duration."""

    avg: Number | None
    min: int | None
    max: int | None
    total: int
    count: int


class OutcomeRow(TypedDict):
    """`outcome_distribution`."""

    outcome: str
    count: int
    percentage: Number


class SentimentRow(TypedDict):
    """`sentiment_distribution`."""

    sentiment: str
    min: float
    max: float
    count: int
    percentage: Number


class StatusRow(TypedDict):
    """`status_distribution`."""

    status: str
    count: int
    percentage: Number


class CallsRow(TypedDict):
    """`calls_over_time`."""

    date: str
    count: int


class AverageRow(TypedDict):
    """`avg_duration_over_time`: seconds, over calls that have a duration."""

    date: str
    avg_duration: Number | None
    count: int


class TopOutcomeRow(TypedDict):
    """`top_outcomes`."""

    rank: int
    outcome: str
    count: int
    percentage: Number


class RetryRow(TypedDict):
    """`retry_analysis`: `attempt` is an integer, or `10+`."""

    attempt: int | str
    calls: int
    successful: int
    success_rate: Number


class ProviderRow(TypedDict):
    """`provider_breakdown`."""

    provider: str
    count: int
    percentage: Number


class HourRow(TypedDict):
    """`hourly_heatmap`."""

    hour: int
    count: int


class StageRow(TypedDict):
    """`conversion_funnel`: leads that have reached this stage."""

    stage: str
    count: int
    percentage: Number
    drop_off: int


def _calls_row(bucket: Bucket, count: int, _: int) -> CallsRow:
    return {"date": bucket.label, "count": count}


def _average_row(bucket: Bucket, count: int, seconds: int) -> AverageRow:
    average = divide(seconds, count, 2) if count else None
    return {"date": bucket.label, "avg_duration": average, "count": count}


def _call_count(tally: Tally) -> list[CountRow]:
    return [CountRow(count=tally["calls"])]


def _call_duration(tally: Tally) -> list[DurationRow]:
    count, seconds = tally["timed"], tally["seconds"]
    row: DurationRow = {
        "avg": divide(seconds, count, 2) if count else None,
        "min": tally.shortest,
        "max": tally.longest,
        "total": seconds,
        "count": count,
    }
    return [row]


def _ranked(counts: Mapping[str, int]) -> Iterator[tuple[str, int, Number]]:
    """(value, count, percentage), the most frequent first, ties by code point."""
    whole = sum(counts.values())
    for value, count in by_count(counts):
        yield value, count, percentage(count, whole)


def _with_not_available(counts: Mapping[str | None, int]) -> dict[str, int]:
    merged = {value: count for value, count in counts.items() if value is not None}
    if None in counts:
        merged[NOT_AVAILABLE] = merged.get(NOT_AVAILABLE, 0) + counts[None]
    return merged


def _outcome_distribution(tally: Tally) -> list[OutcomeRow]:
    counts = _with_not_available(tally.values(m.OUTCOME))
    return [
        OutcomeRow(outcome=outcome, count=count, percentage=share)
        for outcome, count, share in _ranked(counts)
    ]


def _provider_breakdown(tally: Tally) -> list[ProviderRow]:
    counts = _with_not_available(tally.values(m.PROVIDER))
    return [
        ProviderRow(provider=provider, count=count, percentage=share)
        for provider, count, share in _ranked(counts)
    ]


def _top_outcomes(tally: Tally) -> list[TopOutcomeRow]:
    values = tally.values(m.OUTCOME)
    counts = {outcome: count for outcome, count in values.items() if outcome is not None}
    return [
        TopOutcomeRow(rank=rank, outcome=outcome, count=count, percentage=share)
        for rank, (outcome, count, share) in enumerate(_ranked(counts), 1)
    ]


def _sentiment_distribution(tally: Tally) -> list[SentimentRow]:
    counts = [tally[f"m{band}"] for band in range(5)]
    return [
        SentimentRow(
            sentiment=name,
            min=band / 5,
            max=(band + 1) / 5,
            count=counts[band],
            percentage=percentage(counts[band], sum(counts)),
        )
        for band, name in enumerate(_SENTIMENTS)
    ]


def _status_distribution(tally: Tally) -> list[StatusRow]:
    counts = {status: tally[f"s.{status}"] for status in LEAD_STATUSES}
    whole = sum(counts.values())
    return [
        StatusRow(status=status, count=count, percentage=percentage(count, whole))
        for status, count in counts.items()
    ]


def _retry_analysis(tally: Tally) -> list[RetryRow]:
    return [
        RetryRow(
            attempt=int(attempt) if attempt.isdecimal() else attempt,
            calls=calls,
            successful=tally[f"w{attempt}"],
            success_rate=percentage(tally[f"w{attempt}"], calls),
        )
        for attempt in m.ATTEMPTS
        if (calls := tally[f"a{attempt}"])
    ]


def _hourly_heatmap(tally: Tally) -> list[HourRow]:
    return [HourRow(hour=hour, count=tally[f"h{hour:02d}"]) for hour in range(24)]


def _conversion_funnel(tally: Tally) -> list[StageRow]:
    finished = tally["s.FINISHED"]
    processing = tally["s.PROCESSING"] + tally["s.RETRY"] + finished
    first = tally["s.BACKLOG"] + processing
    rows: list[StageRow] = []
    before = first
    for stage, count in (
        ("BACKLOG", first),
        ("PROCESSING", processing),
        ("FINISHED", finished),
        ("CONVERTED", tally["converted"]),
    ):
        share = percentage(count, first)
        rows.append(StageRow(stage=stage, count=count, percentage=share, drop_off=before - count))
        before = count
    return rows


QUERY_TYPES: Final[tuple[QueryType, ...]] = (
    TallyType(
        name="call_count",
        description="one: how many",
        groups=(Group.CALLS,),
        row=CountRow,
        rows=_call_count,
    ),
    TallyType(
        name="call_duration",
        description="one: average, shortest, longest and sum, in seconds, of calls that have a"
        " duration",
        groups=(Group.DURATION, Group.EXTREMES),
        row=DurationRow,
        rows=_call_duration,
    ),
    TallyType(
        name="outcome_distribution",
        description="by outcome, `N/A` where there is none; the most frequent first",
        groups=(Group.OUTCOME,),
        row=OutcomeRow,
        rows=_outcome_distribution,
    ),
    TallyType(
        name="sentiment_distribution",
        description="five bands, always",
        groups=(Group.SENTIMENT,),
        row=SentimentRow,
        rows=_sentiment_distribution,
    ),
    TallyType(
        name="status_distribution",
        description="leads by status, always four",
        groups=(Group.LEAD_STATUS,),
        row=StatusRow,
        rows=_status_distribution,
        is_about_leads=True,
    ),
    OverTimeType(
        name="calls_over_time",
        description="by bucket of `granularity`, the empty ones too",
        is_timed=False,
        row=CallsRow,
        row_of=_calls_row,
    ),
    OverTimeType(
        name="avg_duration_over_time",
        description="by bucket; null where no call has a duration",
        is_timed=True,
        row=AverageRow,
        row_of=_average_row,
    ),
    TallyType(
        name="top_outcomes",
        description="by outcome, calls without one left out; the most frequent first",
        groups=(Group.OUTCOME,),
        row=TopOutcomeRow,
        rows=_top_outcomes,
    ),
    TallyType(
        name="retry_analysis",
        description="by number of the attempt, 1 to 9, then `10+`",
        groups=(Group.ATTEMPT,),
        row=RetryRow,
        rows=_retry_analysis,
    ),
    TallyType(
        name="provider_breakdown",
        description="by provider, `N/A` where there is none; the most frequent first",
        groups=(Group.PROVIDER,),
        row=ProviderRow,
        rows=_provider_breakdown,
    ),
    TallyType(
        name="hourly_heatmap",
        description="by hour of the day, always 24",
        groups=(Group.HOUR,),
        row=HourRow,
        rows=_hourly_heatmap,
    ),
    TallyType(
        name="conversion_funnel",
        description="leads that have come as far as each of four stages",
        groups=(Group.LEAD_STATUS,),
        row=StageRow,
        rows=_conversion_funnel,
        is_about_leads=True,
    ),
)

# By name, in the order of the list.
QUERY_TYPE_OF: Final[Mapping[str, QueryType]] = {each.name: each for each in QUERY_TYPES}
