"""Queries and searches of the API beside the same in PostgreSQL and DuckDB, and call items one by one.

All hold the same calls, all are warm, and every answer is compared with those of both databases before
its time counts.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from benchmarks import duckdb_file, item_by_item, loading, postgresql, wiring
from benchmarks.asking import Answer, Functions, Turns, Watch, in_turns
from benchmarks.compared import (
    Asked,
    Compared,
    ask_all,
    check_equal,
    four_weeks,
    questions,
    three_conditions,
)
from benchmarks.data import ORG_ID, TODAY_MS
from benchmarks.duckdb_file import DuckDb
from benchmarks.postgresql import PostgreSql, copy_line
from benchmarks.report import Report, number
from benchmarks.year import RARE_OUTCOME, Calls
from rollcall.api import strict_json
from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall.domain.facts import Fact
from rollcall.domain.measures import ORG
from rollcall.domain.organisations import tenant
from rollcall.domain.records import Call
from rollcall.query.explaining import explained
from rollcall.query.group_planner import plan_aggregation
from rollcall.settings import settings
from tests.support.emulator.items import attributes_text

SIZES = (100_000, 1_000_000)
QUICK_SIZES = (2_000,)
# Call items one by one take as much longer as there are more of them.
SMALL = 100_000
DAYS = 365
TURNS = Turns(rounds=3, most=50, seconds=3.0)
FACTS = "rollcall-benchmark-facts"
# Rollups of other scopes are not read here, and would only take time to load.
SCOPES = (ORG,)
OUR_SECONDS_AIM = {100_000: 0.1, 1_000_000: 1.0}
ITEMS_AIM = 56


@dataclass(frozen=True)
class Result:
    """One question's times: over DynamoDB Local, over a store in memory, and those of databases."""

    compared: Compared
    local: Answer
    memory: Answer
    postgresql: float | None
    duckdb: float | None

    @property
    def name(self) -> str:
        return self.compared.name


def run(*, is_quick: bool) -> Report:
    report = Report("queries", engine=wiring.ENGINE)
    has_postgresql = postgresql.is_installed()
    if not has_postgresql:
        report.finding("PostgreSQL is not installed here, so nothing is compared with it.")
    for size in QUICK_SIZES if is_quick else SIZES:
        calls = Calls(size, DAYS)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(postgresql.running()) if has_postgresql else None
            file = stack.enter_context(duckdb_file.opened())
            engine = stack.enter_context(wiring.engine(is_for_long=not is_quick))
            stored = _load(engine, server, file, calls)
            results = list(_measure(stored, server, file, is_quick=is_quick))
            _table(report, size, results)
            _sizes(report, size, server, file)
            if size <= SMALL:
                _item_by_item(report, calls, results)
    _plans(report)
    return report


# -- the calls -------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Stored:
    """The items of both tables, as texts."""

    analytics: Sequence[str]
    records: Sequence[str]


def _load(engine: wiring.Engine, server: PostgreSql | None, file: DuckDb, calls: Calls) -> _Stored:
    """Bring the calls into all stores."""
    rare: list[Fact] = []
    for chunk in calls.chunks():
        lines = [copy_line(fact) for fact in chunk]
        file.copy(lines)
        if server is not None:
            server.copy(lines)
        rare += [fact for fact in chunk if _outcome(fact) == RARE_OUTCOME]
    if server is not None:
        server.index()
    # A search reads the facts that it shows, by their keys, and no other.
    stored = _Stored(analytics_texts(calls), list(loading.fact_texts(rare)))
    loading.load(engine.url, wiring.ANALYTICS, stored.analytics)
    loading.load(engine.url, wiring.RECORDS, stored.records)
    return stored


def _outcome(fact: Fact) -> str | None:
    assert isinstance(fact.record, Call)
    return fact.record.outcome


def analytics_texts(calls: Calls) -> list[str]:
    """Pages, segments and rollups of calls, as texts of items."""
    facts = chain.from_iterable(calls.chunks())
    return loading.analytics_items(calls.name, facts, settings.page_target_bytes, SCOPES)


# -- times -----------------------------------------------------------------------------------
def _measure(
    stored: _Stored, server: PostgreSql | None, file: DuckDb, *, is_quick: bool
) -> Iterator[Result]:
    """Each question over each store, in turn; their answers must agree."""
    organisation = attributes_text(wiring.organisation_item())
    store = loading.store_of(
        {wiring.ANALYTICS: stored.analytics, wiring.RECORDS: [organisation, *stored.records]}
    )
    turns = Turns(1, 1) if is_quick else TURNS
    compared = list(questions())
    names = {each.question.function for each in compared}
    places = []
    for memory in (None, store):
        client = wiring.patient_client() if memory is None else wiring.memory_client(memory)
        with wiring.wired(client):
            places.append(Functions(Watch(client, memory), names))
    for each in compared:
        asked = [Asked(store, each.sql) for store in (server, file)]
        local, in_memory = in_turns(each.question, places, turns, also=partial(ask_all, asked))
        # A cursor holds the time at which its page was read.
        if local.body | {"next": None} != in_memory.body | {"next": None}:
            raise AssertionError(f"{each.name}: the stores answer differently")
        for database in asked:
            if database.rows is not None:
                check_equal(each, local.body, database.rows)
        yield Result(each, local, in_memory, *(database.seconds for database in asked))


