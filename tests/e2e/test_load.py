"""Thousands of records in random order, then every figure against the oracle."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.builders import call
from tests.support.figures import assert_figures, send
from tests.support.generate import batches, mixed_records
from tests.support.oracle import Oracle


@pytest.mark.slow
def test_mixed_records_in_random_order(stack, org, request):
    # moto takes its time for every item of a transaction: fewer rollups, as many records.
    on_moto = "moto" in request.node.callspec.id
    shape = {"days": 2, "spaces": 2, "others": 2} if on_moto else {"days": 30, "spaces": 6}
    records = mixed_records(20_241, 3_000, **shape)
    oracle = Oracle()
    send(org, oracle, records)
    stack.drain()
    assert_figures(org, oracle)
    # Sent again, out of order: nothing is new, nothing changes.
    for batch in batches(records[::-1], 500):
        assert org.post(batch).json["accepted"] == 0
    stack.drain()
    assert_figures(org, oracle)


@pytest.mark.slow
def test_many_clients_at_once(stack, org):
    """Versions of the same records race each other; the outcome is the same."""
    records = mixed_records(7, 300, versions=(3, 3), days=2, spaces=2, others=2)
    with ThreadPoolExecutor(6) as clients:
        answers = list(clients.map(org.post, batches(records, 40)))
    assert {answer.status for answer in answers} == {200}
    stack.drain()
    oracle = Oracle()
    for batch in batches(records, 500):
        oracle.post(batch, time.time_ns() // 1_000_000)
    assert_figures(org, oracle)


@pytest.mark.slow
def test_reads_do_not_grow_with_the_calls(stack, org, request):
    on_moto = "moto" in request.node.callspec.id

    def post(numbers):
        for batch in batches(numbers, 500):
            records = [call(n, space_token="s", duration_seconds=n % 90) for n in batch]
            assert org.post(records).json["accepted"] == len(batch)
        stack.drain()
        answers = [org.get(), org.get("/api/v2/platform/organisation/analytics/?space_token=s")]
        assert {answer.json["data"]["total_calls"] for answer in answers} == {numbers.stop}
        return [
            (answer.header("X-Rollcall-Items-Read"), answer.header("X-Rollcall-Read-Units"))
            for answer in answers
        ]

    few = post(range(10))
    many = post(range(10, 2_000 if on_moto else 10_000))
    assert [items for items, _ in few] == [items for items, _ in many]
    assert all(
        float(units) <= float(first) + 1 for (_, first), (_, units) in zip(few, many, strict=True)
    )
