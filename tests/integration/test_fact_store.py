"""Facts on a real engine: optimistic locking, lost replies, bounded retries, the tenant wall."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from rollcall.domain.errors import CorruptItem, ForeignKey, Unavailable
from rollcall.domain.facts import Change, Fact, Outcome, content_hash
from rollcall.domain.tenancy import tenant
from rollcall.ledger.backoff import Backoff
from rollcall.storage import keys
from rollcall.storage.facts import FactStore, fact_of_item, item_of_fact, stream_fact
from tests.builders import call, deletion, full_call
from tests.parsing import parsed

TABLE = "rollcall-records"
BACKOFF = Backoff(tries=40, first_seconds=0.001, most_seconds=0.01)


def change(**fields: Any) -> Change:
    return parsed(call("c#1", **fields))


@pytest.fixture
def org_id() -> str:
    return f"org#{uuid.uuid4()}"


@pytest.fixture
def store(client: Any) -> FactStore:
    return FactStore(client, TABLE, lambda: time.time_ns() // 1_000, BACKOFF)


def stored(store: FactStore, org_id: str, buckets: int = 1) -> Fact | None:
    with tenant(org_id):
        return store.read(org_id, buckets, [("call", "c#1")]).get(("call", "c#1"))


def test_what_is_written_is_read(store: FactStore, org_id: str) -> None:
    record = parsed(full_call("c#1", payload={"n": 1, "t": "x", "b": True, "z": None}))
    with tenant(org_id):
        outcome, fact = store.write(org_id, 16, None, record)
    assert outcome is Outcome.ACCEPTED
    assert stored(store, org_id, 16) == fact
    with tenant(org_id):
        assert store.write(org_id, 16, fact, record) == (Outcome.UNCHANGED, fact)
        removed = parsed(deletion("call", "c#1"))
        outcome, tombstone = store.write(org_id, 16, fact, removed)
    assert outcome is Outcome.ACCEPTED
    assert tombstone is not None
    assert (tombstone.record, tombstone.time_ms) == (None, fact.time_ms if fact else 0)
    assert stored(store, org_id, 16) == tombstone


def test_writers_at_once_leave_one_winner_and_lose_no_revision(
    store: FactStore, org_id: str
) -> None:
    """All of them judged from the same stale read: the newest updated_at must win."""
    changes = [
        change(updated_at=f"2026-01-01T00:00:{n:02d}Z", outcome=f"version {n}") for n in range(24)
    ]

    def write(incoming: Change) -> Outcome:
        return store.write(org_id, 1, None, incoming)[0]

    with tenant(org_id), ThreadPoolExecutor(12) as pool:
        futures = [pool.submit(copy_context().run, write, c) for c in reversed(changes)]
        outcomes = [future.result() for future in futures]
    final = stored(store, org_id)
    assert final is not None
    assert final.record is not None
    assert final.record.outcome == "version 23"  # type: ignore[attr-defined]
    assert set(outcomes) <= {Outcome.ACCEPTED, Outcome.STALE}


def test_a_lost_reply_is_still_an_acceptance(client: Any, org_id: str) -> None:
    """The write is applied, its reply lost; the SDK repeats it and finds its own work."""
    store = FactStore(client, TABLE, lambda: time.time_ns() // 1_000, BACKOFF)
    sent = itertools.count()
    original = client._endpoint.http_session.send

    def send(request: Any) -> Any:
        response = original(request)
        if next(sent) < 2:
            raise ReadTimeoutError(endpoint_url=request.url)
        return response

    client._endpoint.http_session.send = send
    with tenant(org_id):
        outcome, fact = store.write(org_id, 1, None, change())
        assert outcome is Outcome.ACCEPTED
        outcome, newer = store.write(org_id, 1, fact, change(outcome="other"))
    assert outcome is Outcome.ACCEPTED
    assert stored(store, org_id) == newer


def test_a_store_that_never_answers_is_an_error_and_no_silence(client: Any, org_id: str) -> None:
    def send(request: Any) -> Any:
        raise ReadTimeoutError(endpoint_url=request.url)

    client._endpoint.http_session.send = send
    quick = Backoff(tries=2, first_seconds=0.001)
    store = FactStore(client, TABLE, lambda: time.time_ns() // 1_000, quick)
    with tenant(org_id):
        with pytest.raises(Unavailable):
            store.write(org_id, 1, None, change())
        with pytest.raises(Unavailable):
            store.read(org_id, 1, [("call", "c#1")])


def test_unprocessed_keys_for_ever_are_an_error(client: Any, org_id: str) -> None:
    def unprocessed(parsed: dict[str, Any], **_: Any) -> None:
        parsed["UnprocessedKeys"] = {
            TABLE: {"Keys": [{"PK": {"S": "x"}, "SK": {"S": "y"}}], "ConsistentRead": True}
        }
        parsed["Responses"] = {}

    client.meta.events.register("after-call.dynamodb.BatchGetItem", unprocessed)
    store = FactStore(client, TABLE, lambda: 1, Backoff(tries=3, first_seconds=0.001))
    with tenant(org_id), pytest.raises((Unavailable, ForeignKey)):
        store.read(org_id, 1, [("call", "c#1")])


FOREIGN: list[tuple[str, Callable[[str], dict[str, Any]]]] = [
    ("get_item", lambda pk: {"Key": {"PK": {"S": pk}, "SK": {"S": "ORG"}}}),
    ("put_item", lambda pk: {"Item": {"PK": {"S": pk}, "SK": {"S": "x"}}}),
    ("delete_item", lambda pk: {"Key": {"PK": {"S": pk}, "SK": {"S": "x"}}}),
    (
        "update_item",
        lambda pk: {"Key": {"PK": {"S": pk}, "SK": {"S": "x"}}, "UpdateExpression": "SET a = b"},
    ),
    (
        "query",
        lambda pk: {
            "KeyConditionExpression": "PK = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        },
    ),
]


@pytest.mark.parametrize(("operation", "parameters"), FOREIGN, ids=[name for name, _ in FOREIGN])
def test_foreign_keys_are_refused(
    client: Any, operation: str, parameters: Callable[[str], dict[str, Any]]
) -> None:
    call_it = getattr(client, operation)
    with tenant("1"):
        for pk in ("ORG#10#", "ORG#2#", "ORG#1", "LOCAL#", ""):
            with pytest.raises(ForeignKey):
                call_it(TableName=TABLE, **parameters(pk))
    with pytest.raises(ForeignKey):
        call_it(TableName=TABLE, **parameters("ORG#1#"))


def test_batches_and_transactions_are_checked_key_by_key_and_scans_refused(client: Any) -> None:
    def key(pk: str) -> dict[str, Any]:
        return {"PK": {"S": pk}, "SK": {"S": "x"}}

    with tenant("1"):
        with pytest.raises(ForeignKey):
            client.batch_get_item(RequestItems={TABLE: {"Keys": [key("ORG#1#"), key("ORG#2#")]}})
        with pytest.raises(ForeignKey):
            client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": TABLE, "Item": key("ORG#1#")}},
                    {"Delete": {"TableName": TABLE, "Key": key("ORG#2#")}},
                ]
            )
        with pytest.raises(ForeignKey):
            client.scan(TableName=TABLE)
        with pytest.raises(ForeignKey):
            client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": key("ORG#1#")}}]})


def test_a_record_without_fields_stores_no_empty_map() -> None:
    """DynamoDB Local's streams lose empty maps."""
    bare = Fact("space", "s", False, None, 5, 7, parsed({"type": "space", "id": "s"}).record)
    item = item_of_fact(keys.fact("org", "space", "s", 1), bare)
    assert {"M": {}} not in item.values()
    assert stream_fact(item).fact == bare


