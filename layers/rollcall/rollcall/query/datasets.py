"""The datasets of queries: which record type each reads, and its measures, dimensions and fields.

Each measure is declared once, by the components that it is computed from. The parser of queries,
the answers, `GET /v1/schema` and docs/query.md follow from these declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

from rollcall.domain.choices import CALL_EVENTS
from rollcall.domain.decimals import Number, divide, percentage
from rollcall.domain.measures import ATTEMPTS
from rollcall.query.components import ALL_ROWS, Cell, Component, Count, Sum, Values
from rollcall.query.conditions import AllOf, Comparison, equals
from rollcall.query.fields import (
    EVENT_PREFIX,
    Field,
    Op,
    fields_of,
    payload_field,
)

Figure: TypeAlias = Number | int | None


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: `unit` and `description` say what it counts, and `of` computes it.

    `needs` are the components that `of` reads from a cell.
    """

    name: str
    unit: str
    description: str
    needs: tuple[Component, ...]
    of: Callable[[Cell], Figure]


_CALL: Final = fields_of("call")
_LEAD: Final = fields_of("lead")


def call_field(name: str) -> Field:
    """A declared field of calls."""
    return _CALL[name]


ANSWERED: Final = Count(equals(_CALL["answered"], True))
TIMED: Final = Count(Comparison(_CALL["duration_seconds"], Op.NOT_NULL))
SCORED: Final = Count(Comparison(_CALL["sentiment"], Op.NOT_NULL))
CONVERTED: Final = Count(
    AllOf((equals(_LEAD["status"], "FINISHED"), equals(_LEAD["converted"], True)))
)
TALK_SECONDS: Final = Sum(_CALL["duration_seconds"])
DURATIONS: Final = Values(_CALL["duration_seconds"])
LABELS: Final = Values(_CALL["label"])
LEADS: Final = Values(_CALL["lead_id"])
HOURS: Final = Values(_CALL["hour_of_day"])
_TIMED_LATENCY: Final = Count(Comparison(_CALL["latency_ms"], Op.NOT_NULL))
_TRANSFERRED: Final = Count(
    Comparison(_CALL[f"{EVENT_PREFIX}call_transferred"], Op.GT, (Decimal(0),))
)
PERCENTILES: Final = (50, 75, 90, 95, 99)
_PERCENT: Final = "percent"
_SECONDS: Final = "seconds"
_CURRENCY: Final = "currency"


def _count(
    name: str, description: str, component: Count = ALL_ROWS, unit: str = "calls"
) -> Measure:
    return Measure(name, unit, description, (component,), lambda cell: cell.integer(component))


def _rate(name: str, description: str, part: Count) -> Measure:
    def of(cell: Cell) -> Figure:
        rows = cell.integer(ALL_ROWS)
        return percentage(cell.integer(part), rows) if rows else None

    return Measure(name, _PERCENT, description, (part, ALL_ROWS), of)


def _average(
    name: str, unit: str, description: str, field: Field, counted: Count, places: int
) -> Measure:
    total = Sum(field)

    def of(cell: Cell) -> Figure:
        count = cell.integer(counted) * 10**field.places
        return divide(cell.integer(total), count, places) if count else None

    return Measure(name, unit, description, (total, counted), of)


def _percentile(name: str, unit: str, description: str, field: Field, percent: int) -> Measure:
    values = Values(field)
    return Measure(
        name,
        unit,
        description,
        (values,),
        lambda cell: plain(cell.values(values).percentile(percent)),
    )


def _spread(of: str, unit: str, noun: str, field: Field) -> Iterator[Measure]:
    """The extremes and the percentiles of a field."""
    yield _percentile(f"min_{of}", unit, f"The least {noun}.", field, 0)
    yield _percentile(f"max_{of}", unit, f"The greatest {noun}.", field, 100)
    for percent in PERCENTILES:
        description = f"The smallest {noun} that {percent} percent of them do not exceed."
        yield _percentile(f"p{percent}_{of}", unit, description, field, percent)


def _total(name: str, unit: str, description: str, field: Field) -> Measure:
    total = Sum(field)

    def of(cell: Cell) -> Figure:
        stored = cell.integer(total)
        return divide(stored, 10**field.places, field.places) if field.places else stored

    return Measure(name, unit, description, (total,), of)


def _cost_per_call() -> Measure:
    total = Sum(_CALL["cost"])

    def of(cell: Cell) -> Figure:
        calls = cell.integer(ALL_ROWS)
        return divide(cell.integer(total), calls * 10**6, 6) if calls else None

    description = "The cost, divided by the number of all calls."
    return Measure("cost_per_call", _CURRENCY, description, (total, ALL_ROWS), of)


def _distinct_leads() -> Measure:
    return Measure(
        "distinct_leads", "leads", "Different leads that were called.", (LEADS,),
        lambda cell: cell.values(LEADS).distinct,
    )  # fmt: skip


def _having(field: str, value: str) -> Count:
    return Count(equals(_CALL[field], value))


def attempts(text: str, *, is_successful: bool = False) -> Count:
    """Calls by the number of the attempt: one of `ATTEMPTS`, of which the last counts all later ones."""
    is_last = text == ATTEMPTS[-1]
    number = Decimal(len(ATTEMPTS) if is_last else text)
    is_attempt = Comparison(_CALL["attempt"], Op.GTE if is_last else Op.EQ, (number,))
    if not is_successful:
        return Count(is_attempt)
    return Count(AllOf((equals(_CALL["disposition"], "successful"), is_attempt)))


