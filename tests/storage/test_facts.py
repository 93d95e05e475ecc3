"""Facts on a real engine: optimistic locking, lost replies, bounded retries, the tenant wall."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from random import Random
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollcall.domain.errors import ForeignKey, Unavailable
from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ingest.ingest import Ingest
from rollcall.retry import Backoff, time_limit
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from rollcall.storage.facts import FactStore
from tests.support.builders import call, deletion, full_call
from tests.support.cases import cases
from tests.support.emulator.client import MemoryClient
from tests.support.engines import DYNAMODB_LOCAL
from tests.support.merging_oracle import content_of, write_of
from tests.support.one_record import histories
from tests.support.parsing import parsed
from tests.support.raw_items import facts_of

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
    """All of them resolved from the same stale read: the newest updated_at must win."""
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


@pytest.mark.slow
@pytest.mark.parametrize("engine", [DYNAMODB_LOCAL])
def test_64_writers_at_once_are_all_stored_one_after_the_other(
    client_of: Callable[[str], Any], org_id: str, engine: str
) -> None:
    """Without `updated_at` each of them wins in the end, in some order."""
    impatient = Backoff(tries=1, first_seconds=0.001, max_seconds=0.05)
    client = client_of(engine)
    store = FactStore(client, TABLE, lambda: time.time_ns() // 1_000, impatient)
    start = Barrier(64)

    def write(number: int) -> tuple[Outcome, Fact | None]:
        with tenant(org_id), time_limit(600):
            start.wait()
            return store.write(org_id, 1, None, change(outcome=f"writer {number}"))

    with ThreadPoolExecutor(64) as pool:
        written = list(pool.map(write, range(64)))
    assert {outcome for outcome, _ in written} == {Outcome.ACCEPTED}
    facts = [fact for _, fact in written if fact is not None]
    assert len({fact.rev for fact in facts}) == len({fact.updated_at_ms for fact in facts}) == 64
    assert stored(store, org_id) == max(facts, key=lambda fact: fact.rev)


WRITERS = 12


@pytest.mark.property
@pytest.mark.slow
@settings(cases(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(histories, min_size=3, max_size=6).map(lambda some: [*itertools.chain(*some)]),
    st.randoms(use_true_random=False),
)
def test_writers_at_once_end_in_the_fact_of_their_writes(
    store: FactStore, documents: list[Any], random: Random
) -> None:
    """Twelve clients send full documents, merges and deletions, cut into requests as it comes."""
    org_id = f"org#{uuid.uuid4()}"
    directory = SimpleNamespace(organisation=lambda _: Organisation(org_id, "h", "n", 0))
    requests: list[list[Any]] = [[] for _ in range(WRITERS)]
    for document in documents:
        random.choice(requests).append(document)

    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(WRITERS) as clients, tenant(org_id):
        ingest = Ingest(directory, store, pool, lambda: time.time_ns() // 1_000)  # type: ignore[arg-type]

        def send(request: list[Any]) -> list[Any]:
            receipt = ingest(org_id, list(enumerate(map(parsed, request))))
            refused = {refusal.index for refusal in receipt.refusals}
            return [each for index, each in enumerate(request) if index not in refused]

        sent = [clients.submit(copy_context().run, send, each) for each in requests if each]
        taken = [document for future in sent for document in future.result()]
        facts = store.read(org_id, 1, {(each["type"], "5") for each in documents})
    for (kind, _), fact in facts.items():
        writes = [write_of(each) for each in taken if each["type"] == kind]
        item = item_of_fact(keys.fact(org_id, kind, fact.id, 1), fact)
        [found] = facts_of([item]).values()
        assert found == (max(write.key for write in writes)[0], content_of(writes))
    assert len(facts) == len({each["type"] for each in taken})


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


@pytest.mark.parametrize(("operation", "parameters"), FOREIGN, ids=[name for name, _ in FOREIGN])
def test_the_key_of_the_health_check_is_only_read_and_alone(
    client: Any, operation: str, parameters: Callable[[str], dict[str, Any]]
) -> None:
    call_it = getattr(client, operation)
    refused = ["HEALTH", "HEALTH#1", "HEALTH#ORG#2#"]
    if operation == "get_item":
        assert "Item" not in call_it(TableName=TABLE, **parameters("HEALTH#"))
    else:
        refused.append("HEALTH#")
    for pk in refused:
        with pytest.raises(ForeignKey):
            call_it(TableName=TABLE, **parameters(pk))


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
