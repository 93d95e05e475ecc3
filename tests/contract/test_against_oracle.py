"""Generated requests: every verdict, and the figures at the end, against the oracle."""

import time
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.support.generate import anything, batches, without_ties
from tests.support.oracle import Oracle

EXAMPLES = {"moto": 60}  # its transactions are slow


def in_namespace(record: Any, number: int) -> Any:
    """The same record with a (type, id) and a space that no other example uses.

    So every example starts from nothing without an organisation of its own.
    """
    if not isinstance(record, dict):
        return record
    moved = dict(record)
    for name in ("id", "space_token"):
        value = moved.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            moved[name] = number * 1_000 + value
        elif isinstance(value, str) and value.isdecimal():
            moved[name] = str(number * 1_000 + int(value))
        elif isinstance(value, str) and 0 < len(value) <= 128:
            moved[name] = f"{number}:{value}"[:128]
    return moved


def without_messages(body: dict[str, Any]) -> dict[str, Any]:
    for entry in body["rejected"]:
        assert entry.pop("message")
    return body


@pytest.mark.slow
def test_generated_requests(stack, engine):
    org, everything, examples = stack.new_organisation(), Oracle(), count(1)

    @settings(
        max_examples=EXAMPLES.get(engine, 150),
        database=None,
        phases=[Phase.generate, Phase.shrink],
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.lists(anything, min_size=8, max_size=30), st.integers(1, 20))
    def verdicts_agree(records, size):
        number = next(examples)
        now_ms = time.time_ns() // 1_000_000
        moved = [in_namespace(record, number) for record in records]
        requests = list(batches(without_ties(moved, Oracle(), now_ms), size))
        for records_of_request in requests:
            note(f"request: {records_of_request!r}")
            answer = org.post(records_of_request)
            expected = everything.post(records_of_request, now_ms)
            assert (answer.status, without_messages(answer.json)) == expected

    verdicts_agree()
    stack.drain()
    assert org.unpod() == everything.unpod()
    for token in [*sorted(everything.known_spaces()), "unknown", "1:unknown"]:
        assert org.unpod(token) == everything.unpod(token), token
