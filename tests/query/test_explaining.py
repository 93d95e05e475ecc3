"""Explanations of plans: what they name, and that the engine reads what they say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall.domain.epochs import Epoch
from rollcall.domain.measures import Rollup, RollupKey, Scope
from rollcall.domain.time.periods import Period
from rollcall.query.engine import QueryEngine
from rollcall.query.explaining import explained
from rollcall.query.group_planner import AggregationPlan, plan_aggregation
from rollcall.query.model import Aggregation, Reading
from rollcall.telemetry import logger
from tests.support.emf import logged

SECRET = "an-id-that-no-log-shows"


def aggregation(**body: Any) -> Aggregation:
    query = parse_query({"measures": ["calls"], **body}, "org", 0).query
    return query.aggregation(query.bounds.period, query.dimensions)


def where(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


DAYS = {"from": "2026-11-01", "to": "2026-11-10"}
EXPLAINED: list[tuple[dict[str, Any], list[str]]] = [
    (
        DAYS,
        [
            "source: rollups",
            "scopes: 1 ORG",
            "days: 10, 2026-11-01 to 2026-11-10",
            "items per day: at most 1",
            "edges: none",
        ],
    ),
    (
        {
            "measures": ["calls", "p95_duration"],
            "filters": [where("template_id", "in", [SECRET, "b"])],
            **DAYS,
            "to": "2026-11-10T05:00:00Z",
        },
        [
            "source: rollups",
            "scopes: 2 TEMPLATE",
            "days: 9, 2026-11-01 to 2026-11-09",
            "items per day: at most 2",
            "days whose rollups lack values: from ledger pages",
            "edges: 2026-11-10T00:00:00.000Z to 2026-11-10T05:00:00.999Z, from ledger pages",
        ],
    ),
    (
        {"dimensions": ["outcome"], "filters": [where("campaign_id", "eq", SECRET)], **DAYS},
        [
            "source: rollups",
            "scopes: 2 CAMPAIGN",
            "broken down by: outcome",
            "days: 10, 2026-11-01 to 2026-11-10",
            "items per day: at most 2",
            "days whose rollups lack values: from ledger pages",
            "edges: none",
        ],
    ),
    (
        {},
        [
            "source: rollups",
            "scopes: 1 ORG",
            "lifetime: at most 1 items of all time instead of days",
            "days: the first to the last",
            "items per day: at most 1",
            "edges: none",
        ],
    ),
    (
        {"dimensions": ["attempt"], "from": "2026-11-01"},
        [
            "source: rollups",
            "scopes: 1 ORG",
            "broken down by: attempt",
            "days: 2026-11-01 to the last",
            "items per day: at most 1",
            "days whose rollups lack values: from ledger pages",
            "edges: none",
        ],
    ),
    (
        {"dimensions": ["hour"], **DAYS},
        [
            "source: rollups",
            "scopes: 1 ORG",
            "days: 10, 2026-11-01 to 2026-11-10",
            "items per day: at most 1",
            "edges: none",
        ],
    ),
    (
        {"filters": [where("lead_id", "contains", SECRET)], "to": "2026-11-10"},
        [
            "source: ledger pages",
            "reason: rollups do not count the rows with these conditions apart",
            "period: the first to 2026-11-10T23:59:59.999Z",
        ],
    ),
    (
        {"from": "2026-11-01T05:00:00Z", "to": "2026-11-01T06:00:00Z"},
        [
            "source: rollups",
            "scopes: 1 ORG",
            "days: none",
            "items per day: at most 1",
            "edges: 2026-11-01T05:00:00.000Z to 2026-11-01T06:00:00.999Z, from ledger pages",
        ],
    ),
    (
        {"measures": ["avg_latency"], **DAYS},
        [
            "source: ledger pages",
            "reason: rollups keep no sum of latency_ms",
            "period: 2026-11-01T00:00:00.000Z to 2026-11-10T23:59:59.999Z",
        ],
    ),
]


@pytest.mark.parametrize(("body", "lines"), EXPLAINED)
def test_explanations(body: dict[str, Any], lines: list[str]) -> None:
    found = aggregation(**body)
    assert explained(found, plan_aggregation(found)) == lines


class _Stores:
    """No records, and what was read of them."""

    def __init__(self) -> None:
        self.read_days: list[tuple[Scope, range]] = []
        self.requests: list[int] = []
        self.read_keys: list[RollupKey] = []
        self.read_periods: list[Period] = []

    def days(
        self,
        _epoch: Epoch,
        _family: str,
        scope: Scope,
        days: range,
        *_: Any,
        requests: int,
        **__: Any,
    ) -> Iterator[tuple[int, Rollup]]:
        self.read_days.append((scope, days))
        self.requests.append(requests)
        return iter(())

    def read(
        self, _epoch: Epoch, wanted: Collection[RollupKey], *_: Any, **__: Any
    ) -> Mapping[RollupKey, Rollup]:
        self.read_keys += wanted
        return {}

    def pages(
        self, _epoch: Epoch, _type: str, periods: Iterable[Period], *_: Any, **__: Any
    ) -> Iterator[Any]:
        self.read_periods += periods
        return iter(())


@pytest.mark.parametrize("is_forced", [False, True])
@pytest.mark.parametrize(("body", "_lines"), EXPLAINED)
def test_the_engine_reads_what_is_explained(
    body: dict[str, Any], _lines: list[str], is_forced: bool
) -> None:
    stores, plans = _Stores(), []

    def explain(aggregation: Aggregation, plan: AggregationPlan) -> None:
        plans.append(explained(aggregation, plan))

    engine = QueryEngine(stores, stores, 1, explain)  # type: ignore[arg-type]
    engine.aggregate(Reading(Epoch("org", 1)), aggregation(**body), from_pages=is_forced)
    (lines,) = plans
    text = "\n".join(lines)
    reads_pages_alone = "source: ledger pages" in text or "days: none" in text
    assert reads_pages_alone == (not stores.read_days and "lifetime" not in text)
    assert is_forced <= ("source: ledger pages" in text)
    if "lifetime" not in text and not is_forced:
        items = re.search(r"items per day: at most (\d+)", text)
        assert len(stores.read_days) == int(items[1] if items and not reads_pages_alone else 0)
    edges = re.search(r"^edges: (.*), from", text, re.MULTILINE)
    is_read = bool(edges) or "source: ledger pages" in text
    assert bool(stores.read_periods) == is_read


@pytest.mark.parametrize(("scopes", "requests"), [(1, 4), (2, 2), (3, 1), (5, 0)])
def test_the_days_of_all_scopes_share_the_requests(scopes: int, requests: int) -> None:
    stores = _Stores()
    templates = [f"t-{n}" for n in range(scopes)]
    of_year = {"from": "2025-11-11", "to": "2026-11-10"}
    found = aggregation(filters=[where("template_id", "in", templates)], **of_year)
    QueryEngine(stores, stores, 1).aggregate(  # type: ignore[arg-type]
        Reading(Epoch("org", 1)), found
    )
    assert stores.requests == [requests] * scopes


def test_a_debug_line_has_the_explanation_and_no_id() -> None:
    found = aggregation(filters=[where("template_id", "eq", SECRET)], **DAYS)
    plan = plan_aggregation(found)
    level = logger.log_level
    logger.setLevel("DEBUG")
    try:
        with logged() as lines:
            bootstrap._log_plan(found, plan)
    finally:
        logger.setLevel(level)
    (line,) = lines
    assert (line["level"], line["message"]) == ("DEBUG", "plan")
    assert line["plan"] == explained(found, plan)
    assert SECRET not in str(line)
