"""Posting records, and comparing figures with the oracle's."""

import time
from typing import Any

from tests.support.generate import batches
from tests.support.oracle import Oracle
from tests.support.stack import Organisation


def send(org: Organisation, oracle: Oracle, records: list[dict[str, Any]], size: int = 500) -> None:
    """Post everything; the verdicts must be the oracle's."""
    for batch in batches(records, size):
        answer = org.post(batch)
        now_ms = time.time_ns() // 1_000_000
        assert (answer.status, answer.json) == oracle.post(batch, now_ms)


def assert_figures(org: Organisation, oracle: Oracle) -> None:
    assert org.unpod() == oracle.unpod()
    for token in [*sorted(oracle.known_spaces()), "unknown"]:
        assert org.unpod(token) == oracle.unpod(token), token
