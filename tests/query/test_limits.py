"""Queries that must be refused, and reads of the ledger that fail: an error, never a partial answer."""

from __future__ import annotations

import dataclasses
import random
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from rollcall import bootstrap
from rollcall.domain.records import Call
from rollcall.ledger import rollups
from rollcall.ledger.page import Row
from tests.support.answering import deployed
from tests.support.builders import call, contact_event, label, lead, room
from tests.support.oracle import Oracle, instant
from tests.support.oracle_breeze import ROWS

pytestmark = pytest.mark.engine


NOW_MS = instant("2026-11-21T12:00:00Z", "now")
MAX_ROWS = 20
THROTTLED = {
    "Error": {"Code": "ThrottlingException", "Message": "slow down"},
    "ResponseMetadata": {"HTTPStatusCode": 400},
}


@pytest.fixture
def deployment():
    with deployed(NOW_MS) as made:
        few = dataclasses.replace(bootstrap.settings, max_ledger_rows=MAX_ROWS)
        with patch.object(bootstrap, "settings", few):
            yield made


def calls(count, day="2024-03-05"):
    return [
        call(
            f"{day}-{number}",
            started_at=f"{day}T10:{number:02d}:00Z",
            duration_seconds=number,
            direction="outbound",
            campaign_id="c",
            lead_id=f"lead-{number}",
        )
        for number in range(count)
    ]


def breeze(deployment, org_id, **filters):
    body = {"query_type": "call_count", "filters": filters}
    return deployment.ask("query_analytics", org_id, body=body)


def test_breeze_refuses_what_needs_too_many_rows(deployment):
    org_id = deployment.organisation([*calls(MAX_ROWS), *calls(1, "2024-03-06")])
    refused = breeze(deployment, org_id, min_duration=0)
    assert refused.status == 422
    (problem,) = refused.body["detail"]
    assert problem.keys() == {"loc", "msg", "type"}
    assert "Shorten its time range" in problem["msg"]
    # Only rows inside the range count, whatever else their pages hold.
    narrowed = breeze(deployment, org_id, min_duration=0, date_to="2024-03-05")
    assert narrowed.body["data"] == [{"count": MAX_ROWS}]
    # And only rows of the ledger: a rollup has as many calls as there are.
    assert breeze(deployment, org_id).body["data"] == [{"count": MAX_ROWS + 1}]


def test_nlpearl_refuses_what_needs_too_many_rows(deployment):
    org_id = deployment.organisation(calls(MAX_ROWS + 1))
    period = {"from": "2024-03-01T00:00:00Z", "to": "2024-03-31T00:00:00Z"}
    refused = deployment.ask(
        "get_outbound_analytics", org_id, path={"outboundId": "c"}, body=period
    )
    assert (refused.status, refused.body.keys()) == (400, {"message"})
    assert "Shorten its time range" in refused.body["message"]


def test_nexus_refuses_what_needs_too_many_rows(deployment):
    events = [
        contact_event(number, event_type=f"type_{number:050d}") for number in range(MAX_ROWS + 1)
    ]
    with patch.object(rollups, "BREAKDOWN_LIMIT_BYTES", 30):
        org_id = deployment.organisation([room("r"), *events])
    refused = deployment.ask("get_workspace_analytics", org_id, path={"workspaceId": "workspace-1"})
    assert (refused.status, refused.body.keys()) == (503, {"error"})


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 1.0])
def test_throttled_reads_give_the_whole_answer_or_an_error(rate):
    records = [*calls(59), *calls(59, "2024-03-06"), *(lead(number) for number in range(40))]
    with deployed(NOW_MS) as deployment:
        oracle = Oracle()
        org_id = deployment.organisation(records, oracle)
        client, dice = bootstrap.dynamodb(), random.Random(f"{rate}")

        def throttled(operation):
            request = getattr(client, operation)

            def ask(**parameters):
                if dice.random() < rate:
                    raise ClientError(THROTTLED, operation)
                return request(**parameters)

            return ask

        statuses = set()
        whole = {
            query_type: deployment.ask(
                "query_analytics", org_id, body={"query_type": query_type}
            ).text
            for query_type in ROWS
        }
        with (
            patch.object(client, "query", throttled("query")),
            patch.object(client, "batch_get_item", throttled("batch_get_item")),
        ):
            for query_type in ROWS:
                for neutral in ({}, {"timezone": "Africa/Abidjan"}):
                    answer = deployment.ask(
                        "query_analytics", org_id, body={"query_type": query_type, **neutral}
                    )
                    statuses.add(answer.status)
                    if answer.status == 200:
                        assert answer.text == whole[query_type]
                    else:
                        assert (answer.status, answer.body.keys()) == (503, {"detail"})
    assert (200 in statuses) == (rate < 1)
    assert (503 in statuses) == (rate == 1)


