"""Queries that are as expensive as possible, over a ledger that has as many rows as one answer may read.

Each is asked once, in a process of its own: none may fail, and none may need much memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import loading, wiring
from benchmarks.asking import Query
from benchmarks.peak import measured
from benchmarks.queries import SCOPES
from benchmarks.report import Report, number
from benchmarks.stores import DAYS, analytics_texts
from benchmarks.year import MERCHANTS, Calls
from rollcall.dialects.rollcall.queries.limits import MAX_CONDITIONS, MAX_MEASURES, MAX_VALUES
from rollcall.settings import settings

QUICK_SIZE = 2_000
PEAK_MIB_AIM = 256
_FIELDS = ("merchant_id", "lead_id", "payload.plan", "outcome", "campaign_id")
_PERCENTILES = ("p50", "p75", "p90", "p95", "p99")
_MEASURES = (
    *("calls", "answered", "successful", "transferred", "timed", "scored", "talk_seconds"),
    *("avg_duration", "min_duration", "max_duration"),
    *(f"{each}_duration" for each in _PERCENTILES),
    *("avg_sentiment", "cost", "cost_per_call", "answer_rate", "success_rate"),
)


@dataclass(frozen=True)
class Hostile:
    """A query, and the status that it is answered with."""

    query: Query
    status: int = 200


def hostile() -> Iterator[Hostile]:
    """The queries; all but the last two read every row."""
    yield _query(f"{MAX_CONDITIONS} conditions, 5 deep, {MAX_VALUES} values", filters=conditions())
    yield _query(
        f"{MAX_MEASURES} measures of payload keys that nothing has",
        measures=[f"{each}.payload.none{n}" for n in range(4) for each in _PERCENTILES],
        dimensions=["payload.nothing"],
        filters=[{"field": "payload.never", "op": "is_null"}],
    )
    yield _query(
        f"{MAX_MEASURES} measures of 10,000 rows",
        measures=_MEASURES,
        dimensions=["merchant_id", "template_id"],
        limit=10_000,
    )
    yield _query(
        "distinct leads of 10,000 rows",
        measures=["distinct_leads"],
        dimensions=["merchant_id", "template_id"],
        limit=10_000,
    )
    yield _query(
        "nearly 100,000 rows, each with a percentile",
        measures=["calls", "p95_duration", "cost"],
        dimensions=["lead_id"],
        filters=[{"field": "lead_id", "op": "starts_with", "value": "lead-0"}],
        limit=10_000,
    )
    yield _query("labels by hour and weekday", dimensions=["label", "hour_of_day", "day_of_week"])
    yield Hostile(
        Query(
            "search that finds nothing",
            "search_calls",
            body={"filters": [{"field": "outcome", "op": "eq", "value": "nothing"}]},
        )
    )
    yield _query("more than 100,000 rows", dimensions=["lead_id"], status=422)
    yield _query(
        "more rows of the ledger than are read for one answer",
        dimensions=["provider"],
        **{"from": "2025-11-21", "to": "2026-11-20"},
        compare={"from": "2025-11-21", "to": "2026-11-20"},
        filters=[{"field": "duration_seconds", "op": "gte", "value": 0}],
        status=422,
    )


def conditions() -> list[dict[str, Any]]:
    """As many conditions as a query may have, as deep, and with as many values.

    Each list has plain conditions, and one that holds the list of the next level.
    """
    level = [_one_of(n) for n in range(10)]
    for depth in range(4, 0, -1):
        holder = {"any": level} if depth % 2 else {"all": level}
        level = [holder, *(_one_of(10 * depth + n) for n in range(9))]
    return level


def _one_of(seed: int) -> dict[str, Any]:
    field = _FIELDS[seed % len(_FIELDS)]
    values = [MERCHANTS[0], *(f"{seed}-{n}" for n in range(1, MAX_VALUES))]
    return {"field": field, "op": "not_in" if seed % 2 else "in", "value": values}


def _query(name: str, *, status: int = 200, **body: Any) -> Hostile:
    query = Query(name, "query_records", body={"measures": ["calls"], **body})
    return Hostile(query, status)


def run(*, is_quick: bool) -> Report:
    report = Report("hostile", engine=wiring.ENGINE)
    size = QUICK_SIZE if is_quick else settings.max_ledger_rows
    calls = Calls(size, DAYS)
    table = report.table(
        f"{size:,} calls of {DAYS} days, each query once in a process of its own",
        "query",
        "status",
        "seconds",
        "our own CPU, seconds",
        "peak of memory, MiB above that of one day",
        "rows",
        "KB of the answer",
    )
    peaks = []
    with wiring.engine(is_for_long=not is_quick) as engine:
        loading.load(engine.url, wiring.ANALYTICS, analytics_texts(calls, SCOPES))
        for each in hostile():
            peak = measured(engine.url, each.query)
            table.add(
                each.query.name,
                peak.status,
                number(peak.seconds),
                number(peak.cpu_seconds),
                number(peak.mib),
                f"{peak.rows:,}",
                number(peak.answer_bytes / 1000),
            )
            peaks.append(peak)
    failed = sum(peak.status >= 500 for peak in peaks)
    report.finding(f"{failed} of {len(peaks)} were answered with a status of 500 or above.")
    most = max(peak.mib for peak in peaks)
    is_met = most < PEAK_MIB_AIM
    report.finding(
        f"Peak memory over {size:,} rows is at most {number(most)} MiB above that of a query "
        f"about one day; aim < {PEAK_MIB_AIM} MiB is {'met' if is_met else 'missed'}."
    )
    return report
