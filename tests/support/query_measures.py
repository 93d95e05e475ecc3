"""Every measure, counted over the rows that it is asked of. It imports nothing of `rollcall`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from math import ceil, floor
from typing import Any

from tests.support.oracle import EVENTS
from tests.support.query_values import Row

Rows = Sequence[Row]
Number = int | Decimal | None

PERCENTILES = {f"p{share}": share for share in (50, 75, 90, 95, 99)}
STATISTICS = ["avg", "min", "max", *PERCENTILES]
MEASURED = {"duration": "duration_seconds", "latency": "latency_ms"}


def exact_sum(numbers: Sequence[Any]) -> Decimal:
    """A sum without any rounding, however far apart the magnitudes are."""
    with localcontext(Context(prec=2_000, traps=[Inexact])):
        return sum((Decimal(number) for number in numbers), Decimal(0))


def rounded(number: Fraction, places: int) -> Decimal:
    """A number to some decimal places, half away from zero."""
    size = floor(abs(number) * 10**places + Fraction(1, 2))
    with localcontext(Context(prec=2_000, traps=[Inexact])):
        return Decimal(-size if number < 0 else size).scaleb(-places)


def quotient(top: Any, bottom: int, places: int) -> Decimal | None:
    return rounded(Fraction(top) / bottom, places) if bottom else None


def percentile(numbers: Sequence[Any], share: int) -> Any:
    """The smallest value that at least so many percent of the values do not exceed."""
    ascending = sorted(numbers)
    return ascending[ceil(Fraction(share * len(ascending), 100)) - 1]


def statistic(name: str, numbers: Sequence[Any], places: int) -> Number:
    """`sum`, `avg`, `min`, `max` or a percentile of numbers; an average has so many places."""
    if name == "sum":
        return exact_sum(numbers)
    if not numbers:
        return None
    if name == "avg":
        return quotient(exact_sum(numbers), len(numbers), places)
    if name in PERCENTILES:
        return percentile(numbers, PERCENTILES[name])  # type: ignore[no-any-return]
    return {"min": min, "max": max}[name](numbers)  # type: ignore[no-any-return]


def given(rows: Rows, field: str) -> list[Any]:
    return [row.content[field] for row in rows if row.content.get(field) is not None]


def payload_numbers(rows: Rows, key: str) -> list[Decimal]:
    values = [row.value(f"payload.{key}") for row in rows]
    return [value.value for value in values if value.kind == "number"]


def how_many(rows: Rows, field: str, value: Any) -> int:
    return sum(row.content.get(field) == value for row in rows)


def percentage(part: int, rows: Rows) -> Decimal | None:
    return quotient(100 * part, len(rows), 2)


def converted(rows: Rows) -> int:
    return sum(row.is_converted for row in rows)


CALLS: dict[str, Callable[[Rows], Number]] = {
    "calls": len,
    "answered": lambda rows: how_many(rows, "answered", True),
    "completed": lambda rows: how_many(rows, "status", "completed"),
    "failed": lambda rows: how_many(rows, "status", "failed"),
    "successful": lambda rows: how_many(rows, "disposition", "successful"),
    "transferred": lambda rows: sum(row.events("call_transferred") > 0 for row in rows),
    "timed": lambda rows: len(given(rows, "duration_seconds")),
    "scored": lambda rows: len(given(rows, "sentiment")),
    "talk_seconds": lambda rows: exact_sum(given(rows, "duration_seconds")),
    "avg_sentiment": lambda rows: statistic("avg", given(rows, "sentiment"), 3),
    "cost": lambda rows: exact_sum(given(rows, "cost")),
    "cost_per_call": lambda rows: quotient(exact_sum(given(rows, "cost")), len(rows), 6),
    "distinct_leads": lambda rows: len(set(given(rows, "lead_id"))),
    "answer_rate": lambda rows: percentage(how_many(rows, "answered", True), rows),
    "success_rate": lambda rows: percentage(how_many(rows, "disposition", "successful"), rows),
    "failure_rate": lambda rows: percentage(how_many(rows, "status", "failed"), rows),
}
MEASURES: dict[str, dict[str, Callable[[Rows], Number]]] = {
    "calls": CALLS,
    "leads": {
        "leads": len,
        "converted": converted,
        "conversion_rate": lambda rows: percentage(converted(rows), rows),
    },
    "tasks": {"tasks": len},
    "contact_events": {"events": len},
}
CALL_STATISTICS = [f"{name}_{what}" for what in MEASURED for name in STATISTICS]
EVENT_SUMS = [f"event.{name}" for name in EVENTS]
PAYLOAD_STATISTICS = ["sum", *STATISTICS]


def measure(dataset: str, name: str, rows: Rows) -> Number:
    """The value of a measure; the integers are exact, and so are the decimals."""
    first, _, rest = name.partition(".")
    if rest.startswith("payload."):
        return statistic(first, payload_numbers(rows, rest.removeprefix("payload.")), 6)
    if name in EVENT_SUMS:
        return sum(row.events(rest) for row in rows)
    if name in CALL_STATISTICS:
        which, _, what = name.partition("_")
        return statistic(which, given(rows, MEASURED[what]), 2)
    return MEASURES[dataset][name](rows)
