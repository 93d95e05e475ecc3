"""Facts on a real engine: optimistic locking, lost replies, bounded retries, the tenant wall."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from rollcall.domain.errors import CorruptItem, ForeignKey, Unavailable
from rollcall.domain.facts import REV_LIMIT, Change, Fact, Outcome
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ingest.ingest import Ingest
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.fact_items import fact_of_item, item_of_fact, stream_fact
from rollcall.storage.facts import FactStore
from tests.support.builders import call, deletion, full_call
from tests.support.emulator.client import MemoryClient
from tests.support.parsing import parsed

pytestmark = pytest.mark.engine


TABLE = "rollcall-records"
BACKOFF = Backoff(tries=40, first_seconds=0.001, max_seconds=0.01)


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


def lose_replies(client: Any, count: int) -> None:
    """Requests are applied, but the first `count` replies never arrive."""
    sent = itertools.count()
    if isinstance(client, MemoryClient):

        def around(operation: str, send: Callable[[], Any]) -> Any:
            answer = send()
            if next(sent) < count:
                raise ReadTimeoutError(endpoint_url="memory")
            return answer

        client.around = around
        return
    original = client._endpoint.http_session.send

    def send(request: Any) -> Any:
        response = original(request)
        if next(sent) < count:
            raise ReadTimeoutError(endpoint_url=request.url)
        return response

    client._endpoint.http_session.send = send


@pytest.mark.parametrize("lost", [1, 2, 3, 9])
def test_a_lost_reply_is_still_an_acceptance(client: Any, org_id: str, lost: int) -> None:
    """The write is applied, its reply lost: to the SDK, which repeats it, and to us behind it."""
    store = FactStore(client, TABLE, lambda: time.time_ns() // 1_000, BACKOFF)
    lose_replies(client, lost)
    with tenant(org_id):
        outcome, fact = store.write(org_id, 1, None, change())
        assert outcome is Outcome.ACCEPTED
        lose_replies(client, lost)
        outcome, newer = store.write(org_id, 1, fact, change(outcome="other"))
    assert outcome is Outcome.ACCEPTED
    assert stored(store, org_id) == newer


def test_a_store_that_never_answers_is_an_error_and_no_silence(client: Any, org_id: str) -> None:
    def send(*_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="nowhere")

    if isinstance(client, MemoryClient):
        client.around = send
    else:
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

    if isinstance(client, MemoryClient):

        def around(operation: str, send: Callable[[], Any]) -> Any:
            unprocessed(answer := send())
            return answer

        client.around = around
    else:
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


def streamed(item: dict[str, Any], event: str = "MODIFY") -> dict[str, Any]:
    return {"eventName": event, "dynamodb": {"SequenceNumber": "1", "NewImage": item}}


def test_a_record_without_fields_stores_no_empty_map() -> None:
    """DynamoDB Local's streams lose empty maps."""
    bare = Fact("space", "s", False, None, 5, 7, parsed({"type": "space", "id": "s"}).record)
    item = item_of_fact(keys.fact("org", "space", "s", 1), bare)
    assert {"M": {}} not in item.values()
    assert stream_fact(streamed(item)) == ("org", bare)


def good_item() -> dict[str, Any]:
    record = parsed(full_call("c#1")).record
    assert record is not None
    fact = Fact("call", "c#1", False, record.started_at_ms, 5, 7, record)  # type: ignore[attr-defined]
    item = item_of_fact(keys.fact("org", "call", "c#1", 1), fact)
    assert stream_fact(streamed(item)) == ("org", fact)
    assert fact_of_item(item) == fact
    return item


def test_a_removal_brings_no_fact() -> None:
    assert stream_fact({"eventName": "REMOVE", "dynamodb": {"OldImage": good_item()}}) is None


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"eventName": "INSERT"},
        {"eventName": "INSERT", "dynamodb": None},
        {"eventName": "INSERT", "dynamodb": {"NewImage": None}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": "?"}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": {"PK": None, "SK": 5}}},
        {"eventName": "INSERT", "dynamodb": {"NewImage": {"PK": {"S": "ORG#o#call#0#"}}}},
    ],
)
def test_a_stream_record_without_a_fact_is_corrupt(record: dict[str, Any]) -> None:
    with pytest.raises(CorruptItem):
        stream_fact(record)


TOP_LEVEL = ("type", "id", "rev", "updated_at_ms", "record", "time_ms", "PK", "SK")


@pytest.mark.parametrize("name", TOP_LEVEL)
@pytest.mark.parametrize(
    "garbage", [None, {"S": "#"}, {"N": "1e5"}, {"M": {}}, {"BOOL": True}, {"L": []}, {}, 5]
)
def test_garbage_under_a_fact_key_is_corrupt(name: str, garbage: Any) -> None:
    item = {n: v for n, v in good_item().items() if n != name}
    if garbage is not None:
        item[name] = garbage
    with pytest.raises(CorruptItem):
        stream_fact(streamed(item))


