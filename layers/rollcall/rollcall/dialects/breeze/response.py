"""The rows of Breeze's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from typing_extensions import TypedDict

from rollcall.domain import measures as m
from rollcall.domain.decimals import Number, divide, percentage
from rollcall.domain.records import LEAD_STATUSES
from rollcall.domain.time.buckets import Bucket
from rollcall.query.reports.breeze import BreezeQuery, OverTime, QueryType
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


Row: TypeAlias = (
    CountRow
    | DurationRow
    | OutcomeRow
    | SentimentRow
    | StatusRow
    | CallsRow
    | AverageRow
    | TopOutcomeRow
    | RetryRow
    | ProviderRow
    | HourRow
    | StageRow
)


class Answer(TypedDict):
    """One page of rows; `total` counts the rows of all pages."""

    query_type: str
    data: Sequence[Row]
    total: int
    page: int
    page_size: int


def answer_body(query: BreezeQuery, found: Tally | OverTime) -> Answer:
    """The answer to a query."""
    first, count = query.first_row, query.page_size
    if isinstance(found, OverTime):
        rows, total = _buckets(query, found, first, count)
    else:
        every_row = _ROWS[query.query_type](found)
        rows, total = every_row[first : first + count], len(every_row)
    return {
        "query_type": query.query_type.value,
        "data": rows,
        "total": total,
        "page": query.page,
        "page_size": query.page_size,
    }


def _buckets(query: BreezeQuery, found: OverTime, first: int, count: int) -> tuple[list[Row], int]:
    """(rows of the page, number of all rows): a range can have millions, so no others are made."""
    series, timeline = found.series, found.timeline
    if timeline is None:
        return [], 0
    row = _OVER_TIME[query.query_type]
    buckets = timeline.slice(first, count)
    return [row(bucket, *series.at(bucket.key)) for bucket in buckets], len(timeline)


def _calls_row(bucket: Bucket, count: int, _: int) -> CallsRow:
    return {"date": bucket.label, "count": count}


def _average_row(bucket: Bucket, count: int, seconds: int) -> AverageRow:
    average = divide(seconds, count, 2) if count else None
    return {"date": bucket.label, "avg_duration": average, "count": count}


_OVER_TIME: Final[Mapping[QueryType, Callable[[Bucket, int, int], Row]]] = {
    QueryType.CALLS_OVER_TIME: _calls_row,
    QueryType.AVG_DURATION_OVER_TIME: _average_row,
}


def _call_count(tally: Tally) -> list[Row]:
    return [CountRow(count=tally["calls"])]


def _call_duration(tally: Tally) -> list[Row]:
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


def _outcome_distribution(tally: Tally) -> list[Row]:
    counts = _with_not_available(tally.values(m.OUTCOME))
    return [
        OutcomeRow(outcome=outcome, count=count, percentage=share)
        for outcome, count, share in _ranked(counts)
    ]


def _provider_breakdown(tally: Tally) -> list[Row]:
    counts = _with_not_available(tally.values(m.PROVIDER))
    return [
        ProviderRow(provider=provider, count=count, percentage=share)
        for provider, count, share in _ranked(counts)
    ]


def _top_outcomes(tally: Tally) -> list[Row]:
    values = tally.values(m.OUTCOME)
    counts = {outcome: count for outcome, count in values.items() if outcome is not None}
    return [
        TopOutcomeRow(rank=rank, outcome=outcome, count=count, percentage=share)
        for rank, (outcome, count, share) in enumerate(_ranked(counts), 1)
    ]


def _sentiment_distribution(tally: Tally) -> list[Row]:
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


def _status_distribution(tally: Tally) -> list[Row]:
    counts = {status: tally[f"s.{status}"] for status in LEAD_STATUSES}
    whole = sum(counts.values())
    return [
        StatusRow(status=status, count=count, percentage=percentage(count, whole))
        for status, count in counts.items()
    ]


def _retry_analysis(tally: Tally) -> list[Row]:
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


def _hourly_heatmap(tally: Tally) -> list[Row]:
    return [HourRow(hour=hour, count=tally[f"h{hour:02d}"]) for hour in range(24)]


def _conversion_funnel(tally: Tally) -> list[Row]:
    finished = tally["s.FINISHED"]
    processing = tally["s.PROCESSING"] + tally["s.RETRY"] + finished
    first = tally["s.BACKLOG"] + processing
    rows: list[Row] = []
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


_ROWS: Final[Mapping[QueryType, Callable[[Tally], list[Row]]]] = {
    QueryType.CALL_COUNT: _call_count,
    QueryType.CALL_DURATION: _call_duration,
    QueryType.OUTCOME_DISTRIBUTION: _outcome_distribution,
    QueryType.SENTIMENT_DISTRIBUTION: _sentiment_distribution,
    QueryType.STATUS_DISTRIBUTION: _status_distribution,
    QueryType.TOP_OUTCOMES: _top_outcomes,
    QueryType.RETRY_ANALYSIS: _retry_analysis,
    QueryType.PROVIDER_BREAKDOWN: _provider_breakdown,
    QueryType.HOURLY_HEATMAP: _hourly_heatmap,
    QueryType.CONVERSION_FUNNEL: _conversion_funnel,
}
