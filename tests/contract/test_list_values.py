"""GET /v1/values/{dimension}: values, names and counts, and all faults of what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.support.builders import OMIT, call, campaign, deletion, lead, space
from tests.support.http_answers import gateway_error
from tests.support.stack import Organisation, Response, Stack

PROBLEM = "application/problem+json"


def values(org: Organisation, dimension: str, **asked: str) -> Response:
    query = {name.rstrip("_"): value for name, value in asked.items()}
    return org.send("GET", f"/v1/values/{quote(dimension, safe='')}?{urlencode(query)}")


def problem(answer: Response, status: int) -> dict[str, str]:
    """The faults of a refusal: pointer → message."""
    assert (answer.status, answer.header("Content-Type")) == (status, PROBLEM), answer.body
    return {fault["pointer"]: fault["message"] for fault in answer.json["errors"]}


@pytest.fixture(scope="module")
def org(stack: Stack) -> Organisation:
    org = stack.new_organisation()
    org.post(
        [
            *(
                call(n, started_at="2026-03-02T10:00:00Z", space_token=5, updated_at=OMIT)
                for n in range(3)
            ),
            call(3, started_at="2026-03-02T10:00:00Z", space_token="é/1", updated_at=OMIT),
            call(4, started_at="2026-03-03T10:00:00Z", payload={"plan": 2.5}, updated_at=OMIT),
            call(5, started_at="2026-03-03T10:00:00Z", payload={"plan": "pro"}, updated_at=OMIT),
            space(5, name="Vertrieb"),
            lead("l", created_at="2026-03-03T10:00:00Z", status="FINISHED", converted=True),
        ]
    )
    stack.drain()
    return org


@pytest.mark.parametrize("slash", ["", "/"])
def test_values_with_names_and_counts(org: Organisation, slash: str) -> None:
    answer = org.send("GET", f"/v1/values/space_token{slash}?from=2026-03-02")
    assert answer.status == 200, answer.body
    assert answer.json == {
        "values": [
            {"value": "5", "name": "Vertrieb", "count": 3},
            {"value": "é/1", "name": None, "count": 1},
        ]
    }
    assert answer.header("X-Rollcall-Source") in ("rollups", "mixed", "ledger")
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize(
    ("dimension", "asked", "expected"),
    [
        ("space_token", {"q": "VERT"}, [("5", 3)]),
        ("space_token", {"q": "É/"}, [("é/1", 1)]),
        ("space_token", {"limit": "1"}, [("5", 3)]),
        ("space_token", {"from_": "2026-03-03"}, []),
        ("status", {"to": "2026-03-02T10:00:00"}, [("completed", 4)]),
        ("payload.plan", {}, [(2.5, 1), ("pro", 1)]),
        ("answered", {}, [(True, 6)]),
        ("hour_of_day", {"timezone": "Asia/Kolkata"}, [(15, 6)]),
        ("converted", {"dataset": "leads"}, [(True, 1)]),
        ("provider", {}, []),
    ],
)
def test_values(
    org: Organisation, dimension: str, asked: dict[str, str], expected: list[Any]
) -> None:
    answer = values(org, dimension, **{"from_": "2026-03-01", **asked})
    assert [(each["value"], each["count"]) for each in answer.json["values"]] == expected


def test_the_last_90_days_are_the_default(stack: Stack) -> None:
    org = stack.new_organisation()
    for days, status in ((80, "completed"), (100, "failed")):
        started = datetime.now(UTC) - timedelta(days=days)
        org.post([call(days, started_at=started.isoformat(), status=status, updated_at=OMIT)])
    stack.drain()
    recent = {"value": "completed", "name": None, "count": 1}
    assert values(org, "status").json == {"values": [recent]}


def test_a_name_that_is_changed_and_deleted(stack: Stack) -> None:
    org = stack.new_organisation()
    records = [call("a", direction="inbound", campaign_id="k"), campaign("k", name="Old")]
    for written, name in (
        (records, "Old"),
        ([campaign("k", name="New")], "New"),
        ([deletion("campaign", "k")], None),
    ):
        org.post([{n: v for n, v in each.items() if n != "updated_at"} for each in written])
        stack.drain()
        (found,) = values(org, "campaign_id", from_="2020-01-01").json["values"]
        assert found == {"value": "k", "name": name, "count": 1}


def test_all_faults_at_once(org: Organisation) -> None:
    answer = values(
        org, "space_tokn", limit="x", timezone="Mars/Base", sort="1", q="x" * 257, from_="now"
    )
    faults = problem(answer, 400)
    assert faults.keys() == {"/dimension", "/limit", "/timezone", "/sort", "/q", "/from"}
    assert "known are space_token" in faults["/dimension"]


@pytest.mark.parametrize(
    ("dimension", "query", "status", "pointer"),
    [
        ("day", "", 400, "/dimension"),
        ("cost", "", 400, "/dimension"),
        ("payload.", "", 400, "/dimension"),
        ("status", "dataset=rooms", 400, "/dataset"),
        ("space_token", "dataset=leads", 400, "/dimension"),
        ("status", "limit=0", 422, "/limit"),
        ("status", "limit=201", 422, "/limit"),
        ("status", f"limit={'9' * 5000}", 422, "/limit"),
        ("status", "limit=5&limit=6", 400, "/limit"),
        ("status", "limit=1.0", 400, "/limit"),
        ("status", "from=2026-13-01", 422, "/from"),
        ("status", "from=2026-03-02&to=2026-03-01", 422, "/from"),
        ("status", "period=today", 400, "/period"),
    ],
)
def test_one_fault(
    org: Organisation, dimension: str, query: str, status: int, pointer: str
) -> None:
    answer = org.send("GET", f"/v1/values/{dimension}?{query}")
    assert problem(answer, status).keys() == {pointer}


def test_what_the_gateway_refuses(org: Organisation, stack: Stack) -> None:
    assert gateway_error(org.send("POST", "/v1/values/status", {}), 404, "Not Found")
    assert gateway_error(org.send("GET", "/v1/values"), 404, "Not Found")
    ingest = stack.new_organisation()
    ingest.token = ingest.new_token("ingest")["token"]
    assert gateway_error(values(ingest, "status"), 403, "Forbidden")
