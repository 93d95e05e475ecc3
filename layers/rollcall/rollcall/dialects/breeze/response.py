"""The rows of Breeze's answers, and what has to be measured for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from typing_extensions import TypedDict

from rollcall.dialects.breeze.request import QueryType, Question
from rollcall.domain import measures as m
from rollcall.domain.buckets import Bucket, Timeline
from rollcall.domain.epochs import Epoch
from rollcall.domain.measures import Group
from rollcall.domain.metering import ReadMeter
from rollcall.domain.numbers import Number, divide, percentage
from rollcall.domain.periods import Period
from rollcall.domain.records import LEAD_STATUSES
from rollcall.domain.tally import Tally
from rollcall.usecases.measure import Measure

NOT_AVAILABLE: Final = "N/A"
_SENTIMENTS: Final = ("negative", "slightly_negative", "neutral", "slightly_positive", "positive")
_ATTEMPTS: Final = (*map(str, range(1, 10)), "10+")


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
    """`conversion_funnel`: leads that have come as far as this stage."""

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


def answer(question: Question, measure: Measure, epoch: Epoch, meter: ReadMeter) -> Answer:
    """The answer to a question. Raises TooManyRows."""
    first, count = (question.page - 1) * question.page_size, question.page_size
    if question.query_type in _OVER_TIME:
        rows, total = _over_time(question, measure, epoch, meter, first, count)
    else:
        tallied = _TALLIED[question.query_type]
        tally = measure.tally(
            epoch, question.selection, question.period, tallied.groups, meter, question.zone
        )
        all_rows = tallied.rows(tally)
        rows, total = all_rows[first : first + count], len(all_rows)
    return {
        "query_type": question.query_type.value,
        "data": rows,
        "total": total,
        "page": question.page,
        "page_size": question.page_size,
    }


def _over_time(
    question: Question,
    measure: Measure,
    epoch: Epoch,
    meter: ReadMeter,
    first: int,
    count: int,
) -> tuple[Sequence[Row], int]:
    """Only the rows of the page are made: an open range can have millions."""
    row = _OVER_TIME[question.query_type]
    series = measure.series(
        epoch,
        question.selection,
        question.period,
        question.granularity,
        question.zone,
        meter,
        is_timed=question.query_type is QueryType.AVG_DURATION_OVER_TIME,
    )
    (start_ms, end_ms), first_date, last_date = question.period, None, None
    if question.start_ms is None or question.end_ms is None:
        # An open range goes from the first, or to the last, bucket with data.
        if series.first_ms is None or series.last_ms is None:
            return [], 0
        if question.start_ms is None:
            start_ms, first_date = series.first_ms, series.keys[0]
        if question.end_ms is None:
            end_ms, last_date = series.last_ms + 1, series.keys[-1]
    period = Period(start_ms, end_ms)
    timeline = Timeline(question.granularity, question.zone, period, first_date, last_date)
    rows = [row(bucket, *series.at(bucket.key)) for bucket in timeline.slice(first, count)]
    return rows, len(timeline)


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
    """(value, count, percentage) by count, then by code points."""
    whole = sum(counts.values())
    for value, count in sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])):
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
        for attempt in _ATTEMPTS
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


@dataclass(frozen=True, slots=True)
class _Tallied:
    """What a query type needs measured, and its rows."""

    groups: tuple[Group, ...]
    rows: Callable[[Tally], list[Row]]


_TALLIED: Final[Mapping[QueryType, _Tallied]] = {
    QueryType.CALL_COUNT: _Tallied((Group.CALLS,), _call_count),
    QueryType.CALL_DURATION: _Tallied((Group.DURATION, Group.EXTREMES), _call_duration),
    QueryType.OUTCOME_DISTRIBUTION: _Tallied((Group.OUTCOME,), _outcome_distribution),
    QueryType.SENTIMENT_DISTRIBUTION: _Tallied((Group.SENTIMENT,), _sentiment_distribution),
    QueryType.STATUS_DISTRIBUTION: _Tallied((Group.LEAD_STATUS,), _status_distribution),
    QueryType.TOP_OUTCOMES: _Tallied((Group.OUTCOME,), _top_outcomes),
    QueryType.RETRY_ANALYSIS: _Tallied((Group.ATTEMPT,), _retry_analysis),
    QueryType.PROVIDER_BREAKDOWN: _Tallied((Group.PROVIDER,), _provider_breakdown),
    QueryType.HOURLY_HEATMAP: _Tallied((Group.HOUR,), _hourly_heatmap),
    QueryType.CONVERSION_FUNNEL: _Tallied((Group.LEAD_STATUS,), _conversion_funnel),
}
