"""The generator of queries: a seed repeats it, and much of what it asks finds data."""

from random import Random

from tests.support.query_generator import generate
from tests.support.query_oracle import QueryOracle


def test_a_seed_repeats_a_scenario():
    assert generate(Random(3)) == generate(Random(3)) != generate(Random(4))


def test_generated_queries_hit_data():
    hits = asked = 0
    for seed in range(12):
        scenario = generate(Random(seed))
        oracle = QueryOracle(scenario.records)
        for body in scenario.queries:
            found = oracle.answer(body, scenario.now_ms)
            first = found["totals"][body["measures"][0]]
            hits += first not in (None, 0)
            asked += 1
            assert len(found["rows"]) <= body.get("limit", 1_000) + 1
    assert asked == 240
    assert hits > asked // 4
