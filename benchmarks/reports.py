"""What rollups answer in the dialects, over a million calls, beside the same in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks import loading, wiring
from benchmarks.asking import Answer, Functions, Query, Turns, Watch
from benchmarks.compared import Compared, Rows
from benchmarks.postgresql import PostgreSql
from benchmarks.report import Report, milliseconds, number, ratio
from benchmarks.stores import DAYS, analytics_texts, ask, calls_of_each_size, opened
from benchmarks.year import TEMPLATES
from rollcall.domain.measures import ORG, campaign_scope

TURNS = Turns(rounds=5, most=50, seconds=6.0, in_a_row=5)
TEMPLATE: Final = TEMPLATES[7]
CAMPAIGN: Final = "renewals"
SCOPES = (ORG, ("TEMPLATE", TEMPLATE), campaign_scope("outbound", CAMPAIGN))
ALL_TIME: Final = "all time"
ALL_TIME_AIM = 50

_MONTH = ("2026-10-22", "2026-11-20")
_IN_MONTH = "started_at >= '2026-10-22' AND started_at < '2026-11-21'"
_YEAR = ("2025-11-21", "2026-11-20")
_IN_YEAR = "started_at >= '2025-11-21' AND started_at < '2026-11-21'"
_TOTALS = ("total_calls", "completed_calls", "failed_calls", "avg_duration_seconds")


@dataclass(frozen=True)
class Result:
    compared: Compared
    answer: Answer
    postgresql: float | None


def reports() -> Iterator[Compared]:
    """Nine reports that rollups answer, and NLPearl's, which also counts distinct leads."""
    yield _outcomes(ALL_TIME, {}, "true")
    yield _outcomes("30 days", _dated(_MONTH), _IN_MONTH)
    yield _outcomes("365 days", _dated(_YEAR), _IN_YEAR)
    yield _outcomes(
        "365 days of a template",
        _dated(_YEAR) | {"template_id": TEMPLATE},
        f"template_id = '{TEMPLATE}' AND {_IN_YEAR}",
    )
    yield _count(ALL_TIME, {}, "true")
    yield _count("30 days", _dated(_MONTH), _IN_MONTH)
    yield _count("365 days", _dated(_YEAR), _IN_YEAR)
    yield _days()
    yield _totals()
    yield _campaign()


def run(*, is_quick: bool) -> Report:
    report = Report("reports", engine=wiring.ENGINE)
    for calls in calls_of_each_size(report, is_quick=is_quick):
        with opened(calls, is_quick=is_quick) as stores:
            texts = analytics_texts(calls, SCOPES, "reports of ")
            loading.load(stores.engine.url, wiring.ANALYTICS, texts)
            turns = Turns(1, 1) if is_quick else TURNS
            _table(report, calls.count, list(_measure(stores.postgresql, turns)))
    return report


def _measure(server: PostgreSql | None, turns: Turns) -> Iterator[Result]:
    compared = list(reports())
    client = wiring.patient_client()
    with wiring.wired(client):
        functions = Functions(Watch(client), {each.query.function for each in compared})
    for each in compared * turns.most:  # Java's compiler takes a while
        functions.ask(each.query)
    for each in compared:
        (answer,), (seconds,) = ask(each, [functions], turns, server)
        yield Result(each, answer, seconds)


def _table(report: Report, size: int, results: list[Result]) -> None:
    table = report.table(
        f"{size:,} calls of {DAYS} days, warm median ms",
        "report",
        "from",
        "over DynamoDB Local",
        "our own CPU",
        "PostgreSQL",
        "PostgreSQL ÷ over DynamoDB Local",
        "items",
        "read units",
    )
    for each in results:
        split = each.answer.split
        table.add(
            each.compared.name,
            each.answer.source,
            milliseconds(split.whole),
            milliseconds(split.own),
            milliseconds(each.postgresql),
            ratio(each.postgresql, split.whole),
            number(each.answer.items),
            number(each.answer.units),
        )
    _findings(report, size, results)


