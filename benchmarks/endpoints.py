"""What each analytics endpoint takes and reads, as the number of calls grows.

The handlers run in this process against DynamoDB Local. An organisation of `rollcall demo`'s world
has 1,000, 10,000 and 100,000 calls in 30 days, and leads, tasks, contacts and events in proportion.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

from benchmarks import data, loading, wiring
from benchmarks.asking import Answer, Functions, Query, Turns, Watch, in_turns
from benchmarks.report import Report, number
from rollcall import bootstrap
from rollcall.settings import settings

SIZES = (1_000, 10_000, 100_000)
QUICK_SIZES = (100, 1_000)
DAYS = 30
TURNS = Turns(rounds=9, most=100, seconds=3.0)
# What is looked up by its id besides pages and rollups.
_NAMED = frozenset({"label", "room", "booking_page"})
# Answers whose reads grow with the calls, and why.
_GROWS = {
    "ledger": "not on whole UTC days",
    "mixed": "distinct leads are no sum, so they are counted from the pages of the range",
}


def _first_day() -> str:
    return (data.TODAY - dt.timedelta(days=DAYS)).date().isoformat()


def _last_day() -> str:
    return (data.TODAY - dt.timedelta(days=1)).date().isoformat()


BREEZE_TYPES = (
    "call_count",
    "call_duration",
    "outcome_distribution",
    "sentiment_distribution",
    "status_distribution",
    "calls_over_time",
    "avg_duration_over_time",
    "top_outcomes",
    "retry_analysis",
    "provider_breakdown",
    "hourly_heatmap",
    "conversion_funnel",
)


def queries() -> Iterator[Query]:
    handle = {"Org-Handle": "bench"}
    yield Query("Unpod, organisation", "get_organisation_analytics", headers=handle)
    yield Query(
        "Unpod, one space",
        "get_organisation_analytics",
        headers=handle,
        query={"space_token": "support"},
    )
    month = {"date_from": _first_day(), "date_to": _last_day()}
    for query_type in BREEZE_TYPES:
        yield _breeze(f"Breeze {query_type}", query_type, month)
    of_merchant = month | {"merchant_id": "contoso"}
    yield _breeze("Breeze outcome_distribution of a merchant", "outcome_distribution", of_merchant)
    yield _breeze("Breeze outcome_distribution, all time", "outcome_distribution", {})
    bounds = {"from": f"{_first_day()}T00:00:00Z", "to": f"{_last_day()}T23:59:59Z"}
    yield Query(
        "NLPearl inbound", "get_inbound_analytics", path={"inboundId": "reception"}, body=bounds
    )
    yield Query(
        "NLPearl outbound", "get_outbound_analytics", path={"outboundId": "renewals"}, body=bounds
    )
    yield Query("Nexus", "get_workspace_analytics", path={"workspaceId": "atelier"})


def _breeze(name: str, query_type: str, filters: Mapping[str, Any]) -> Query:
    body = {"query_type": query_type, "filters": filters}
    return Query(name, "query_analytics", body=body)


def run(*, is_quick: bool) -> Report:
    report = Report("endpoints", engine=wiring.ENGINE)
    sizes = QUICK_SIZES if is_quick else SIZES
    turns = Turns(3, 3) if is_quick else TURNS
    asked = list(queries())
    places = []
    answers: dict[str, list[Answer]] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(bootstrap, "now_ms", lambda: data.TODAY_MS))
        for size in sizes:  # an engine each, so that all sizes can be asked in turns
            engine = stack.enter_context(wiring.engine())
            _load(engine.url, size)
            client = wiring.patient_client()
            with wiring.wired(client):
                places.append(Functions(Watch(client), {q.function for q in asked}))
        for query in asked:
            answers[query.name] = in_turns(query, places, turns)
    _growth(report, sizes, answers)
    _split(report, sizes[-1], answers)
    return report


def _load(url: str, size: int) -> None:
    facts = data.demo_facts(size, DAYS)
    name = f"demo of {size} calls of {DAYS} days, seed {data.SEED}"
    texts = loading.analytics_items(name, facts, settings.page_target_bytes, None)
    loading.load(url, wiring.ANALYTICS, texts)
    named = (fact for fact in data.demo_facts(0, DAYS) if fact.type in _NAMED)
    loading.load(url, wiring.RECORDS, loading.fact_texts(named))


def _growth(report: Report, sizes: tuple[int, ...], answers: dict[str, list[Answer]]) -> None:
    table = report.table(
        f"Warm median ms, items and read units of an answer over {DAYS} whole days, by calls stored",
        "query",
        "from",
        *(f"{size:,}: {what}" for size in sizes for what in ("ms", "items", "units")),
    )
    for name, by_size in answers.items():
        cells = []
        for answer in by_size:
            cells += [number(answer.split.whole * 1000), number(answer.items), _units(answer)]
        table.add(name, by_size[-1].source, *cells)

    flat = [by_size for by_size in answers.values() if by_size[-1].source == "rollups"]
    first, last = sizes[0], sizes[-1]
    slower = sorted(a[-1].split.whole / a[0].split.whole for a in flat)
    report.finding(
        f"{len(flat)} of {len(answers)} queries are answered from rollups alone. From {first:,} "
        f"to {last:,} calls, {last // first} times as many, they read at most "
        f"{max(a[-1].items / a[0].items for a in flat):.2f} × the items and "
        f"{max(a[-1].units / a[0].units for a in flat):.2f} × the units, and take "
        f"{slower[len(slower) // 2]:.2f} × the time in the middle, {slower[-1]:.2f} × at most."
    )
    for name, by_size in answers.items():
        if by_size[-1].source != "rollups":
            report.finding(
                f"{name}: reads grow with the calls of the range; {_GROWS[by_size[-1].source]}."
            )


def _split(report: Report, size: int, answers: dict[str, list[Answer]]) -> None:
    table = report.table(
        f"Where the time goes at {size:,} calls, median ms",
        "query",
        "whole",
        "in exchanges with DynamoDB Local",
        "our own CPU",
        "of it botocore",
        "without botocore",
    )
    for name, by_size in answers.items():
        split = by_size[-1].split
        parts = (split.whole, split.exchange, split.own, split.botocore, split.own - split.botocore)
        table.add(name, *(number(seconds * 1000) for seconds in parts))


def _units(answer: Answer) -> str:
    return f"{answer.units:,.1f}".removesuffix(".0")
