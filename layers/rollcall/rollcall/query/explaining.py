"""Explains a plan: what an aggregation reads from rollups, what from ledger pages, and why.

An explanation names kinds of scopes, fields and times, and no id and no value of a record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rollcall.domain.time.calendar import day_text, format_instant
from rollcall.domain.time.periods import EVER, Period
from rollcall.query.group_planner import AggregationPlan, FromPages, FromRollups
from rollcall.query.model import Aggregation
from rollcall.query.rollup_shapes import ByValue, Shape


def explained(aggregation: Aggregation, plan: AggregationPlan) -> list[str]:
    """Lines such as `days: 27, 2026-11-01 to 2026-11-27`."""
    if isinstance(plan, FromPages):
        return [
            "source: ledger pages",
            f"reason: {plan.reason}",
            f"period: {_period(aggregation.period)}",
        ]
    return ["source: rollups", *_rollups(aggregation, plan)]


def _rollups(aggregation: Aggregation, plan: FromRollups) -> Iterator[str]:
    kinds = Counter(scope[0] for scope in plan.scopes)
    yield f"scopes: {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}"
    if plan.field is not None:
        yield f"broken down by: {plan.field}"
    items = len(plan.scopes)
    if plan.has_lifetime:
        yield f"lifetime: at most {items} items of all time instead of days"
    yield f"days: {_days(aggregation.period, plan.days)}"
    yield f"items per day: at most {items}"
    if _may_lack(plan.shape):
        yield "days whose rollups lack values: from ledger pages"
    edges = ", ".join(map(_period, plan.edges))
    yield f"edges: {f'{edges}, from ledger pages' if edges else 'none'}"


def _may_lack(shape: Shape) -> bool:
    """Whether a rollup may lack something that is counted."""
    has_beyond = isinstance(shape, ByValue) and shape.breakdown.beyond is not None
    return has_beyond or shape.reads_open


def _days(period: Period, days: range) -> str:
    if not days:
        return "none"
    is_open = period.start_ms == EVER.start_ms or period.end_ms == EVER.end_ms
    first = "the first" if period.start_ms == EVER.start_ms else day_text(days.start)
    last = "the last" if period.end_ms == EVER.end_ms else day_text(days.stop - 1)
    return f"{first} to {last}" if is_open else f"{len(days)}, {first} to {last}"


def _period(period: Period) -> str:
    start = format_instant(period.start_ms) if period.start_ms > EVER.start_ms else "the first"
    end = format_instant(period.end_ms - 1) if period.end_ms < EVER.end_ms else "the last"
    return f"{start} to {end}"