def _findings(report: Report, size: int, results: list[Result]) -> None:
    ratios = {
        each.compared.name: each.postgresql / each.answer.split.whole
        for each in results
        if each.postgresql is not None
    }
    if not ratios:
        return
    slower = [name for name, ratio in ratios.items() if ratio < 1]
    report.finding(
        f"{size:,} calls: {len(ratios) - len(slower)} of {len(ratios)} are faster than PostgreSQL"
        + (f"; slower: {', '.join(slower)}." if slower else ".")
    )
    of_all_time = min(ratio for name, ratio in ratios.items() if name.endswith(ALL_TIME))
    report.finding(
        f"{size:,} calls: reports of all time are at least {number(of_all_time)} × as fast; aim "
        f"≥ {ALL_TIME_AIM} × is {'met' if of_all_time >= ALL_TIME_AIM else 'missed'}."
    )


# -- the reports -----------------------------------------------------------------------------
def _outcomes(period: str, filters: Mapping[str, Any], where: str) -> Compared:
    return Compared(
        _breeze("outcome_distribution", period, filters),
        # Both order equal counts by the name, so that the rows can be compared.
        f"""
        SELECT coalesce(outcome, 'N/A') AS name, count(*) AS calls FROM calls WHERE {where}
        GROUP BY 1 ORDER BY calls DESC, name
        """,  # noqa: S608 - our own texts
        _cells("outcome", "count"),
    )


def _count(period: str, filters: Mapping[str, Any], where: str) -> Compared:
    sql = f"SELECT count(*) FROM calls WHERE {where}"  # noqa: S608 - our own texts
    return Compared(_breeze("call_count", period, filters), sql, _cells("count"))


def _days() -> Compared:
    return Compared(
        _breeze("calls_over_time", "365 days, by day", _dated(_YEAR), page_size=1000),
        f"""
        SELECT started_at::date, count(*) FROM calls WHERE {_IN_YEAR} GROUP BY 1 ORDER BY 1
        """,  # noqa: S608 - our own texts
        lambda body: [[row["date"], str(row["count"])] for row in body["data"] if row["count"]],
    )


def _totals() -> Compared:
    return Compared(
        Query(
            f"Unpod's totals, {ALL_TIME}",
            "get_organisation_analytics",
            headers={"Org-Handle": "bench"},
        ),
        """
        SELECT count(*), count(*) FILTER (WHERE status = 'completed'),
            count(*) FILTER (WHERE status = 'failed'),
            round(coalesce(avg(duration_seconds), 0), 1)
        FROM calls
        """,
        lambda body: [[str(body["data"][name]) for name in _TOTALS]],
    )


def _campaign() -> Compared:
    """A campaign's report has much more in it; the SQL asks for what needs the calls."""
    return Compared(
        Query(
            "NLPearl's report of a campaign, 90 days",
            "get_outbound_analytics",
            path={"outboundId": CAMPAIGN},
            body={"from": "2026-08-23T00:00:00Z", "to": "2026-11-20T23:59:59Z"},
        ),
        f"""
        SELECT count(DISTINCT lead_id), count(*) FROM calls
        WHERE campaign_id = '{CAMPAIGN}' AND direction = 'outbound'
            AND started_at >= '2026-08-23' AND started_at < '2026-11-21'
        GROUP BY ROLLUP (started_at::date) ORDER BY started_at::date NULLS FIRST
        """,  # noqa: S608 - our own texts
        _leads,
    )


def _leads(body: Any) -> Rows:
    days = [day for day in body["callsStatusTimeLine"] if day["totalCalls"]]
    parts = (body["callsStatusOverview"], *days)
    return [[str(part["totalLeads"]), str(part["totalCalls"])] for part in parts]


def _breeze(query_type: str, period: str, filters: Mapping[str, Any], **more: Any) -> Query:
    body = {"query_type": query_type, "filters": filters, **more}
    return Query(f"Breeze {query_type}, {period}", "query_analytics", body=body)


def _dated(bounds: tuple[str, str]) -> dict[str, str]:
    return {"date_from": bounds[0], "date_to": bounds[1]}


def _cells(*names: str) -> Callable[[Any], Rows]:
    return lambda body: [[str(row[name]) for name in names] for row in body["data"]]
