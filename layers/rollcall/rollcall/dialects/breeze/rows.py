"""The rows of Breeze's answers, and the functions that make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from typing_extensions import TypedDict

from rollcall.domain import measures as m
from rollcall.domain.decimals import Number, divide, percentage
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


def calls_row(bucket: Bucket, count: int, _: int) -> CallsRow:
    """The calls of a bucket; `_` are seconds, which are not counted."""
    return {"date": bucket.label, "count": count}


def average_row(bucket: Bucket, count: int, seconds: int) -> AverageRow:
    """The average duration of a bucket, to 2 decimal places; null if nothing was counted."""
    average = divide(seconds, count, 2) if count else None
    return {"date": bucket.label, "avg_duration": average, "count": count}


def call_count(tally: Tally) -> list[CountRow]:
    """One row: all calls."""
    return [CountRow(count=tally["calls"])]


def call_duration(tally: Tally) -> list[DurationRow]:
    """One row; without durations, `avg`, `min` and `max` are null."""
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


def outcome_distribution(tally: Tally) -> list[OutcomeRow]:
    """A row per outcome, `N/A` for none, the most frequent first."""
    counts = _with_not_available(tally.values(m.OUTCOME))
    return [
        OutcomeRow(outcome=outcome, count=count, percentage=share)
        for outcome, count, share in _ranked(counts)
    ]


def provider_breakdown(tally: Tally) -> list[ProviderRow]:
    """A row per provider, `N/A` for none, the most frequent first."""
    counts = _with_not_available(tally.values(m.PROVIDER))
    return [
        ProviderRow(provider=provider, count=count, percentage=share)
        for provider, count, share in _ranked(counts)
    ]


def top_outcomes(tally: Tally) -> list[TopOutcomeRow]:
    """A row per outcome, the most frequent first; calls without one are left out."""
    values = tally.values(m.OUTCOME)
    counts = {outcome: count for outcome, count in values.items() if outcome is not None}
    return [
        TopOutcomeRow(rank=rank, outcome=outcome, count=count, percentage=share)
        for rank, (outcome, count, share) in enumerate(_ranked(counts), 1)
    ]


def sentiment_distribution(tally: Tally) -> list[SentimentRow]:
    """Five rows, the lowest band first; percentages are of calls with a sentiment."""
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


def status_distribution(tally: Tally) -> list[StatusRow]:
    """A row per status, in the order of `LEAD_STATUSES`."""
    counts = {status: tally[f"s.{status}"] for status in LEAD_STATUSES}
    whole = sum(counts.values())
    return [
        StatusRow(status=status, count=count, percentage=percentage(count, whole))
        for status, count in counts.items()
    ]


def retry_analysis(tally: Tally) -> list[RetryRow]:
    """A row per attempt that has calls, in ascending order."""
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


def hourly_heatmap(tally: Tally) -> list[HourRow]:
    """Twenty-four rows, by hour of the day."""
    return [HourRow(hour=hour, count=tally[f"h{hour:02d}"]) for hour in range(24)]


def conversion_funnel(tally: Tally) -> list[StageRow]:
    """Four rows; each stage counts the leads that have reached it."""
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
