"""Answers from segments equal brute force: of each, a query reads the columns that it names alone.

Each query is answered as the planner reads it, and from the ledger alone.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from rollcall.settings import settings
from tests.long_run import NOW_MS
from tests.support.answering import deployed
from tests.support.query_agreement import check_queries
from tests.support.query_generator import Scenario, generate
from tests.support.wide_records import widened

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def deployment() -> Any:
    with deployed(NOW_MS, page_target_bytes=400, segment_bytes=1_500) as made:
        yield made


def segments(deployment: Any) -> int:
    return sum("segment" in item for item in deployment.store.all_items(settings.analytics_table))


@pytest.mark.representatives(2)
@pytest.mark.parametrize("seed", [0, 2, 3, 6])  # others have too few records
def test_answers_from_segments_equal_brute_force(deployment: Any, seed: int) -> None:
    check_queries(deployment, generate(Random(f"segments/{seed}"), queries=6), NOW_MS)
    assert segments(deployment) > 0


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_payload_keys_that_share_a_column_are_read(deployment: Any, seed: int) -> None:
    random = Random(f"wide segments/{seed}")
    made = generate(random, queries=5)
    records = [widened(record, n, random) for n, record in enumerate(made.records)]
    scenario = Scenario(
        records, made.now_ms, made.queries, made.searches, made.values, made.spill_bytes
    )
    check_queries(deployment, scenario, NOW_MS)
    assert segments(deployment) > 0