def _table(report: Report, size: int, results: Sequence[Result]) -> None:
    table = report.table(
        f"{size:,} calls of {DAYS} days, warm median ms",
        "query",
        "from",
        "over DynamoDB Local",
        "in exchanges, summed over requests",
        "our own CPU",
        "over memory: our own CPU",
        "without botocore",
        "PostgreSQL",
        "over DynamoDB Local ÷ PostgreSQL",
        "our own CPU ÷ PostgreSQL",
        "DuckDB",
        "our own CPU ÷ DuckDB",
        "items",
        "read units",
    )
    for result in results:
        local, memory = result.local.split, result.memory.split
        parts = (local.whole, local.exchange, local.own, memory.own, memory.own - memory.botocore)
        table.add(
            result.name,
            result.local.source,
            *(number(seconds * 1000) for seconds in parts),
            _ms(result.postgresql),
            _ratio(local.whole, result.postgresql),
            _ratio(memory.own, result.postgresql),
            _ms(result.duckdb),
            _ratio(memory.own, result.duckdb),
            number(result.local.items),
            number(result.local.units),
        )
    scans = [r.memory.split.own for r in results if r.local.source != "rollups"]
    aim = OUR_SECONDS_AIM.get(size)
    verdict = "" if aim is None else f"; aim < {aim * 1000:,.0f} ms is {_met(max(scans) < aim)}"
    report.finding(
        f"{size:,} calls: our own CPU of what is read from pages is {number(min(scans) * 1000)} to "
        f"{number(max(scans) * 1000)} ms{verdict}."
    )
    (items,) = (r.local.items for r in results if r.name == four_weeks().name)
    report.finding(
        f"{size:,} calls: {four_weeks().name} read {items} items; aim ≤ {ITEMS_AIM} is "
        f"{_met(items <= ITEMS_AIM)}."
    )


def _sizes(report: Report, size: int, server: PostgreSql | None, file: DuckDb) -> None:
    """The bytes of both databases."""
    if server is not None:
        report.finding(
            f"{size:,} calls in PostgreSQL {server.version}: {server.size() / 1e6:,.0f} MB with "
            "its indexes."
        )
    report.finding(f"{size:,} calls in DuckDB {file.version}: {file.size() / 1e6:,.0f} MB.")


def _plans(report: Report) -> None:
    """What `rollcall explain` says first of each query."""
    table = report.table("`rollcall explain`", "query", "source", "why, or what is read per day")
    for each in questions():
        if each.question.function != "query_records":
            continue
        body = strict_json.loads(json.dumps(each.question.body).encode())
        query = parse_query(body, ORG_ID, TODAY_MS).query
        aggregation = query.aggregation(query.bounds.period, query.dimensions)
        lines = explained(aggregation, plan_aggregation(aggregation))
        says = dict(line.split(": ", 1) for line in lines)
        per_day = says.get("items per day")
        why = says["reason"] if per_day is None else f"{per_day} items, {says['scopes']}"
        table.add(each.name, says["source"], why)


# -- another way to store --------------------------------------------------------------------
def _item_by_item(report: Report, calls: Calls, results: Sequence[Result]) -> None:
    question = three_conditions()
    (ledger,) = (result.memory for result in results if result.name == question.name)
    facts = chain.from_iterable(calls.chunks())
    store = loading.store_of({FACTS: loading.fact_texts(facts)})
    client = wiring.memory_client(store)
    with tenant(ORG_ID):
        found, naive = Watch(client, store).time(
            lambda: item_by_item.outcomes(client, FACTS, ORG_ID)
        )
    expected = {row["outcome"]: row["calls"] for row in ledger.body["rows"]}
    if found.counts != expected or found.items != calls.count:
        raise AssertionError((found, expected))
    table = report.table(
        f"{question.name}, {calls.count:,} calls, over memory",
        "from",
        "our own CPU, ms",
        "items",
        "read units",
    )
    own = ledger.split.own
    table.add("ledger", number(own * 1000), number(ledger.items), number(ledger.units))
    table.add("call items", number(naive.own * 1000), number(found.items), number(found.units))
    table.add(
        "call items ÷ ledger",
        f"{number(naive.own / own)} ×",
        f"{number(found.items / ledger.items)} ×",
        f"{number(found.units / ledger.units)} ×",
    )


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else number(seconds * 1000)


def _ratio(seconds: float | None, others: float | None) -> str:
    return "–" if seconds is None or others is None else f"{number(seconds / others)} ×"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
