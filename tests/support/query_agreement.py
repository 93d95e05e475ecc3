"""Whether Rollcall's own queries are answered as the query oracle expects, page by page.

Everything goes through the functions as they are deployed; some queries are asked as CSV too. Each query is asked twice: as the planner
reads it, and from ledger pages alone; the two answers are to be the same byte for byte.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from rollcall.query import engine
from rollcall.query.group_planner import FromPages
from tests.support.agreement import (
    Disagreement,
    content_difference,
    headers_fault,
    spilling,
)
from tests.support.answering import Answer, Deployment
from tests.support.query_faults import Invalid, fault_of
from tests.support.query_generator import Scenario
from tests.support.query_oracle import Query, QueryOracle
from tests.support.query_records import Content
from tests.support.query_tables import file_name, table_difference
from tests.support.shrinking import shrunk

PAGES = 4
"""How many pages of one answer are looked at."""


def check_queries(deployment: Deployment, scenario: Scenario, sent_ms: int) -> Counter[Any]:
    """Ask everything of a scenario; how often each kind was answered from where.

    `sent_ms` is when the records were received. Raises Disagreement.
    """
    oracle, org_id = organisation_with(deployment, scenario, sent_ms)
    return ask_everything(deployment, org_id, oracle, scenario)


def organisation_with(
    deployment: Deployment, scenario: Scenario, sent_ms: int
) -> tuple[QueryOracle, str]:
    """A new organisation with the records of a scenario: what the oracle knows of it, and its id.

    They are received at `sent_ms`, or a second before the scenario's time if that is earlier: a search
    leaves out calls that moved since it began. The versions of a fact have increasing revisions, so
    the last one may be some milliseconds later than it was sent.
    """
    deployment.now_ms = sent_ms = min(sent_ms, scenario.now_ms - 1_000)
    with spilling(scenario.spill_bytes):
        org_id = deployment.organisation(scenario.records)
    deployment.now_ms = scenario.now_ms
    return QueryOracle(scenario.records, sent_ms), org_id


def ask_everything(
    deployment: Deployment, org_id: str, oracle: QueryOracle, scenario: Scenario
) -> Counter[Any]:
    """How often each kind was answered from where. Raises Disagreement."""
    seen: Counter[Any] = Counter()
    for number, body in enumerate(scenario.queries):
        seen["query", check_query(deployment, org_id, oracle, body)] += 1
        if number % 4 == 0:
            check_table(deployment, org_id, oracle, body)
    for body in scenario.searches:
        seen["search", check_search(deployment, org_id, oracle, body)] += 1
    for dimension, asked in scenario.values:
        seen["values", check_values(deployment, org_id, oracle, dimension, asked)] += 1
    return seen


def check_query(deployment: Deployment, org_id: str, oracle: QueryOracle, body: Content) -> str:
    """Every page of a query against the oracle; the source of the first."""
    asked, skip, source = dict(body), 0, ""
    for _ in range(PAGES):
        deployment.store.meter.reset()
        answer = deployment.ask("query_records", org_id, body=asked)
        expected = oracle.answer(body, deployment.now_ms, skip)
        if problem := difference(answer, expected) or headers_fault(answer, deployment):
            raise Disagreement(f"{problem}\nquery: {asked}\nanswer: {answer.text[:3_000]}")
        source = source or answer.headers["X-Rollcall-Source"]
        check_pages_alone(deployment, org_id, asked, answer)
        if answer.body["next"] is None:
            break
        skip += len(answer.body["rows"])
        asked = {**body, "cursor": answer.body["next"]}
    return source


def check_table(deployment: Deployment, org_id: str, oracle: QueryOracle, body: Content) -> None:
    """The rows of the first page as CSV, under the name of the dataset and the range."""
    answer = deployment.ask("query_records", org_id, body=body, headers={"Accept": "text/csv"})
    expected = oracle.answer(body, deployment.now_ms)
    query = Query(body, deployment.now_ms)
    problem = f"status {answer.status}"
    if answer.status == 200:
        problem = table_difference(answer.text, query, expected["rows"]) or ""
        name = answer.headers["Content-Disposition"]
        if name != f'attachment; filename="{file_name(query)}"':
            problem = f"{name}, expected {file_name(query)}"
        if ("X-Rollcall-Next" in answer.headers) != bool(expected["next"]):
            problem = "X-Rollcall-Next"
    if problem:
        raise Disagreement(f"{problem}\nquery: {body}\nCSV: {answer.text[:3_000]}")


def check_pages_alone(deployment: Deployment, org_id: str, body: Content, answer: Answer) -> None:
    """The answer from ledger pages alone is the same, byte for byte."""
    if answer.headers["X-Rollcall-Source"] == "ledger":
        return
    with patch.object(engine, "plan_aggregation", lambda _aggregation: FromPages("a test")):
        again = deployment.ask("query_records", org_id, body=body)
    if again.text != answer.text:
        raise Disagreement(f"not the same from pages: {body}\n{answer.text}\n{again.text}")


def check_search(deployment: Deployment, org_id: str, oracle: QueryOracle, body: Content) -> str:
    """Which calls all pages of a search have, and in which order; the source of the last page."""
    asked, found = dict(body), []
    while True:
        answer = deployment.ask("search_calls", org_id, body=asked)
        if answer.status != 200:
            raise Disagreement(f"status {answer.status}\nsearch: {asked}\nanswer: {answer.text}")
        page = answer.body["calls"]
        found += page
        if len(page) > body.get("limit", 50):
            raise Disagreement(f"{len(page)} calls on a page\nsearch: {asked}")
        if answer.body["next"] is None:
            break
        asked = {**body, "cursor": answer.body["next"]}
    expected = oracle.search(body, deployment.now_ms)
    if in_order(found) != in_order(expected) or by_time(found) != by_time(expected):
        raise Disagreement(
            f"other calls, or another order\nsearch: {body}\nfound: {by_time(found)}"
        )
    return answer.headers["X-Rollcall-Source"]


def in_order(calls: list[Content]) -> list[str]:
    return [call["started_at"] for call in calls]


def by_time(calls: list[Content]) -> list[tuple[str, str, str]]:
    """The calls, those of one instant by their ids: their order is not promised."""
    return sorted((call["started_at"], str(call["id"]), call["updated_at"]) for call in calls)


def check_values(
    deployment: Deployment, org_id: str, oracle: QueryOracle, dimension: str, asked: dict[str, str]
) -> str:
    """The values of a dimension against the oracle; where they came from."""
    answer = deployment.ask(
        "list_values",
        org_id,
        path={"dimension": dimension},
        query={name: [text] for name, text in asked.items()},
    )
    expected = oracle.values(dimension, asked, deployment.now_ms)
    if problem := difference(answer, expected):
        raise Disagreement(f"{problem}\nvalues: {dimension} {asked}\nanswer: {answer.text[:3_000]}")
    return answer.headers["X-Rollcall-Source"]


def difference(answer: Answer, expected: Content) -> str | None:
    """Where a body differs; `next` is compared by whether it is there."""
    if answer.status != 200:
        return f"status {answer.status}"
    body = dict(answer.body)
    if isinstance(body.get("next"), str) and body["next"]:
        body["next"] = True
    return content_difference(body, expected)


def check_invalid(deployment: Deployment, org_id: str, expected: Invalid) -> None:
    """A refused body: its status, and that every fault is named in its place."""
    answer = deployment.ask("query_records", org_id, body=expected.body)
    errors = answer.body.get("errors", []) if answer.status in (400, 422) else []
    pointers = [error["pointer"] for error in errors]
    if problem := fault_of(answer.status, pointers, expected):
        raise Disagreement(f"{problem}\nquery: {expected.body}\nanswer: {answer.text}")
    if not all(set(error) == {"pointer", "message"} and error["message"] for error in errors):
        raise Disagreement(f"an error without a message: {answer.text}")


def fewer(deployment: Deployment, scenario: Scenario, sent_ms: int) -> Scenario:
    """A scenario that fails, with fewer records and the first request that shows it."""

    def fails(smaller: Scenario) -> bool:
        try:
            check_queries(deployment, smaller, sent_ms)
        except Disagreement:
            return True
        return False

    nothing = replace(scenario, queries=[], searches=[], values=[])
    alone = [replace(nothing, queries=[body]) for body in scenario.queries]
    alone += [replace(nothing, searches=[body]) for body in scenario.searches]
    alone += [replace(nothing, values=[request]) for request in scenario.values]
    failing = next((each for each in alone if fails(each)), scenario)
    records = shrunk(failing.records, lambda records: fails(replace(failing, records=records)))
    return replace(failing, records=records)
