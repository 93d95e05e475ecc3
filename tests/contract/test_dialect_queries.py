"""Generated queries over HTTP, on the real engines: every body against brute force."""

import os
import time
from random import Random

import pytest

from tests.support.agreement import difference
from tests.support.answering import Answer
from tests.support.generate import batches, without_ties
from tests.support.oracle import Oracle
from tests.support.queries_of_dialects import dialect_of, expected, scenario

SCENARIOS = {"moto": 2}  # its transactions are slow
QUERIES = 120
SEED = os.environ.get("ROLLCALL_TEST_SEED", "1")


@pytest.mark.slow
def test_generated_queries_over_http(stack, engine):
    for number in range(SCENARIOS.get(engine, 6)):
        asked = scenario(Random(f"http/{SEED}/{number}"), QUERIES)
        org, oracle, now_ms = stack.new_organisation(), Oracle(), time.time_ns() // 1_000_000
        records = without_ties(asked.records[:400], Oracle(), now_ms)
        for batch in batches(records, 200):
            status, _ = oracle.post(batch, now_ms)
            assert org.post(batch).status == status
        stack.drain()
        for query in asked.queries:
            # The time of the stack cannot be chosen; Unpod has tests of its own.
            if query.now_ms is not None or query.function == "get_organisation_analytics":
                continue
            method = "GET" if query.body is None else "POST"
            answer = org.send(method, dialect_of(query.function).url(query), query.body)
            status, wanted = expected(oracle, query)
            found = Answer(answer.status, dict(answer.headers), answer.body.decode())
            problem = difference(query, found, status, wanted)
            assert problem is None, f"{problem}\n{query}\n{found.text[:2_000]}"