def test_garbage_under_a_fact_key_is_corrupt_whatever_it_is() -> None:
    key = keys.fact("org", "call", "c#1", 1)
    record = parsed(full_call("c#1"))
    assert record.record is not None
    fact = Fact("call", "c#1", False, record.record.started_at_ms, 5, 7, record.record)  # type: ignore[attr-defined]
    good = item_of_fact(key, fact)
    found = stream_fact(good)
    assert found.org_id == "org"
    assert content_hash(found.fact.record) == content_hash(fact.record)
    assert fact_of_item(good) == fact
    for name in ("type", "id", "rev", "updated_at_ms", "record", "time_ms", "PK", "SK"):
        for garbage in (None, {"S": "#"}, {"N": "1e5"}, {"M": {}}, {"BOOL": True}, {"L": []}):
            item = {n: v for n, v in good.items() if n != name}
            if garbage is not None:
                item[name] = garbage
            with pytest.raises(CorruptItem):
                stream_fact(item)
    fields = good["record"]["M"]
    for name, value in fields.items():
        for garbage in ({"S": "\x00"}, {"N": "-1"}, {"N": "abc"}, {"M": {"x": {}}}, {}, {"B": b""}):
            if type(garbage) is type(value) and garbage.keys() == value.keys() == {"S"}:
                continue  # a text is a text
            item = {**good, "record": {"M": {**fields, name: garbage}}}
            with pytest.raises(CorruptItem):
                stream_fact(item)
