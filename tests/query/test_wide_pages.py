"""Answers about records with many payload keys and labels equal brute force, as all others do.

Each query is answered as the planner reads it, and from ledger pages alone.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.long_run import NOW_MS
from tests.support.answering import deployed
from tests.support.builders import call
from tests.support.oracle import instant
from tests.support.query_agreement import check_queries
from tests.support.query_generator import Scenario, generate
from tests.support.wide_records import widened

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def deployment() -> Any:
    with deployed(NOW_MS) as made:
        yield made


@pytest.mark.representatives(1)
@pytest.mark.parametrize("seed", range(3))
def test_generated_queries(deployment: Any, seed: int) -> None:
    random = Random(f"wide/{seed}")
    made = generate(random, queries=5)
    records = [widened(record, n, random) for n, record in enumerate(made.records)]
    scenario = Scenario(
        records, made.now_ms, made.queries, made.searches, made.values, made.spill_bytes
    )
    check_queries(deployment, scenario, NOW_MS)


UNUSUAL = ["", "null", "true", "1", "sx", "n1", "\x1f", "a\x1fb", "é", "😀", 1, 1.5, True, None]
BODIES = [
    *(
        {"dimensions": [f"payload.{key}"]}
        for key in ("most", "few", "payload", "own.3.4", "nothing")
    ),
    {"dimensions": ["label"], "limit": 10_000},
    {"dimensions": ["payload.most", "payload.few", "label"], "limit": 10_000},
    {"measures": ["sum.payload.most", "p50.payload.most", "max.payload.few"]},
    *(
        {"filters": [{"field": f"payload.{key}", "op": op}]}
        for key in ("most", "few", "own.3.4", "nothing")
        for op in ("is_null", "not_null")
    ),
    *(
        {"filters": [{"field": f"payload.{key}", "op": op, "value": value}]}
        for key in ("most", "few")
        for op in ("eq", "ne")
        for value in UNUSUAL[:-1]
    ),
    {"filters": [{"field": "payload.few", "op": "contains", "value": "\x1f"}]},
    {"filters": [{"field": "payload.most", "op": "between", "value": [1, 2]}]},
    {"filters": [{"field": "label", "op": "eq", "value": "l7.3"}]},
    {"filters": [{"field": "label", "op": "starts_with", "value": "l1"}]},
    {"filters": [{"field": "label", "op": "not_in", "value": ["l1.1", "all"]}]},
    {"filters": [{"field": "label", "op": "is_null"}]},
]


@pytest.mark.slow
def test_values_of_unusual_text_keep_their_json_type(deployment: Any) -> None:
    records = [
        call(
            f"c{n}",
            started_at=f"2024-03-01T10:{n:02}:00Z",
            updated_at="2024-03-02T00:00:00Z",
            labels=[f"l{n}.{m}" for m in range(n % 5)] + ["all"] * (n % 2),
            payload={f"own.{n}.{key}": f"value {key}" for key in range(20)}
            | {"most": UNUSUAL[n % len(UNUSUAL)]}
            | ({"few": UNUSUAL[n // 3], "payload": n} if n % 3 == 0 else {}),
        )
        for n in range(42)
    ]
    now_ms = instant("2024-03-02T12:00:00Z", "now")
    queries = [{"measures": ["calls"], **body} for body in BODIES]
    check_queries(deployment, Scenario(records, now_ms, queries, [], [], None), now_ms)
