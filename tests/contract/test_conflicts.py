"""Many writers of one record at once: each is answered, and the figures are exact."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.support.builders import call

WRITERS = 64


def written_at_once(org, records):
    """The answers to one request for each record, all of them sent at the same time."""
    start = Barrier(len(records))

    def write(record):
        start.wait()
        return org.post([record])

    with ThreadPoolExecutor(len(records)) as pool:
        return list(pool.map(write, records))


@pytest.mark.slow
@pytest.mark.parametrize("versions", ["without updated_at", "of one updated_at", "of their own"])
def test_writers_of_one_record_are_answered_200_or_503(stack, versions):
    org = stack.new_organisation()
    sent = [call("one", cost=number, outcome=f"writer {number}") for number in range(WRITERS)]
    for number, record in enumerate(sent):
        if versions == "of one updated_at":
            record["updated_at"] = "2026-01-01T00:00:00Z"
        elif versions == "of their own":
            record["updated_at"] = f"2026-01-01T00:00:{number % 60:02}Z"
    answers = written_at_once(org, sent)
    for answer in answers:
        assert answer.status in (200, 503), answer.body
        if answer.status == 503:
            assert int(answer.header("Retry-After")) > 0
            assert answer.header("Content-Type") == "application/problem+json"
    results = Counter(
        name
        for answer in answers
        if answer.status == 200
        for name in ("accepted", "unchanged", "stale")
        if answer.json[name]
    )
    assert results["accepted"] > 0
    assert results["unchanged"] == 0
    stack.drain()
    record = org.send("GET", "/v1/calls/one").json["record"]
    assert record["outcome"] == f"writer {record['cost']}"
    if versions == "of their own" and answers[59].status == 200:
        assert record["cost"] == 59  # the newest of all
    assert org.unpod()["total_calls"] == 1
    body = {"measures": ["calls", "cost"], "dimensions": ["outcome"]}
    (row,) = org.send("POST", "/v1/query", body).json["rows"]
    assert row == {"outcome": record["outcome"], "calls": 1, "cost": record["cost"]}