OUT_OF_RANGE = [
    ("status", {"S": "COMPLETED"}),
    ("status", {"S": "x" * 257}),
    ("outcome", {"S": "x" * 257}),
    ("space_token", {"S": "x" * 129}),
    ("space_token", {"S": ""}),
    ("space_token", {"S": "a\x00"}),
    ("duration_seconds", {"N": "-1"}),
    ("duration_seconds", {"N": "1000000000000001"}),
    ("duration_seconds", {"N": "1.5"}),
    ("attempt", {"S": "1"}),
    ("answered", {"S": "true"}),
    ("labels", {"L": [{"S": ""}]}),
    ("labels", {"L": [{"S": "a\x1fb"}]}),
    ("labels", {"L": [{"S": "b"}, {"S": "a"}]}),
    ("labels", {"L": [{"S": "a"}, {"S": "a"}]}),
    ("labels", {"L": [{"S": f"{n:03}"} for n in range(33)]}),
    ("events", {"M": {"sms_sent": {"N": "0"}}}),
    ("events", {"M": {"other": {"N": "1"}}}),
    ("payload", {"M": {"k" * 300: {"S": "v"}}}),
    ("payload", {"M": {"a b": {"S": "v"}}}),
    ("payload", {"M": {"k": {"S": "x" * 257}}}),
    ("payload", {"M": {"k": {"N": "NaN"}}}),
    ("payload", {"M": {"k": {"L": []}}}),
    ("payload", {"M": {f"k{n}": {"S": "v"} for n in range(33)}}),
    ("payload", {"M": {"k": {"N": "1E+999999999"}}}),
    ("payload", {"M": {"k": {"S": "\ud800"}}}),
    ("outcome", {"S": "\ud800"}),
    ("space_token", {"S": "\ud800"}),
    ("labels", {"L": [{"S": "\ud800"}]}),
    ("colour", {"S": "red"}),
]


@pytest.mark.parametrize(("field", "garbage"), OUT_OF_RANGE)
def test_garbage_in_a_field_is_corrupt(field: str, garbage: dict[str, Any]) -> None:
    good = good_item()
    item = {**good, "record": {"M": {**good["record"]["M"], field: garbage}}}
    with pytest.raises(CorruptItem):
        stream_fact(streamed(item))


def test_a_time_past_the_calendar_is_corrupt() -> None:
    good = good_item()
    late = {"N": "500000000000000"}
    fields = {**good["record"]["M"], "started_at_ms": late}
    with pytest.raises(CorruptItem):
        stream_fact(streamed({**good, "time_ms": late, "record": {"M": fields}}))


@pytest.mark.parametrize("rev", [0, REV_LIMIT, 2**63 - 1])
def test_a_revision_that_no_deletion_could_outbid_is_corrupt(rev: int) -> None:
    """In a page it would be damage, and the whole page with it."""
    good = good_item()
    with pytest.raises(CorruptItem):
        stream_fact(streamed({**good, "rev": {"N": str(rev)}}))
    fact = stream_fact(streamed({**good, "rev": {"N": str(REV_LIMIT - 1)}}))
    assert fact is not None


@pytest.mark.parametrize("org_id", ["o" * 3_000, "\ud800"])
def test_an_organisation_that_no_key_can_name_is_corrupt(org_id: str) -> None:
    """A failed record may name any; asked for, DynamoDB or the SDK would refuse the request."""
    with pytest.raises(CorruptItem):
        stream_fact(streamed({**good_item(), "PK": {"S": f"ORG#{org_id}#call#0#"}}))


def test_a_damaged_fact_is_refused_alone(client: Any, org_id: str) -> None:
    store = FactStore(client, TABLE, lambda: time.time_ns() // 1_000, BACKOFF)
    directory = SimpleNamespace(organisation=lambda _: Organisation(org_id, "h", "n", 0))
    with tenant(org_id), ThreadPoolExecutor(2) as pool:
        key = keys.fact(org_id, "call", "c#1", 1)
        damaged = {"PK": {"S": key.pk}, "SK": {"S": key.sk}, "rubbish": {"BOOL": True}}
        client.put_item(TableName=TABLE, Item=damaged)
        take_in = Ingest(directory, store, pool, lambda: time.time_ns() // 1_000)  # type: ignore[arg-type]
        receipt = take_in(org_id, [(0, change()), (1, parsed(call("other")))])
    assert receipt.accepted == 1
    assert [(refusal.index, refusal.field) for refusal in receipt.refusals] == [(0, "record")]
