"""Answers from segments equal brute force: of each, a query reads the columns that it names alone.

Each query is answered as the planner reads it, and from the ledger alone.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any

import pytest

from rollcall.settings import settings
from tests.long_run import NOW_MS
from tests.support.answering import deployed
from tests.support.builders import call
from tests.support.query_agreement import check_queries
from tests.support.query_generator import Scenario, generate
from tests.support.wide_records import widened

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def deployment() -> Any:
    with deployed(NOW_MS, page_target_bytes=400, segment_bytes=1_500) as made:
        made.bucket_counts = (1, 2)  # in more, the records of one bucket are too few for a segment
        yield made


def segments(deployment: Any) -> int:
    return sum("segment" in item for item in deployment.store.all_items(settings.analytics_table))


@pytest.mark.representatives(2)
@pytest.mark.parametrize("seed", [0, 2, 3, 6])  # others have too few records
def test_answers_from_segments_equal_brute_force(deployment: Any, seed: int) -> None:
    check_queries(deployment, generate(Random(f"segments/{seed}"), queries=6), NOW_MS)
    assert segments(deployment) > 0


@pytest.mark.parametrize("seed", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_payload_keys_that_share_a_column_are_read(deployment: Any, seed: int) -> None:
    random = Random(f"wide segments/{seed}")
    made = generate(random, queries=5)
    records = [widened(record, n, random) for n, record in enumerate(made.records)]
    scenario = Scenario(
        records, made.now_ms, made.queries, made.searches, made.values, made.spill_bytes
    )
    check_queries(deployment, scenario, NOW_MS)
    assert segments(deployment) > 0


def test_a_search_reads_the_ids_of_segments_with_a_match_alone(deployment: Any) -> None:
    deployment.now_ms = NOW_MS
    records = [
        call(
            f"c-{n}",
            started_at=f"2026-01-{n // 24 + 1:02d}T{n % 24:02d}:00:00Z",
            duration_seconds=n % 2 * 100 if n != 200 else 50,  # between those of every segment
            payload={"note": sha256(bytes([n % 256, n // 256])).hexdigest()},
        )
        for n in range(400)
    ]
    org_id = deployment.organisation(records)
    prefix = f"ORG#{org_id}#"
    all_items = deployment.store.all_items(settings.analytics_table)
    stored = [item for item in all_items if item["PK"]["S"].startswith(prefix)]
    values = sum("directory" in item for item in stored)
    pages = sum("data" in item for item in stored)
    assert values > 2
    body = {"filters": [{"field": "duration_seconds", "op": "eq", "value": 50}]}
    found = deployment.ask("search_calls", org_id, body=body)
    assert [each["id"] for each in found.body["calls"]] == ["c-200"]
    # Of the segments the values, and of one the identities too; the organisation, and the fact.
    assert int(found.headers["X-Rollcall-Items-Read"]) <= values + pages + 3
