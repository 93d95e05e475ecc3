"""Whether an answer is the one that the oracle expects, to the last byte that is promised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from rollcall.ledger import rollups
from rollcall.query import group_planner
from tests.support.answering import Answer, Deployment
from tests.support.generate import without_ties
from tests.support.oracle import Oracle, is_number
from tests.support.queries_of_dialects import Scenario, dialect_of, expected
from tests.support.scenes import Query
from tests.support.shrinking import shrunk

INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


class Disagreement(AssertionError):
    """What was asked, what was expected, and what came."""


def organisation_of(deployment: Deployment, scenario: Scenario) -> tuple[Oracle, str]:
    """A new organisation with the records of a scenario: what the oracle knows of it, and its id."""
    records = without_ties(scenario.records, Oracle(), deployment.now_ms)
    oracle = Oracle()
    with spilling(scenario.spill_bytes):
        return oracle, deployment.organisation(records, oracle)


@contextmanager
def spilling(open_bytes: int | None) -> Iterator[None]:
    """Let each open breakdown spill beyond so many bytes; None: as in life."""
    limit = rollups.BREAKDOWN_LIMIT_BYTES if open_bytes is None else open_bytes
    with patch.object(rollups, "BREAKDOWN_LIMIT_BYTES", limit):
        yield


def check_scenario(deployment: Deployment, scenario: Scenario, now_ms: int) -> Counter[Any]:
    """Ask every query of a scenario: how often each was answered from which source.

    Raises Disagreement.
    """
    deployment.now_ms = now_ms
    oracle, org_id = organisation_of(deployment, scenario)
    return Counter(
        (query.name, check(deployment, org_id, oracle, query)) for query in scenario.queries
    )


def reduced(deployment: Deployment, scenario: Scenario, now_ms: int) -> Scenario:
    """A scenario that fails, with fewer of its records and the first query that shows it."""

    def fails(smaller: Scenario) -> bool:
        try:
            check_scenario(deployment, smaller, now_ms)
        except Disagreement:
            return True
        return False

    alone = (replace(scenario, queries=[query]) for query in scenario.queries)
    failing = next((each for each in alone if fails(each)), None)
    if failing is None:
        return scenario
    records = shrunk(failing.records, lambda records: fails(replace(failing, records=records)))
    return replace(failing, records=records)


def check(deployment: Deployment, org_id: str, oracle: Oracle, query: Query) -> str:
    """Ask a query twice, the second time of the ledger alone: the source of the first answer, or its status.

    Raises Disagreement when either is not what the oracle expects.
    """
    status, wanted = expected(oracle, query)
    if query.now_ms is not None:
        deployment.now_ms = query.now_ms
    deployment.store.meter.reset()
    answer = ask(deployment, org_id, query)
    if problem := difference(query, answer, status, wanted):
        raise Disagreement(f"{problem}\nquery: {query}\nanswer: {answer.text}")
    if status != 200:
        return str(status)
    if problem := headers_fault(answer, deployment):
        raise Disagreement(f"{problem}\nquery: {query}\nheaders: {answer.headers}")
    source = answer.headers["X-Rollcall-Source"]
    if source != "ledger" and not dialect_of(query.function).is_lifetime:
        with patch.object(group_planner, "narrowed", lambda _selection: None):
            again = ask(deployment, org_id, query)
        if again.text != answer.text:
            raise Disagreement(f"{source} and ledger\nquery: {query}\n{answer.text}\n{again.text}")
    return source


def ask(deployment: Deployment, org_id: str, query: Query) -> Answer:
    return deployment.ask(
        query.function,
        org_id,
        path=dialect_of(query.function).parameters(query),
        query=query.query,
        body=query.body,
        headers={"Org-Handle": "acme"},
    )


def difference(query: Query, answer: Answer, status: int, wanted: Any) -> str | None:
    if answer.status != status:
        return f"status {answer.status}, expected {status} {wanted}"
    if status == 200:
        return content_difference(answer.body, wanted)
    dialect, body = dialect_of(query.function), answer.body
    key = dialect.error_key
    if dialect.status_key is not None and body.pop(dialect.status_key, 0) != status:
        return f"no {dialect.status_key}"
    if body.keys() != {key}:
        return "the error is not in its dialect"
    if status == 422:
        return issues_fault(body[key], wanted)
    return None if isinstance(body[key], str) and body[key] else "the error says nothing"


def issues_fault(issues: Any, places: set[tuple[str, ...]]) -> str | None:
    """Every place that is named is at fault; a place at fault may be left out."""
    if not isinstance(issues, list) or not issues:
        return "no list of issues"
    for issue in issues:
        if list(issue) != ["loc", "msg", "type"] or not issue["msg"] or not issue["type"]:
            return "an issue without loc, msg and type"
        if tuple(issue["loc"]) not in places:
            return f"{issue['loc']} is named, expected {places}"
    return None


def headers_fault(answer: Answer, deployment: Deployment) -> str | None:
    """The first header that is wrong, given what was read; None: all are right."""
    headers, meter = answer.headers, deployment.store.meter
    if headers["X-Rollcall-Source"] not in ("rollups", "ledger", "mixed"):
        return "source"
    if headers["X-Rollcall-Items-Read"] != str(meter.items_read):
        return f"items read, expected {meter.items_read}"
    if Decimal(headers["X-Rollcall-Read-Units"]) != Decimal(meter.read_units):
        return f"read units, expected {meter.read_units}"
    if not INSTANT.fullmatch(headers.get("X-Rollcall-As-Of", "2024-03-05T12:00:00.000Z")):
        return "as of"
    if headers["Cache-Control"] != "no-store":
        return "cache control"
    return None


def content_difference(actual: Any, expected: Any, at: str = "") -> str | None:
    """Where two values differ: numbers by value, lists and keys in order."""
    if isinstance(expected, dict):
        if not isinstance(actual, dict) or list(actual) != list(expected):
            return f"{at or 'body'}: keys {list(actual)}, expected {list(expected)}"
        pairs = [(key, actual[key], expected[key]) for key in expected]
    elif isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return f"{at}: {actual}, expected {expected}"
        pairs = [(index, *pair) for index, pair in enumerate(zip(actual, expected, strict=True))]
    else:
        same = is_number(actual) == is_number(expected) and actual == expected
        same = same and isinstance(actual, bool) == isinstance(expected, bool)
        if isinstance(expected, int) and isinstance(actual, Decimal):
            same = same and expected == actual
        return None if same else f"{at}: {actual!r}, expected {expected!r}"
    for key, one, other in pairs:
        if problem := content_difference(one, other, f"{at}/{key}"):
            return problem
    return None
