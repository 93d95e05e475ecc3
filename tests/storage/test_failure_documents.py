"""The documents of the failure destination: built, named and parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem
from rollcall.maintenance.failed_records import FailureKind
from rollcall.storage.failure_documents import (
    failed_records,
    parsed,
    quarantine_document,
    quarantine_name,
)
from tests.support.failures import given_up, poison

numbers = st.lists(st.integers(1, 99), min_size=1, max_size=6, unique=True)


@pytest.mark.property
@given(numbers)
def test_quarantined_records_are_read_back(numbers: list[int]) -> None:
    records = [
        poison(number, f"org_{number % 3}", written_at=1_000.0 + number) for number in numbers
    ]
    failed = failed_records(parsed(quarantine_document(records, "because")))
    assert (failed.kind, failed.reason, list(failed.records)) == (
        FailureKind.QUARANTINED,
        "because",
        records,
    )
    assert failed.oldest_ms == (1_000 + min(numbers)) * 1_000
    assert failed.org_ids == tuple(sorted({f"org_{number % 3}" for number in numbers}))
    assert failed.kept_at_ms is not None


@pytest.mark.property
@given(numbers)
def test_a_batch_that_the_event_source_gave_up_is_read(numbers: list[int]) -> None:
    records = [poison(number) for number in numbers]
    document = parsed(given_up(records, "2026-11-21T12:00:00.000Z", "RetryAttemptsExhausted"))
    failed = failed_records(document)
    assert (failed.kind, failed.reason) == (FailureKind.BATCH, "RetryAttemptsExhausted")
    assert list(failed.records) == records
    assert failed.kept_at_ms == 1_795_262_400_000
    # The payload may be an object too.
    assert failed_records({**document, "payload": json.loads(document["payload"])}) == failed


@pytest.mark.property
@given(numbers, numbers)
def test_only_the_same_records_in_the_same_order_share_a_name(
    one: list[int], other: list[int]
) -> None:
    names = [quarantine_name([poison(number) for number in each]) for each in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(name.startswith("quarantine/") and name.endswith(".json") for name in names)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"dynamodb": 5},
        {"dynamodb": {"SequenceNumber": "../x"}},
        {"eventID": "a/b"},
        {"eventID": 7},
    ],
)
def test_a_record_without_a_number_is_named_by_its_content(record: dict[str, Any]) -> None:
    name = quarantine_name([record])
    assert name.removeprefix("quarantine/").removesuffix(".json").isalnum()
    assert name == quarantine_name([dict(record)]) != quarantine_name([{**record, "x": 1}])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "neither quarantined records nor a discarded batch"),
        ('{"records": []}', "not a non-empty list"),
        ('{"records": {"a": 1}}', "not a non-empty list"),
        ('{"records": [{}, 5]}', "record 1 is not an object"),
        ('{"record": null}', "record 0 is not an object"),
        ('{"payload": "{"}', "not JSON"),
        ('{"payload": 5}', "not an event with Records"),
        ('{"payload": {"Records": {}}}', "not an event with Records"),
    ],
)
def test_anything_else_is_damage(text: str, reason: str) -> None:
    with pytest.raises(CorruptItem, match=reason):
        failed_records(parsed(text))


def test_what_is_beside_the_records_may_be_missing_or_rubbish() -> None:
    rubbish = {"dynamodb": {"ApproximateCreationDateTime": "soon", "Keys": {"PK": {"S": 5}}}}
    for beside in ({}, {"reason": 5, "quarantined_at": "soon"}, {"quarantined_at": 7}):
        failed = failed_records({"record": rubbish, **beside})
        assert (failed.reason, failed.kept_at_ms) == ("no reason given", None)
        assert (failed.oldest_ms, failed.org_ids) == (None, ())
    batch = failed_records({"payload": {"Records": [{}]}, "requestContext": []})
    assert (batch.kind, batch.reason) == (FailureKind.BATCH, "no reason given")


def test_a_delivery_to_a_hook() -> None:
    delivery = {"org_id": "org_1", "hook": "0" * 32, "received_at_ms": 1_795_262_400_000}
    document = {
        "reason": "id: is required",
        "kept_at": "2026-11-21T12:00:00.000Z",
        "delivery": delivery,
    }
    failed = failed_records(document)
    assert (failed.kind, failed.reason) == (FailureKind.DELIVERY, "id: is required")
    assert (failed.kept_at_ms, failed.oldest_ms) == (1_795_262_400_000, 1_795_262_400_000)
    assert (failed.org_ids, list(failed.records)) == (("org_1",), [delivery])
    with pytest.raises(CorruptItem):
        failed_records({"delivery": "x"})
