"""Breeze's types of query: each is one object in `QUERY_TYPES`, beside its row and its function.

The parser, the answers and the OpenAPI document take the types from that list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from typing_extensions import TypedDict

from rollcall.dialects.breeze.query_type import (
    CountsType,
    OverTimeType,
    QueryType,
    TotalsType,
)
from rollcall.domain.choices import LEAD_STATUSES
from rollcall.domain.decimals import Number, divide, percentage
from rollcall.domain.measures import ATTEMPTS
from rollcall.domain.time.buckets import Bucket
from rollcall.query.components import ALL_ROWS, Cell, Count
from rollcall.query.conditions import equals
from rollcall.query.datasets import (
    CONVERTED,
    DATASETS,
    DURATIONS,
    TALK_SECONDS,
    TIMED,
    attempts,
)
from rollcall.query.fields import SENTIMENT_BANDS
from rollcall.query.ranking import by_count

NOT_AVAILABLE: Final = "N/A"

_CALL: Final = DATASETS["calls"].fields
_LEAD_STATUS: Final = DATASETS["leads"].fields["status"]
_OF_STATUS: Final = {status: Count(equals(_LEAD_STATUS, status)) for status in LEAD_STATUSES}
_ATTEMPTS: Final = {text: (attempts(text), attempts(text, is_successful=True)) for text in ATTEMPTS}


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


def _calls_row(bucket: Bucket, count: int) -> CallsRow:
    return {"date": bucket.label, "count": count}


def _average_row(bucket: Bucket, count: int, seconds: int) -> AverageRow:
    average = divide(seconds, count, 2) if count else None
    return {"date": bucket.label, "avg_duration": average, "count": count}


def _call_count(calls: Cell) -> list[CountRow]:
    return [CountRow(count=calls.integer(ALL_ROWS))]


def _call_duration(calls: Cell) -> list[DurationRow]:
    count, seconds = calls.integer(TIMED), calls.integer(TALK_SECONDS)
    durations = calls.values(DURATIONS).integers()
    row: DurationRow = {
        "avg": divide(seconds, count, 2) if count else None,
        "min": min(durations, default=None),
        "max": max(durations, default=None),
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


def _outcome_distribution(counts: Mapping[str | None, int]) -> list[OutcomeRow]:
    return [
        OutcomeRow(outcome=outcome, count=count, percentage=share)
        for outcome, count, share in _ranked(_with_not_available(counts))
    ]


def _provider_breakdown(counts: Mapping[str | None, int]) -> list[ProviderRow]:
    return [
        ProviderRow(provider=provider, count=count, percentage=share)
        for provider, count, share in _ranked(_with_not_available(counts))
    ]


def _top_outcomes(counts: Mapping[str | None, int]) -> list[TopOutcomeRow]:
    given = {outcome: count for outcome, count in counts.items() if outcome is not None}
    return [
        TopOutcomeRow(rank=rank, outcome=outcome, count=count, percentage=share)
        for rank, (outcome, count, share) in enumerate(_ranked(given), 1)
    ]


def _sentiment_distribution(counts: Mapping[str | None, int]) -> list[SentimentRow]:
    of_bands = [counts.get(band, 0) for band in SENTIMENT_BANDS]
    return [
        SentimentRow(
            sentiment=name,
            min=band / 5,
            max=(band + 1) / 5,
            count=of_bands[band],
            percentage=percentage(of_bands[band], sum(of_bands)),
        )
        for band, name in enumerate(SENTIMENT_BANDS)
    ]


def _status_distribution(counts: Mapping[str, int]) -> list[StatusRow]:
    whole = sum(counts.values())
    return [
        StatusRow(
            status=status,
            count=counts.get(status, 0),
            percentage=percentage(counts.get(status, 0), whole),
        )
        for status in LEAD_STATUSES
    ]


def _retry_analysis(cell: Cell) -> list[RetryRow]:
    rows: list[RetryRow] = []
    for attempt, (of_attempt, of_successful) in _ATTEMPTS.items():
        calls, successful = cell.integer(of_attempt), cell.integer(of_successful)
        if calls:
            rows.append(
                {
                    "attempt": int(attempt) if attempt.isdecimal() else attempt,
                    "calls": calls,
                    "successful": successful,
                    "success_rate": percentage(successful, calls),
                }
            )
    return rows


def _hourly_heatmap(counts: Mapping[int, int]) -> list[HourRow]:
    return [HourRow(hour=hour, count=counts.get(hour, 0)) for hour in range(24)]


def _conversion_funnel(leads: Cell) -> list[StageRow]:
    of_status = {status: leads.integer(count) for status, count in _OF_STATUS.items()}
    finished = of_status["FINISHED"]
    processing = of_status["PROCESSING"] + of_status["RETRY"] + finished
    first = of_status["BACKLOG"] + processing
    rows: list[StageRow] = []
    before = first
    for stage, count in (
        ("BACKLOG", first),
        ("PROCESSING", processing),
        ("FINISHED", finished),
        ("CONVERTED", leads.integer(CONVERTED)),
    ):
        share = percentage(count, first)
        rows.append(StageRow(stage=stage, count=count, percentage=share, drop_off=before - count))
        before = count
    return rows


QUERY_TYPES: Final[tuple[QueryType, ...]] = (
    TotalsType(
        name="call_count",
        description="one: how many",
        components=(ALL_ROWS,),
        row=CountRow,
        rows=_call_count,
    ),
    TotalsType(
        name="call_duration",
        description="one: average, shortest, longest and sum, in seconds, of calls that have a"
        " duration",
        components=(TIMED, TALK_SECONDS, DURATIONS),
        row=DurationRow,
        rows=_call_duration,
    ),
    CountsType(
        name="outcome_distribution",
        description="by outcome, `N/A` where there is none; the most frequent first",
        by=_CALL["outcome"],
        row=OutcomeRow,
        rows=_outcome_distribution,
    ),
    CountsType(
        name="sentiment_distribution",
        description="five bands, always",
        by=_CALL["sentiment_band"],
        row=SentimentRow,
        rows=_sentiment_distribution,
    ),
    CountsType(
        name="status_distribution",
        description="leads by status, always four",
        by=_LEAD_STATUS,
        row=StatusRow,
        rows=_status_distribution,
        is_about_leads=True,
    ),
    OverTimeType(
        name="calls_over_time",
        description="by bucket of `granularity`, the empty ones too",
        components=(ALL_ROWS,),
        row=CallsRow,
        row_of=_calls_row,
    ),
    OverTimeType(
        name="avg_duration_over_time",
        description="by bucket; null where no call has a duration",
        components=(ALL_ROWS, TALK_SECONDS),
        where=TIMED.where,
        row=AverageRow,
        row_of=_average_row,
    ),
    CountsType(
        name="top_outcomes",
        description="by outcome, calls without one left out; the most frequent first",
        by=_CALL["outcome"],
        row=TopOutcomeRow,
        rows=_top_outcomes,
    ),
    TotalsType(
        name="retry_analysis",
        description="by number of the attempt, 1 to 9, then `10+`",
        components=tuple(chain.from_iterable(_ATTEMPTS.values())),
        row=RetryRow,
        rows=_retry_analysis,
    ),
    CountsType(
        name="provider_breakdown",
        description="by provider, `N/A` where there is none; the most frequent first",
        by=_CALL["provider"],
        row=ProviderRow,
        rows=_provider_breakdown,
    ),
    CountsType(
        name="hourly_heatmap",
        description="by hour of the day, always 24",
        by=_CALL["hour_of_day"],
        row=HourRow,
        rows=_hourly_heatmap,
    ),
    TotalsType(
        name="conversion_funnel",
        description="leads that have come as far as each of four stages",
        components=(*_OF_STATUS.values(), CONVERTED),
        row=StageRow,
        rows=_conversion_funnel,
        is_about_leads=True,
    ),
)

# By name, in the order of the list.
QUERY_TYPE_OF: Final[Mapping[str, QueryType]] = {each.name: each for each in QUERY_TYPES}
