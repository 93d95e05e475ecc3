"""Every query, search and request for values has the answer that brute force gives.

Each query is asked as the planner reads it and from ledger pages alone.
`python -m tests.long_run --of queries` asks thousands of datasets.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from tests.long_run import NOW_MS, QUERIES, ask_many
from tests.support.answering import deployed
from tests.support.query_agreement import check_invalid, check_queries
from tests.support.query_faults import invalid
from tests.support.query_generator import generate

pytestmark = pytest.mark.property


@pytest.fixture(scope="module")
def deployment() -> Any:
    with deployed(NOW_MS) as made:
        yield made


@pytest.mark.parametrize("seed", range(4))
def test_answers_equal_brute_force(deployment: Any, seed: Any) -> None:
    check_queries(deployment, generate(Random(f"short/{seed}"), queries=5), NOW_MS)


@pytest.mark.slow
def test_many_queries(deployment: Any) -> None:
    seed = int(os.environ.get("ROLLCALL_TEST_SEED", "1"))
    print(f"seed {seed}: ROLLCALL_TEST_SEED={seed} replays it")
    seen = ask_many(deployment, QUERIES, seed, datasets=40, questions=20)
    assert seen["query", "rollups"] > 80
    assert seen["query", "ledger"] > 200
    assert seen["query", "mixed"] > 5
    assert seen["search", "ledger"] > 200


def test_refused_bodies(deployment: Any) -> None:
    org_id = deployment.organisation([])
    for seed in range(200):
        check_invalid(deployment, org_id, invalid(Random(seed)))
