"""Questions that no rollup answers, over pages, beside call items one by one and PostgreSQL.

All hold the same calls, all are warm, every answer is compared with PostgreSQL's before its time
counts. Then the questions that rollups do answer, beside PostgreSQL's GROUP BY on the fly.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from benchmarks import item_by_item, loading, postgresql, wiring
from benchmarks.asking import Answer, Functions, Query, Turns, Watch, in_turns
from benchmarks.data import ORG_ID
from benchmarks.postgresql import PostgreSql
from benchmarks.report import Report, Table, median, number
from benchmarks.year import TEMPLATES, Calls
from rollcall.domain.measures import ORG, campaign_scope
from rollcall.domain.organisations import tenant
from rollcall.settings import settings
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.items import attributes_text

PAGE_TARGETS = tuple(kib * 1024 for kib in (4, 8, 16, 32, 64))
SIZES = (100_000, 1_000_000)
QUICK_SIZES = (2_000,)
# DynamoDB Local takes minutes to store a million items and longer to read them, so there call items
# are read from memory alone.
MAX_FACTS_IN_ENGINE = 100_000
DAYS = 365
TURNS = Turns(rounds=5, most=50, seconds=3.0)
FACTS = "rollcall-benchmark-facts"
TEMPLATE, MERCHANT, CAMPAIGN = TEMPLATES[7], "merchant-003", "renewals"
MIN_SECONDS, MAX_SENTIMENT = 60, 0.4
# Rollups of the other scopes are not read here, and would only take time to load.
SCOPES = (
    ORG,
    ("TEMPLATE", TEMPLATE),
    campaign_scope("outbound", CAMPAIGN),
)
OUR_SECONDS_AIM = {100_000: 0.1, 1_000_000: 1.0}
PEAK_MIB_AIM = 256
ROLLUP_AIM = 50

Rows = list[list[str]]


@dataclass(frozen=True)
class Compared:
    """A question, the query that asks PostgreSQL the same, and the rows they have in common."""

    question: Query
    sql: str
    rows: Callable[[Any], Rows]


# -- questions -------------------------------------------------------------------------------
_OUTCOMES = """
SELECT coalesce(outcome, 'N/A') AS name, count(*) AS calls FROM calls {where}
GROUP BY 1 ORDER BY calls DESC, name
"""
_RANGE = ("2026-09-01T07:30:00Z", "2026-11-15T17:59:59Z")
_IN_RANGE = "started_at >= '2026-09-01T07:30:00Z' AND started_at < '2026-11-15T18:00:00Z'"
_MONTH = ("2026-10-22", "2026-11-20")
_IN_MONTH = "started_at >= '2026-10-22' AND started_at < '2026-11-21'"
_YEAR = ("2025-11-21", "2026-11-20")
_IN_YEAR = "started_at >= '2025-11-21' AND started_at < '2026-11-21'"


def _breeze(name: str, query_type: str, filters: Mapping[str, Any], **more: Any) -> Query:
    body = {"query_type": query_type, "filters": filters, **more}
    return Query(f"{query_type}: {name}", "query_analytics", body=body)


def _dated(bounds: tuple[str, str]) -> dict[str, str]:
    return {"date_from": bounds[0], "date_to": bounds[1]}


def _cells(*names: str) -> Callable[[Any], Rows]:
    return lambda body: [[str(row[name]) for name in names] for row in body["data"]]


def _outcomes(name: str, filters: Mapping[str, Any], where: str) -> Compared:
    question = _breeze(name, "outcome_distribution", filters)
    return Compared(question, _OUTCOMES.format(where=where), _cells("outcome", "count"))


def _count(name: str, filters: Mapping[str, Any], where: str) -> Compared:
    sql = f"SELECT count(*) FROM calls {where}"  # noqa: S608 - our own texts
    return Compared(_breeze(name, "call_count", filters), sql, _cells("count"))


def scans() -> Iterator[Compared]:
    """Questions that only the ledger answers."""
    talked = {"min_duration": MIN_SECONDS, "sentiment_max": MAX_SENTIMENT}
    is_talked = (
        f"duration_seconds >= {MIN_SECONDS} AND sentiment_milli <= {int(MAX_SENTIMENT * 1000)}"
    )
    combined = {"template_id": TEMPLATE, "merchant_id": MERCHANT}
    is_combined = f"template_id = '{TEMPLATE}' AND merchant_id = '{MERCHANT}'"
    yield _outcomes("duration and sentiment", talked, f"WHERE {is_talked}")
    yield _outcomes(
        "duration and sentiment, 75 days and a half",
        talked | _dated(_RANGE),
        f"WHERE {is_talked} AND {_IN_RANGE}",
    )
    yield _count("duration", {"min_duration": 120}, "WHERE duration_seconds >= 120")
    yield _count(
        "one payload value",
        {"payload_filters": {"language": "de"}},
        """WHERE payload @> '{"language": "de"}'""",
    )
    yield _outcomes("template and merchant", combined, f"WHERE {is_combined}")
    yield _outcomes(
        "template and merchant, 75 days and a half",
        combined | _dated(_RANGE),
        f"WHERE {is_combined} AND {_IN_RANGE}",
    )
    yield Compared(
        _breeze(
            "by hour in Europe/Berlin",
            "calls_over_time",
            {},
            granularity="hour",
            timezone="Europe/Berlin",
            page_size=1000,
        ),
        "SELECT count(*) FROM calls GROUP BY date_trunc('hour', started_at, 'Europe/Berlin') "
        "ORDER BY date_trunc('hour', started_at, 'Europe/Berlin')",
        lambda body: [[str(row["count"])] for row in body["data"] if row["count"]],
    )
    yield Compared(
        Query(
            "NLPearl outbound: 90 days, distinct leads by day",
            "get_outbound_analytics",
            path={"outboundId": CAMPAIGN},
            body={"from": "2026-08-23T00:00:00Z", "to": "2026-11-20T23:59:59Z"},
        ),
        # A campaign's report has much more in it; this is what it needs the calls for.
        "SELECT count(DISTINCT lead_id), count(*) FROM calls "  # noqa: S608
        f"WHERE campaign_id = '{CAMPAIGN}' AND direction = 'outbound' "
        "AND started_at >= '2026-08-23' AND started_at < '2026-11-21' "
        "GROUP BY ROLLUP (started_at::date) ORDER BY started_at::date NULLS FIRST",
        _leads,
    )


def _leads(body: Any) -> Rows:
    days = [day for day in body["callsStatusTimeLine"] if day["totalCalls"]]
    return [
        [str(part["totalLeads"]), str(part["totalCalls"])]
        for part in (body["callsStatusOverview"], *days)
    ]


def kept() -> Iterator[Compared]:
    """Questions that rollups answer."""
    yield _outcomes("all time", {}, "")
    yield _outcomes("30 whole days", _dated(_MONTH), f"WHERE {_IN_MONTH}")
    yield _outcomes("365 whole days", _dated(_YEAR), f"WHERE {_IN_YEAR}")
    yield _outcomes(
        "365 whole days of a template",
        _dated(_YEAR) | {"template_id": TEMPLATE},
        f"WHERE template_id = '{TEMPLATE}' AND {_IN_YEAR}",
    )
    yield _count("all time", {}, "")
    yield _count("30 whole days", _dated(_MONTH), f"WHERE {_IN_MONTH}")
    yield _count("365 whole days", _dated(_YEAR), f"WHERE {_IN_YEAR}")
    yield Compared(
        _breeze("by day, 365 whole days", "calls_over_time", _dated(_YEAR), page_size=1000),
        "SELECT started_at::date, count(*) FROM calls "  # noqa: S608
        f"WHERE {_IN_YEAR} GROUP BY 1 ORDER BY 1",
        lambda body: [[row["date"], str(row["count"])] for row in body["data"] if row["count"]],
    )
    yield Compared(
        Query(
            "Unpod: totals, all time",
            "get_organisation_analytics",
            headers={"Org-Handle": "bench"},
        ),
        "SELECT count(*), count(*) FILTER (WHERE status = 'completed'), "
        "count(*) FILTER (WHERE status = 'failed'), "
        "round(coalesce(avg(duration_seconds), 0), 1) FROM calls",
        lambda body: [
            [
                str(body["data"][name])
                for name in (
                    "total_calls",
                    "completed_calls",
                    "failed_calls",
                    "avg_duration_seconds",
                )
            ]
        ],
    )


# -- the benchmark ---------------------------------------------------------------------------
@dataclass(frozen=True)
class Result:
    """One question's times: over DynamoDB Local, over a store in memory, and PostgreSQL's."""

    compared: Compared
    local: Answer
    memory: Answer
    postgresql: float | None

    @property
    def name(self) -> str:
        return self.compared.question.name


def run(*, is_quick: bool) -> Report:
    report = Report("ad_hoc", engine=wiring.ENGINE)
    has_postgresql = postgresql.is_installed()
    if not has_postgresql:
        report.finding("PostgreSQL is not installed here, so nothing is compared with it.")
    items = Table(
        "The same answer from call items one by one: outcome_distribution by duration and sentiment",
        [
            "calls",
            "ledger: ms",
            "our own CPU, ms",
            "read units",
            "item by item: ms",
            "our own CPU, ms",
            "read units",
            "× the time",
            "× our CPU",
            "× the units",
        ],
    )
    for size in QUICK_SIZES if is_quick else SIZES:
        calls = Calls(size, DAYS)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(postgresql.running()) if has_postgresql else None
            engine = stack.enter_context(wiring.engine(is_for_long=not is_quick))
            texts = _load(engine, server, calls)
            scanned = list(_measure(texts, server, scans(), is_quick=is_quick))
            _scan_table(report, size, scanned, server)
            _items_rows(items, calls, scanned[0])
            if size == (QUICK_SIZES if is_quick else SIZES)[-1]:
                answered = list(_measure(texts, server, kept(), is_quick=is_quick))
                _kept_table(report, size, answered, server)
                _peak(report, engine, size)
    report.tables.insert(len(report.tables) - 1, items)
    _page_sizes(report, Calls((QUICK_SIZES if is_quick else SIZES)[0], DAYS), is_quick=is_quick)
    return report


def _load(engine: wiring.Engine, server: PostgreSql | None, calls: Calls) -> list[str]:
    """Bring the calls into all stores; the pages and rollups as texts."""
    texts = _texts(calls, settings.page_target_bytes)
    loading.load(engine.url, wiring.ANALYTICS, texts)
    engine.create_plain_table(FACTS)
    for chunk in calls.chunks():
        if server is not None:
            server.copy(chunk)
        if calls.count <= MAX_FACTS_IN_ENGINE:
            loading.load(engine.url, FACTS, loading.fact_texts(chunk))
    if server is not None:
        server.index()
    return texts


def _texts(calls: Calls, page_target_bytes: int) -> list[str]:
    facts = chain.from_iterable(calls.chunks())
    return loading.analytics_items(calls.name, facts, page_target_bytes, SCOPES)


def _measure(
    texts: Sequence[str],
    server: PostgreSql | None,
    questions: Iterator[Compared],
    *,
    is_quick: bool,
) -> Iterator[Result]:
    """Each question over each store, in turn; their answers must agree."""
    named = [attributes_text(wiring.organisation_item())]
    store = loading.store_of({wiring.ANALYTICS: texts, wiring.RECORDS: named})
    turns = Turns(1, 1) if is_quick else TURNS
    compared = list(questions)
    names = {each.question.function for each in compared}
    places = []
    for memory in (None, store):
        client = wiring.patient_client() if memory is None else wiring.memory_client(memory)
        with wiring.wired(client):
            places.append(Functions(Watch(client, memory), names))
    for each in compared:
        asked = _Asked(server, each.sql)
        local, in_memory = in_turns(each.question, places, turns, also=asked)
        if local.body != in_memory.body:
            raise AssertionError((each.question, local.body, in_memory.body))
        asked.check(each.rows(local.body))
        yield Result(each, local, in_memory, asked.seconds)


class _Asked:
    """A query that PostgreSQL, where there is one, is asked once more at every call."""

    def __init__(self, server: PostgreSql | None, sql: str) -> None:
        self._server = server
        self._sql = sql
        self._rows: list[str] = []
        self._seconds: list[float] = []

    def __call__(self) -> None:
        if self._server is not None:
            self._rows, seconds = self._server.ask(self._sql)
            self._seconds.append(seconds)

    @property
    def seconds(self) -> float | None:
        """The median, without the first time, or None where there is no PostgreSQL."""
        return median(self._seconds[1:]) if self._seconds else None

    def check(self, rows: Rows) -> None:
        """Our rows may be a page of all rows. Raises AssertionError when they are others."""
        ours = ["|".join(row) for row in rows]
        if self._server is None:
            return
        if len(ours) < min(len(self._rows), 1) or ours != self._rows[: len(ours)]:
            raise AssertionError((self._sql, ours[:5], self._rows[:5]))


def _scan_table(
    report: Report, size: int, results: Sequence[Result], server: PostgreSql | None
) -> None:
    table = report.table(
        f"Questions to the ledger over {size:,} calls of {DAYS} days, warm median ms",
        "question",
        "over DynamoDB Local",
        "in exchanges, summed over queries",
        "our own CPU",
        "over memory: our own CPU",
        "of it botocore",
        "without botocore",
        "PostgreSQL",
        "over DynamoDB Local ÷ PostgreSQL",
        "our own CPU ÷ PostgreSQL",
        "items",
        "read units",
    )
    for result in results:
        local, memory = result.local.split, result.memory.split
        parts = (
            local.whole,
            local.exchange,
            local.own,
            memory.own,
            memory.botocore,
            memory.own - memory.botocore,
        )
        table.add(
            result.name,
            *(number(seconds * 1000) for seconds in parts),
            _ms(result.postgresql),
            _ratio(local.whole, result.postgresql),
            _ratio(memory.own, result.postgresql),
            number(result.local.items),
            number(result.local.units),
        )
    own = sorted(result.memory.split.own for result in results)
    aim = OUR_SECONDS_AIM.get(size)
    verdict = "" if aim is None else f"; aim < {aim * 1000:,.0f} ms is {_met(own[-1] < aim)}"
    report.finding(
        f"{size:,} calls: our own CPU is {number(own[0] * 1000)} to {number(own[-1] * 1000)} ms "
        f"a question{verdict}."
    )
    if server is not None:
        report.finding(
            f"{size:,} calls in PostgreSQL {server.version}: {server.size() / 1e6:,.0f} MB with "
            "its indexes."
        )


def _items_rows(table: Table, calls: Calls, ledger: Result) -> None:
    """Item by item over DynamoDB Local, as far as it holds the items, and over memory; once each."""
    if calls.count <= MAX_FACTS_IN_ENGINE:
        client = wiring.patient_client()
        _items_row(table, "DynamoDB Local", calls, client, None, ledger.local)
    facts = chain.from_iterable(calls.chunks())
    store = loading.store_of({FACTS: loading.fact_texts(facts)})
    client = wiring.memory_client(store)
    _items_row(table, "memory", calls, client, store, ledger.memory)


def _items_row(
    table: Table,
    where: str,
    calls: Calls,
    client: Any,
    store: MemoryDynamoDb | None,
    ledger: Answer,
) -> None:
    with tenant(ORG_ID):
        found, naive = Watch(client, store).time(
            lambda: item_by_item.outcomes(
                client, FACTS, ORG_ID, MIN_SECONDS, int(MAX_SENTIMENT * 1000)
            )
        )
    expected = {row["outcome"]: row["count"] for row in ledger.body["data"]}
    if found.counts != expected or found.items != calls.count:
        raise AssertionError((found, expected))
    ours = ledger.split
    table.add(
        f"{calls.count:,} over {where}",
        number(ours.whole * 1000),
        number(ours.own * 1000),
        number(ledger.units),
        number(naive.whole * 1000),
        number(naive.own * 1000),
        number(found.units),
        number(naive.whole / ours.whole),
        number(naive.own / ours.own),
        number(found.units / ledger.units),
    )


def _kept_table(
    report: Report, size: int, results: Sequence[Result], server: PostgreSql | None
) -> None:
    table = report.table(
        f"Questions to rollups, {size:,} calls of {DAYS} days, warm median ms",
        "question",
        "over DynamoDB Local",
        "in exchanges",
        "our own CPU",
        "over memory: our own CPU",
        "PostgreSQL",
        "PostgreSQL ÷ over DynamoDB Local",
        "PostgreSQL ÷ our own CPU",
        "items",
        "read units",
    )
    for result in results:
        local, own = result.local.split, result.memory.split.own
        table.add(
            result.name,
            *(number(seconds * 1000) for seconds in (local.whole, local.exchange, local.own, own)),
            _ms(result.postgresql),
            _ratio(result.postgresql, local.whole),
            _ratio(result.postgresql, own),
            number(result.local.items),
            number(result.local.units),
        )
    if server is not None and size in SIZES:
        faster = [
            result.name
            for result in results
            if (result.postgresql or 0.0) >= ROLLUP_AIM * result.local.split.whole
        ]
        report.finding(
            f"Rollups over DynamoDB Local at least {ROLLUP_AIM} times faster than PostgreSQL: "
            f"{len(faster)} of {len(results)} questions ({'; '.join(faster) or 'none'})."
        )


def _peak(report: Report, engine: wiring.Engine, size: int) -> None:
    done = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "benchmarks.scan_peak", engine.url],
        cwd=wiring.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    before, after = (int(kib) / 1024 for kib in done.stdout.split())
    report.finding(
        f"Peak memory of a fresh process over {size:,} rows: {number(after - before)} MiB above "
        f"the {number(before)} MiB of a question about one day; aim < {PEAK_MIB_AIM} MiB is "
        f"{_met(after - before < PEAK_MIB_AIM)}."
    )


def _page_sizes(report: Report, calls: Calls, *, is_quick: bool) -> None:
    question = next(scans()).question
    table = report.table(
        f"Pages of other sizes: {question.name}, {calls.count:,} calls, over memory",
        "page target",
        "pages",
        "our own CPU, ms",
        "of it botocore",
        "without botocore",
        "items",
        "read units",
    )
    places, pages = [], []
    with wiring.environment():
        for target in PAGE_TARGETS:
            texts = _texts(calls, target)
            pages.append(sum("#LEDGER#" in text for text in texts))
            store = loading.store_of({wiring.ANALYTICS: texts})
            client = wiring.memory_client(store)
            with wiring.wired(client):
                places.append(Functions(Watch(client, store), [question.function]))
        rounds = 1 if is_quick else 15
        answers = in_turns(question, places, Turns(rounds, rounds))
    for target, count, answer in zip(PAGE_TARGETS, pages, answers, strict=True):
        split = answer.split
        table.add(
            f"{target // 1024} KiB",
            count,
            *(number(s * 1000) for s in (split.own, split.botocore, split.own - split.botocore)),
            number(answer.items),
            number(answer.units),
        )


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else number(seconds * 1000)


def _ratio(seconds: float | None, others: float | None) -> str:
    return "–" if seconds is None or others is None else f"{number(seconds / others)} ×"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
