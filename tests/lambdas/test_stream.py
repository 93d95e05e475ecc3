"""The partial batch response: the earliest record that is not done, and nothing after it is lost."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import Unavailable
from rollcall.ingest.update import Cause, Failure, Quarantined, Result
from rollcall.invocation import Metric, invocation
from rollcall.lambdas import stream as stream_module
from rollcall.lambdas.stream import partial_batch_response

numbers = st.lists(st.integers(0, 9), max_size=4)


def batch(count: int) -> list[dict[str, Any]]:
    return [{"dynamodb": {"SequenceNumber": f"seq-{number}"}} for number in range(count)]


def response(records: list[Any], result: Result) -> list[str]:
    with patch.object(stream_module, "logger"):
        answer = partial_batch_response(records, result)
    assert answer.keys() == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.property
@given(numbers, st.lists(numbers.filter(bool).map(sorted).map(tuple), max_size=3))
def test_the_earliest_failure_is_named_and_quarantined_records_are_not(
    failed: list[int], quarantined: list[tuple[int, ...]]
) -> None:
    result = Result(
        failures=[Failure(index, "org", Unavailable("busy")) for index in failed],
        quarantined=[Quarantined(each, "org", Cause.LEDGER, "?", "object") for each in quarantined],
    )
    expected = [f"seq-{min(failed)}"] if failed else []
    assert response(batch(10), result) == expected


@pytest.mark.parametrize("record", [{}, {"dynamodb": {}}])
def test_a_record_without_a_number_is_named_too(record: dict[str, Any]) -> None:
    """Lambda takes an empty identifier for the whole batch: all of it is delivered again."""
    assert response([record], Result(failures=[Failure(0, None, Unavailable("busy"))])) == [""]


def test_what_became_of_the_batch_is_counted() -> None:
    result = Result(
        failures=[Failure(4, "a", Unavailable("busy"))],
        quarantined=[Quarantined((0, 2), None, Cause.RECORD, "?", "object")],
    )
    with invocation("1") as counted:
        response(batch(5), result)
    assert counted == {Metric.RECORDS_QUARANTINED: 2, Metric.APPLY_FAILURES: 1}
