"""Queries and searches of the API beside the same in PostgreSQL and DuckDB, and call items one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from benchmarks import item_by_item, loading, wiring
from benchmarks.asking import Answer, Functions, Turns, Watch
from benchmarks.compared import Compared, compared_queries, four_weeks, three_conditions
from benchmarks.data import ORG_ID, TODAY_MS
from benchmarks.peak import measured
from benchmarks.report import Report, milliseconds, number, ratio
from benchmarks.stores import DAYS, Stores, analytics_texts, ask, calls_of_each_size, opened
from benchmarks.year import RARE_OUTCOME, Calls
from rollcall.api import strict_json
from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall.domain.facts import Fact
from rollcall.domain.measures import ORG
from rollcall.domain.organisations import tenant
from rollcall.domain.records import Call
from rollcall.query.explaining import explained
from rollcall.query.group_planner import plan_aggregation
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.items import attributes_text

# The time for call items one by one grows with their number.
SMALL = 100_000
TURNS = Turns(rounds=3, most=50, seconds=6.0, in_a_row=3)
FACTS = "rollcall-benchmark-facts"
# Rollups of other scopes are not read here, and would only take time to load.
SCOPES = (ORG,)
OUR_SECONDS_AIM = {100_000: 0.1, 1_000_000: 1.0}
ITEMS_AIM = 56
PEAK_MIB_AIM = 64


@dataclass(frozen=True)
class Result:
    """One query's times: over DynamoDB Local, over a store in memory, and those of databases.

    `peak_mib` is what the answer adds to the peak of a process that has answered a query about one day.
    """

    compared: Compared
    peak_mib: float
    local: Answer
    memory: Answer
    postgresql: float | None
    duckdb: float | None

    @property
    def name(self) -> str:
        return self.compared.name


def run(*, is_quick: bool) -> Report:
    report = Report("queries", engine=wiring.ENGINE)
    for calls in calls_of_each_size(report, is_quick=is_quick):
        with opened(calls, is_quick=is_quick, has_duckdb=True) as stores:
            results = list(_measure(_loaded(calls, stores), stores, is_quick=is_quick))
            _table(report, calls.count, results)
            _sizes(report, calls.count, stores)
            if calls.count <= SMALL:
                _item_by_item(report, calls, results)
    _plans(report)
    return report


def _loaded(calls: Calls, stores: Stores) -> MemoryDynamoDb:
    """The items of the calls, in DynamoDB Local and in the store in memory that is returned."""
    analytics = analytics_texts(calls, SCOPES)
    # A search reads the facts that it shows, by their keys, and no other.
    rare = (fact for chunk in calls.chunks() for fact in chunk if _outcome(fact) == RARE_OUTCOME)
    records = list(loading.fact_texts(rare))
    loading.load(stores.engine.url, wiring.ANALYTICS, analytics)
    loading.load(stores.engine.url, wiring.RECORDS, records)
    organisation = attributes_text(wiring.organisation_item())
    return loading.store_of({wiring.ANALYTICS: analytics, wiring.RECORDS: [organisation, *records]})


def _outcome(fact: Fact) -> str | None:
    assert isinstance(fact.record, Call)
    return fact.record.outcome


# -- times -----------------------------------------------------------------------------------
def _measure(memory: MemoryDynamoDb, stores: Stores, *, is_quick: bool) -> Iterator[Result]:
    """Each query over each store, in turn; their answers must agree."""
    turns = Turns(1, 1) if is_quick else TURNS
    compared = list(compared_queries())
    names = {each.query.function for each in compared}
    places = []
    for store in (None, memory):
        client = wiring.patient_client() if store is None else wiring.memory_client(store)
        with wiring.wired(client):
            places.append(Functions(Watch(client, store), names))
    for each in compared:
        answers, seconds = ask(each, places, turns, stores.postgresql, stores.duckdb)
        local, in_memory = answers
        # A cursor holds the time at which its page was read.
        if local.body | {"next": None} != in_memory.body | {"next": None}:
            raise AssertionError(f"{each.name}: the stores answer differently")
        peak = measured(stores.engine.url, each.query)
        yield Result(each, peak.mib, local, in_memory, *seconds)


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
        "peak of memory, MiB above that of one day",
    )
    for result in results:
        local, memory = result.local.split, result.memory.split
        parts = (local.whole, local.exchange, local.own, memory.own, memory.own - memory.botocore)
        table.add(
            result.name,
            result.local.source,
            *map(milliseconds, parts),
            milliseconds(result.postgresql),
            ratio(local.whole, result.postgresql),
            ratio(memory.own, result.postgresql),
            milliseconds(result.duckdb),
            ratio(memory.own, result.duckdb),
            number(result.local.items),
            number(result.local.units),
            number(result.peak_mib),
        )
    scans = [r.memory.split.own for r in results if r.local.source != "rollups"]
    aim = OUR_SECONDS_AIM.get(size)
    verdict = "" if aim is None else f"; aim < {aim * 1000:,.0f} ms is {_met(max(scans) < aim)}"
    report.finding(
        f"{size:,} calls: our own CPU of what is read from pages is {number(min(scans) * 1000)} to "
        f"{number(max(scans) * 1000)} ms{verdict}."
    )
    most = max(result.peak_mib for result in results)
    above = [result.name for result in results if result.peak_mib > PEAK_MIB_AIM]
    report.finding(
        f"{size:,} calls: an answer raises the peak of memory by at most {number(most)} MiB; aim ≤ "
        f"{PEAK_MIB_AIM} is {'missed by ' + ', '.join(above) if above else 'met'}."
    )
    (items,) = (r.local.items for r in results if r.name == four_weeks().name)
    report.finding(
        f"{size:,} calls: {four_weeks().name} read {items} items; aim ≤ {ITEMS_AIM} is "
        f"{_met(items <= ITEMS_AIM)}."
    )


def _sizes(report: Report, size: int, stores: Stores) -> None:
    """The bytes of both databases."""
    server, file = stores.postgresql, stores.duckdb
    if server is not None:
        report.finding(
            f"{size:,} calls in PostgreSQL {server.version}: {server.size() / 1e6:,.0f} MB with "
            "its indexes."
        )
    if file is not None:
        report.finding(f"{size:,} calls in DuckDB {file.version}: {file.size() / 1e6:,.0f} MB.")


def _plans(report: Report) -> None:
    """What `rollcall explain` says first of each query."""
    table = report.table("`rollcall explain`", "query", "source", "why, or what is read per day")
    for each in compared_queries():
        if each.query.function != "query_records":
            continue
        body = strict_json.loads(json.dumps(each.query.body).encode())
        query = parse_query(body, ORG_ID, TODAY_MS).query
        aggregation = query.aggregation(query.bounds.period, query.dimensions)
        lines = explained(aggregation, plan_aggregation(aggregation))
        says = dict(line.split(": ", 1) for line in lines)
        per_day = says.get("items per day")
        why = says["reason"] if per_day is None else f"{per_day} items, {says['scopes']}"
        table.add(each.name, says["source"], why)


# -- another way to store --------------------------------------------------------------------
def _item_by_item(report: Report, calls: Calls, results: Sequence[Result]) -> None:
    query = three_conditions()
    (ledger,) = (result.memory for result in results if result.name == query.name)
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
        f"{query.name}, {calls.count:,} calls, over memory",
        "from",
        "our own CPU, ms",
        "items",
        "read units",
    )
    own = ledger.split.own
    table.add("ledger", milliseconds(own), number(ledger.items), number(ledger.units))
    table.add("call items", milliseconds(naive.own), number(found.items), number(found.units))
    table.add(
        "call items ÷ ledger",
        ratio(naive.own, own),
        ratio(found.items, ledger.items),
        ratio(found.units, ledger.units),
    )


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