_FAILED: Final = _having("status", "failed")
_SUCCESSFUL: Final = _having("disposition", "successful")


def _call_measures() -> Iterator[Measure]:
    yield _count("calls", "Calls.")
    yield _count("answered", "Calls that a person answered.", ANSWERED)
    yield _count("completed", "Calls with the status `completed`.", _having("status", "completed"))
    yield _count("failed", "Calls with the status `failed`.", _FAILED)
    yield _count("successful", "Calls with the disposition `successful`.", _SUCCESSFUL)
    yield _count("transferred", "Calls that were transferred at least once.", _TRANSFERRED)
    yield _count("timed", "Calls that have a duration.", TIMED)
    yield _count("scored", "Calls that have a sentiment.", SCORED)
    duration, latency = _CALL["duration_seconds"], _CALL["latency_ms"]
    yield _total("talk_seconds", _SECONDS, "The sum of durations.", duration)
    yield _average(
        "avg_duration", _SECONDS, "The average duration of calls that have one.", duration, TIMED, 2
    )
    yield from _spread("duration", _SECONDS, "duration", duration)
    yield _average(
        "avg_latency", "milliseconds", "The average latency of calls that have one.", latency,
        _TIMED_LATENCY, 2,
    )  # fmt: skip
    yield from _spread("latency", "milliseconds", "latency", latency)
    yield _average(
        "avg_sentiment", "0 to 1", "The average sentiment of calls that have one.",
        _CALL["sentiment"], SCORED, 3,
    )  # fmt: skip
    yield _total("cost", _CURRENCY, "The sum of costs.", _CALL["cost"])
    yield _cost_per_call()
    yield _distinct_leads()
    yield _rate("answer_rate", "Answered calls in percent of all.", ANSWERED)
    yield _rate("success_rate", "Successful calls in percent of all.", _SUCCESSFUL)
    yield _rate("failure_rate", "Failed calls in percent of all.", _FAILED)
    for event in CALL_EVENTS:
        name = f"{EVENT_PREFIX}{event}"
        yield _total(name, "events", f"How often `{event}` happened.", _CALL[name])


def _lead_measures() -> Iterator[Measure]:
    yield _count("leads", "Leads.", unit="leads")
    yield _count(
        "converted", "Leads with the status `FINISHED` that converted.", CONVERTED, unit="leads"
    )
    yield _rate("conversion_rate", "Converted leads in percent of all.", CONVERTED)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset: its record type, its measures and its fields, by name.

    `has_payload` is true if `payload.<key>` names a field and measures.
    """

    name: str
    record_type: str
    measures: Mapping[str, Measure]
    fields: Mapping[str, Field]
    has_payload: bool = False

    @property
    def dimensions(self) -> dict[str, Field]:
        """The declared fields by which rows can be grouped."""
        return {name: field for name, field in self.fields.items() if field.is_dimension}

    def field(self, name: str) -> Field | None:
        """A field by its name; None if there is none."""
        found = self.fields.get(name)
        return found or (payload_field(name) if self.has_payload else None)

    def measure(self, name: str) -> Measure | None:
        """A measure by its name; None if there is none."""
        found = self.measures.get(name)
        return found or (payload_measure(name) if self.has_payload else None)


def _dataset(name: str, record_type: str, *measures: Measure, has_payload: bool = False) -> Dataset:
    by_name = {measure.name: measure for measure in measures}
    return Dataset(name, record_type, by_name, fields_of(record_type), has_payload)


DATASETS: Final[Mapping[str, Dataset]] = {
    dataset.name: dataset
    for dataset in (
        _dataset("calls", "call", *_call_measures(), has_payload=True),
        _dataset("leads", "lead", *_lead_measures(), has_payload=True),
        _dataset("tasks", "task", _count("tasks", "Tasks.", unit="tasks")),
        _dataset("contact_events", "contact_event", _count("events", "Events.", unit="events")),
    )
}

# What a measure of a payload key computes from the key's numbers.
PAYLOAD_AGGREGATES: Final = ("sum", "avg", "min", "max", *(f"p{p}" for p in PERCENTILES))


def payload_measure(name: str) -> Measure | None:
    """The measure `<aggregate>.payload.<key>`; None if the name is none."""
    aggregate, _, key = name.partition(".")
    field = payload_field(key) if aggregate in PAYLOAD_AGGREGATES else None
    if field is None:
        return None
    values = Values(field)

    def of(cell: Cell) -> Figure:
        found = cell.values(values)
        match aggregate:
            case "sum":
                return plain(found.total)
            case "avg":
                return _decimal_average(found.total, found.count)
            case "min":
                return plain(found.percentile(0))
            case "max":
                return plain(found.percentile(100))
        return plain(found.percentile(int(aggregate[1:])))

    description = f"Over the numbers of `{key}`."
    return Measure(name, "as sent", description, (values,), of)


def _decimal_average(total: Decimal, count: int) -> Figure:
    if not count:
        return None
    exact = Fraction(total)
    return divide(exact.numerator, exact.denominator * count, 6)


def plain(value: Decimal | None) -> Figure:
    """A number as answers have it: an integer where it has no decimals and is not astronomical."""
    if value is not None and value.adjusted() < 40 and value == value.to_integral_value():
        return int(value)
    return value
