"""Every query, search and request for values has the answer that brute force gives.

Each query is asked as the planner reads it and from ledger pages alone.
`python -m tests.long_run --of queries` asks thousands of datasets.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from rollcall.query.reports import query as query_report
from tests.long_run import NOW_MS, QUERIES, ask_many
from tests.support.answering import deployed
from tests.support.builders import call
from tests.support.oracle import instant
from tests.support.query_agreement import check_invalid, check_queries
from tests.support.query_faults import invalid
from tests.support.query_generator import Scenario, generate

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def deployment() -> Any:
    with deployed(NOW_MS) as made:
        yield made


@pytest.mark.representatives(2)
@pytest.mark.parametrize("seed", range(4))
def test_answers_equal_brute_force(deployment: Any, seed: Any) -> None:
    check_queries(deployment, generate(Random(f"short/{seed}"), queries=5), NOW_MS)


def some_calls() -> list[Any]:
    """Calls of five days of March 2024: each day has outcomes and labels that others lack."""
    return [
        call(
            f"{day}-{number}",
            started_at=f"2024-03-0{day}T1{number}:00:00Z",
            updated_at="2024-03-06T00:00:00Z",
            **({"outcome": f"o{(day * number) % 4}"} if number else {}),
            labels=[f"l{day % 3}", f"l{number}"][: number % 3],
            direction="inbound" if number % 2 else "outbound",
            campaign_id=f"c{day % 2}",
            answered=number > 1,
            duration_seconds=10 * number,
            payload={"n": day * number} if day > 1 else {},
        )
        for day in range(1, 6)
        for number in range(4)
    ]


LATER = {"from": "2024-03-04", "to": "2024-03-05"}
EARLIER = {"from": "2024-03-01", "to": "2024-03-03"}
SEEN_SELDOM = [
    {
        "dimensions": ["label"],
        "limit": 1,
        "others": True,
        "filters": [{"field": "duration_seconds", "op": "gte", "value": 10}],
    },
    {"dimensions": ["label"], "limit": 1, "others": True},
    {"dimensions": ["label"], "limit": 1, "others": True, **LATER, "compare": "previous_period"},
    {"dimensions": ["outcome"], "limit": 1, "others": True, **LATER, "compare": EARLIER},
    {"dimensions": ["outcome"], **LATER, "compare": EARLIER},
    {"dimensions": ["day"], **LATER, "compare": EARLIER},
    {"dimensions": ["day", "outcome"], **LATER, "compare": EARLIER},
    {"dimensions": ["day"], "from": "2024-02-01", "to": "2024-02-02"},
    {"dimensions": ["day"], "filters": [{"field": "outcome", "op": "eq", "value": "nothing"}]},
    {
        "measures": ["calls", "cost"],
        "dimensions": ["campaign_id"],
        "filters": [{"field": "campaign_id", "op": "eq", "value": "c1"}],
    },
    {"measures": ["calls", "answer_rate"], "dimensions": ["answered"]},
    {"measures": ["sum.payload.n", "avg.payload.n", "min.payload.n", "max.payload.n"]},
]


@pytest.mark.parametrize("body", SEEN_SELDOM, ids=str)
def test_what_generated_queries_seldom_ask(deployment: Any, body: Any) -> None:
    asked = {"measures": ["calls"], **body}
    now_ms = instant("2024-03-06T12:00:00Z", "now")
    check_queries(deployment, Scenario(some_calls(), now_ms, [asked], [], [], None), now_ms)


TOO_MANY = {
    "buckets": {"dimensions": ["day"], **EARLIER},
    "rows that only the comparison has": {"dimensions": ["label"], **LATER, "compare": EARLIER},
}


@pytest.mark.parametrize("body", TOO_MANY.values(), ids=TOO_MANY)
def test_more_rows_than_an_answer_may_have_are_refused(deployment: Any, body: Any) -> None:
    deployment.now_ms = instant("2024-03-06T12:00:00Z", "now")
    org_id = deployment.organisation(some_calls())
    asked = {"measures": ["calls"], **body}
    rows = len(deployment.ask("query_records", org_id, body=asked).body["rows"])
    for most, status in ((rows, 200), (rows - 1, 422)):
        with patch.object(query_report, "MAX_GROUPS", most):
            answer = deployment.ask("query_records", org_id, body=asked)
        assert answer.status == status
    assert "Use fewer dimensions" in answer.text


@pytest.mark.slow
def test_many_queries(deployment: Any) -> None:
    seed = int(os.environ.get("ROLLCALL_TEST_SEED", "1"))
    print(f"seed {seed}: ROLLCALL_TEST_SEED={seed} replays it")
    seen = ask_many(deployment, QUERIES, seed, datasets=40, queries=20)
    assert seen["query", "rollups"] > 80
    assert seen["query", "ledger"] > 200
    assert seen["query", "mixed"] > 5
    assert seen["search", "ledger"] > 200


def test_refused_bodies(deployment: Any) -> None:
    org_id = deployment.organisation([])
    for seed in range(200):
        check_invalid(deployment, org_id, invalid(Random(seed)))
