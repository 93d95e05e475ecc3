"""POST /v1/calls/search: pages of calls as JSON and CSV, and all faults of what is refused."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from tests.support.builders import OMIT, call, deletion, full_call
from tests.support.http_answers import gateway_error
from tests.support.stack import Organisation, Response, Stack

SEARCH = "/v1/calls/search"
QUERY = "/v1/query"
PROBLEM = "application/problem+json"
# As it is stored: normalised.
FULL = full_call(
    "full",
    started_at="2026-03-01T10:00:00.000Z",
    duration_seconds=62,
    cost=Decimal("0.0425"),
    labels=[7, "b"],
)
CSV = [("Accept", "text/csv")]
COLUMNS = (
    "id started_at status disposition direction campaign_id space_token template_id merchant_id"
    " reseller_id lead_id provider outcome ended_reason language duration_seconds latency_ms"
    " sentiment cost attempt answered labels updated_at"
).split()


def search(org: Organisation, body: Any, headers: Any = ()) -> Response:
    return org.send("POST", SEARCH, body, headers)


def all_pages(org: Organisation, body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = search(org, {**body, **cursor})
        assert answer.status == 200, answer.body
        assert list(answer.json) == ["calls", "next"]
        found += answer.json["calls"]
        if answer.json["next"] is None:
            return found
        cursor = {"cursor": answer.json["next"]}


def ids(calls: list[dict[str, Any]]) -> list[Any]:
    return [each["id"] for each in calls]


def problem(answer: Response, status: int) -> dict[str, str]:
    """The faults of a refusal: pointer → message."""
    assert (answer.status, answer.header("Content-Type")) == (status, PROBLEM), answer.body
    assert answer.json["status"] == status
    return {fault["pointer"]: fault["message"] for fault in answer.json["errors"]}


@pytest.fixture(scope="module")
def org(stack: Stack) -> Organisation:
    """600 calls, one a minute and every third booked, and one call of another day in full."""
    org = stack.new_organisation()
    records = [
        call(
            f"c-{number:03}",
            started_at=f"2026-03-02T{number // 60:02}:{number % 60:02}:00Z",
            outcome=("booked", "lost", OMIT)[number % 3],
            updated_at=OMIT,
        )
        for number in range(600)
    ]
    org.post(records[:400])
    org.post([*records[400:], {**FULL, "labels": ["b", 7], "duration_seconds": 61.5}])
    stack.drain()
    return org


def test_the_newest_calls_come_first(org: Organisation) -> None:
    answer = search(org, {})
    assert answer.status == 200
    assert ids(answer.json["calls"]) == [f"c-{number:03}" for number in range(599, 549, -1)]
    assert answer.header("X-Rollcall-Source") == "ledger"
    assert answer.header("X-Rollcall-As-Of") is not None
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("path", [SEARCH, f"{SEARCH}/"])
def test_the_oldest_calls_of_a_range(org: Organisation, path: str) -> None:
    body = {"order": "oldest", "from": "2026-03-02", "limit": 3, "timezone": "Europe/Berlin"}
    answer = org.send("POST", path, body)
    assert ids(answer.json["calls"]) == ["c-000", "c-001", "c-002"]


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("limit", [7, 50, 500])
def test_all_pages_have_the_calls_that_the_query_counts(
    org: Organisation, order: str, limit: int
) -> None:
    body = {
        "filters": [{"field": "outcome", "op": "eq", "value": "booked"}],
        "from": "2026-03-02T01:00:00Z",
        "to": "2026-03-02T06:00:00Z",
    }
    found = ids(all_pages(org, {**body, "order": order, "limit": limit}))
    expected = [f"c-{number:03}" for number in range(60, 361) if number % 3 == 0]
    assert found == (expected if order == "oldest" else expected[::-1])
    counted = org.send("POST", QUERY, {**body, "measures": ["calls"]})
    assert counted.json["totals"] == {"calls": len(found)}


def test_a_call_is_as_it_was_sent(org: Organisation) -> None:
    (found,) = search(org, {"to": "2026-03-01"}).json["calls"]
    assert found.pop("updated_at").startswith(FULL["updated_at"].rstrip("Z"))
    unseen = {"updated_at", "detail"}
    assert found == {name: value for name, value in FULL.items() if name not in unseen}
    (least,) = search(org, {"limit": 1}).json["calls"]
    assert "labels" not in least
    assert "payload" not in least


def test_deleted_and_changed_calls(stack: Stack) -> None:
    org = stack.new_organisation()
    records = [call(name, outcome="booked", updated_at=OMIT) for name in ("a", "b", "c")]
    org.post(records)
    stack.drain()
    org.post([deletion("call", "a"), call("b", outcome="lost", updated_at=OMIT)])
    stack.drain()
    booked = {"filters": [{"field": "outcome", "op": "eq", "value": "booked"}]}
    assert ids(search(org, booked).json["calls"]) == ["c"]
    assert {*ids(search(org, {}).json["calls"])} == {"b", "c"}


def test_nothing_is_found_of_another_organisation(org: Organisation, stack: Stack) -> None:
    other = stack.new_organisation()
    answer = search(other, {})
    assert answer.json == {"calls": [], "next": None}
    assert answer.header("X-Rollcall-As-Of") is None
    cursor = search(org, {"limit": 1}).json["next"]
    assert problem(search(other, {"limit": 1, "cursor": cursor}), 400).keys() == {"/cursor"}


def test_a_file(org: Organisation) -> None:
    answer = search(org, {"to": "2026-03-02T00:01:30Z", "timezone": "UTC"}, CSV)
    assert answer.header("Content-Type") == "text/csv; charset=utf-8"
    name = "rollcall-calls-all_2026-03-02.csv"
    assert answer.header("Content-Disposition") == f'attachment; filename="{name}"'
    assert answer.header("X-Rollcall-Next") is None
    header, *rows = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    assert header == [*COLUMNS, *(f"payload.{key}" for key in sorted(FULL["payload"]))]
    assert [row[0] for row in rows] == ["c-001", "c-000", "full"]
    cells = dict(zip(header, rows[-1], strict=True))
    assert cells["labels"] == "7;b"
    assert cells["answered"] == str(FULL["answered"]).lower()
    same = ("id", "started_at", "duration_seconds", "cost", "sentiment", "attempt", "lead_id")
    assert {name: cells[name] for name in same} == {name: str(FULL[name]) for name in same}
    assert dict(zip(header, rows[0], strict=True))["outcome"] == "lost"


def test_the_pages_of_a_file(org: Organisation) -> None:
    first = search(org, {"limit": 2}, CSV)
    cursor = first.header("X-Rollcall-Next")
    second = search(org, {"limit": 2, "cursor": cursor}, CSV)
    rows = [
        *csv.DictReader(io.StringIO(first.body.decode(), newline="")),
        *csv.DictReader(io.StringIO(second.body.decode(), newline="")),
    ]
    assert [row["id"] for row in rows] == ["c-599", "c-598", "c-597", "c-596"]


def test_all_faults_at_once(org: Organisation) -> None:
    body = {
        "order": "latest",
        "limit": 501,
        "sort": 1,
        "cursor": "x",
        "period": "today",
        "from": "2026-01-01",
        "timezone": "Mars/Base",
        "filters": [{"field": "outcme", "op": "eq", "value": "x"}],
    }
    faults = problem(search(org, body), 400)
    assert faults.keys() == {
        *("/order", "/limit", "/sort", "/cursor", "/period", "/timezone", "/filters/0/field"),
    }
    assert "known are outcome" in faults["/filters/0/field"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"limit": 0}, 422, "/limit"),
        ({"limit": 501}, 422, "/limit"),
        ({"limit": "5"}, 400, "/limit"),
        ({"from": "2026-02-30"}, 422, "/from"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, 422, "/from"),
        ({"measures": ["calls"]}, 400, "/measures"),
        ([], 400, ""),
    ],
)
def test_one_fault(org: Organisation, body: Any, status: int, pointer: str) -> None:
    assert problem(search(org, body), status).keys() == {pointer}


def test_a_cursor_of_another_search_is_refused(org: Organisation) -> None:
    cursor = search(org, {"limit": 1}).json["next"]
    assert search(org, {"limit": 9, "cursor": cursor}).status == 200
    for body in ({"order": "oldest"}, {"from": "2026-03-01"}):
        assert problem(search(org, {**body, "cursor": cursor}), 400).keys() == {"/cursor"}
    damaged = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert problem(search(org, {"cursor": damaged}), 400).keys() == {"/cursor"}


def test_what_the_gateway_and_the_guards_refuse(org: Organisation, stack: Stack) -> None:
    assert search(org, {}, [("Accept", "text/html")]).status == 406
    assert search(org, b"[").status == 400
    assert search(org, b" " * 70_000).status == 413
    assert org.send("POST", f"{SEARCH}?a=1", {}).status == 400
    assert gateway_error(org.send("PUT", SEARCH, {}), 404, "Not Found")
    ingest = stack.new_organisation()
    ingest.token = ingest.new_token("ingest")["token"]
    assert search(ingest, {}).status == 403