# ------------------------------------------------------------------ answers that are too large
PERIOD = {"from": "2024-03-01T00:00:00Z", "to": "2024-03-31T00:00:00Z"}


def labelled(labels):
    """Calls that have these labels, as many as one call may have on each."""
    for start in range(0, len(labels), 32):
        yield call(
            f"call-{start}",
            started_at="2024-03-05T10:00:00Z",
            direction="outbound",
            campaign_id="c",
            labels=labels[start : start + 32],
        )


def pearl(deployment, org_id):
    return deployment.ask("get_pearl_analytics", org_id, path={"pearlId": "c"}, body=PERIOD)


@pytest.fixture
def unlimited():
    """A deployment with the ceiling of rows that a stack has."""
    with deployed(NOW_MS) as made:
        yield made


@pytest.mark.slow
def test_nlpearl_refuses_more_than_5000_labels(unlimited):
    """5,000 are listed, each with its record's name; one more is refused with advice."""
    labels = [f"l{number}" for number in range(5_000)]
    names = [label(each, name=f"Label {each}") for each in labels[::7]]
    org_id = unlimited.organisation([*labelled(labels), *names])
    answer = pearl(unlimited, org_id)
    assert answer.status == 200
    named = {row["id"]: row["name"] for row in answer.body["callLabelCount"]}
    assert named == {
        each: f"Label {each}" if number % 7 == 0 else each for number, each in enumerate(labels)
    }
    unlimited.add([call("one more", started_at="2024-03-06T10:00:00Z", direction="outbound",
                         campaign_id="c", labels=["another"])])  # fmt: skip
    refused = pearl(unlimited, org_id)
    assert (refused.status, refused.body.keys()) == (400, {"message"})
    assert "more than 5,000 different labels" in refused.body["message"]
    assert "Shorten the range" in refused.body["message"]


@pytest.mark.slow
def test_nlpearl_refuses_an_answer_that_lambda_would_not_deliver(unlimited):
    labels = [f"{number:04d}{'😀' * 124}" for number in range(5_000)]
    org_id = unlimited.organisation(
        [*labelled(labels), *(label(each, name="😀" * 256) for each in labels)]
    )
    refused = pearl(unlimited, org_id)
    assert (refused.status, refused.body.keys()) == (400, {"message"})
    assert "more than 6,000,000 bytes" in refused.body["message"]


# ------------------------------------------------------------------ many groups
def leads_of_one_day(count):
    """Rows of calls, each to a lead of its own."""
    for number in range(count):
        record = Call(
            started_at_ms=NOW_MS + number,
            status="completed",
            answered=True,
            attempt=1,
            lead_id=f"lead-{number}",
            duration_seconds=number,
        )
        yield "call", Row(f"call-{number}", 1, record.started_at_ms, record)


@pytest.mark.slow
def test_100_000_groups_are_answered_and_one_more_is_refused():
    body = {
        "measures": ["calls", "p95_duration"],
        "dimensions": ["lead_id"],
        "order": [{"by": "p95_duration", "direction": "desc"}],
        "limit": 10_000,
    }
    with deployed(NOW_MS, page_target_bytes=262_144, answer_bytes=2**20) as deployment:
        org_id = deployment.organisation([])
        deployment.apply(leads_of_one_day(100_000))
        answer = deployment.ask("query_records", org_id, body=body)
        assert answer.status == 200
        assert answer.body["total_rows"] == 100_000
        assert [row["p95_duration"] for row in answer.body["rows"]] == [*range(99_999, 89_999, -1)]
        assert answer.body["totals"] == {"calls": 100_000, "p95_duration": 94_999}

        deployment.apply([*leads_of_one_day(100_001)][-1:])
        refused = deployment.ask("query_records", org_id, body=body)
        assert refused.status == 422
        assert "more than 100,000 rows" in refused.body["detail"]
