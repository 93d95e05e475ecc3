"""Audits on a real engine: one run at a time, lost replies, nothing kept that names a record."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.organisations import tenant
from rollcall.maintenance.audits import MAX_KEPT, Audit
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.audits import AuditStore
from tests.support.auditing import difference
from tests.support.broken_requests import break_requests

pytestmark = pytest.mark.engine


TABLE = "rollcall-records"
BACKOFF = Backoff(tries=40, first_seconds=0.001, max_seconds=0.01)
FIRST = Audit("first", started_at_ms=1_000, checked_at_ms=1_000, cursor="0/call")
SECOND = replace(FIRST, run_id="second", started_at_ms=5_000)


def finished(audit: Audit) -> Audit:
    return replace(audit, finished_at_ms=audit.started_at_ms + 500, cursor=None)


@pytest.fixture
def org_id() -> str:
    return f"org#{uuid.uuid4()}"


@pytest.fixture
def store(client: Any) -> AuditStore:
    return AuditStore(client, TABLE, BACKOFF)


def test_a_run_from_its_begin_to_its_end(store: AuditStore, org_id: str) -> None:
    assert store.both(org_id) == (None, None)
    store.begin(org_id, FIRST, replacing=None)
    assert store.both(org_id) == (None, FIRST)
    further = replace(
        FIRST,
        checked_at_ms=1_200,
        exact_at_ms=400,
        is_repairing=True,
        facts=7,
        rows=6,
        pages=2,
        rollups=9,
        drift={"row_missing": 1, "rollup_differs": 1},
        repaired=1,
        unsettled=3,
        differences=(difference(), difference(kind="row_missing", bucket="", is_repaired=True)),
        cursor="0/lead/é#",
    )
    store.save(org_id, further)
    assert store.both(org_id) == (None, further)
    assert store.running(org_id) == further
    store.finish(org_id, finished(further))
    assert store.both(org_id) == (finished(further), None)
    store.begin(org_id, SECOND, replacing=None)
    assert (store.last(org_id), store.running(org_id)) == (finished(further), SECOND)
    store.finish(org_id, finished(SECOND))
    assert store.both(org_id) == (finished(SECOND), None)


def test_of_an_organisation_whose_id_begins_alike_nothing_is_read(store: AuditStore) -> None:
    name = str(uuid.uuid4())
    store.begin(f"{name}#", FIRST, replacing=None)
    for other in (name, f"{name}~-", f"{name}#AUDIT"):
        assert store.both(other) == (None, None)


def test_what_names_a_record_is_never_kept(store: AuditStore, client: Any, org_id: str) -> None:
    named = tuple(difference(amount=n, name=f"secret {n}") for n in range(MAX_KEPT + 5))
    store.begin(org_id, replace(FIRST, differences=named), replacing=None)
    kept = store.running(org_id)
    assert kept is not None
    assert kept.differences == tuple(difference(amount=n) for n in range(MAX_KEPT))
    with tenant(org_id):
        key = keys.audit_run(org_id)
        item = client.get_item(
            TableName=TABLE, Key={"PK": {"S": key.pk}, "SK": {"S": key.sk}}, ConsistentRead=True
        )["Item"]
    assert "secret" not in repr(item)


def test_an_amount_may_have_more_digits_than_a_number(store: AuditStore, org_id: str) -> None:
    absurd = replace(FIRST, differences=(difference(amount=10**90),))
    store.begin(org_id, absurd, replacing=None)
    assert store.running(org_id) == absurd


# ------------------------------------------------------------------ one run at a time


def test_a_run_begins_where_there_is_none_or_the_one_it_replaces(
    store: AuditStore, org_id: str
) -> None:
    with pytest.raises(Conflict):
        store.begin(org_id, SECOND, replacing=FIRST)
    assert store.running(org_id) is None
    store.begin(org_id, FIRST, replacing=None)
    with pytest.raises(Conflict):
        store.begin(org_id, SECOND, replacing=None)
    with pytest.raises(Conflict):
        store.begin(org_id, SECOND, replacing=replace(FIRST, run_id="another"))
    assert store.running(org_id) == FIRST
    store.begin(org_id, SECOND, replacing=FIRST)
    assert store.running(org_id) == SECOND


def test_a_run_that_was_replaced_can_write_no_more(store: AuditStore, org_id: str) -> None:
    store.begin(org_id, FIRST, replacing=None)
    store.begin(org_id, SECOND, replacing=FIRST)
    for write in (store.save, store.finish):
        with pytest.raises(Conflict):
            write(org_id, finished(FIRST))
    assert store.both(org_id) == (None, SECOND)


def test_a_run_that_is_over_is_not_brought_back(store: AuditStore, org_id: str) -> None:
    store.begin(org_id, FIRST, replacing=None)
    store.finish(org_id, finished(FIRST))
    with pytest.raises(Conflict):
        store.save(org_id, FIRST)
    with pytest.raises(Conflict):
        store.begin(org_id, SECOND, replacing=FIRST)
    assert store.both(org_id) == (finished(FIRST), None)
    store.begin(org_id, SECOND, replacing=None)
    store.finish(org_id, finished(SECOND))
    with pytest.raises(Conflict):
        store.finish(org_id, finished(FIRST))
    assert store.both(org_id) == (finished(SECOND), None)


@pytest.mark.parametrize("replacing", [None, FIRST])
def test_of_many_that_begin_at_once_one_does(
    store: AuditStore, org_id: str, replacing: Audit | None
) -> None:
    if replacing is not None:
        store.begin(org_id, replacing, replacing=None)

    def begin(number: int) -> str | None:
        run = replace(FIRST, run_id=f"run-{number}")
        try:
            store.begin(org_id, run, replacing)
        except Conflict:
            return None
        return run.run_id

    with ThreadPoolExecutor(8) as pool:
        begun = [run_id for run_id in pool.map(begin, range(16)) if run_id is not None]
    running = store.running(org_id)
    assert running is not None
    assert begun == [running.run_id]


def test_of_many_that_finish_at_once_each_learns_that_it_is_done(
    store: AuditStore, org_id: str
) -> None:
    """The same run, as a time-out and its repetition would have it."""
    store.begin(org_id, FIRST, replacing=None)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.finish(org_id, finished(FIRST)), range(4)))
    assert store.both(org_id) == (finished(FIRST), None)


# ------------------------------------------------------------------ faults


@pytest.mark.representatives(4)
@pytest.mark.parametrize("is_applied", [True, False], ids=["applied", "not applied"])
@pytest.mark.parametrize("lost", [1, 2, 3, 9])
def test_a_lost_reply_is_no_conflict(client: Any, org_id: str, lost: int, is_applied: bool) -> None:
    """The reply is lost to the SDK, which repeats the request, and to us behind it."""
    store = AuditStore(client, TABLE, BACKOFF)
    writes: list[tuple[Callable[[], None], tuple[Audit | None, Audit | None]]] = [
        (lambda: store.begin(org_id, FIRST, None), (None, FIRST)),
        (lambda: store.begin(org_id, SECOND, FIRST), (None, SECOND)),
        (
            lambda: store.save(org_id, replace(SECOND, facts=3)),
            (None, replace(SECOND, facts=3)),
        ),
        (lambda: store.finish(org_id, finished(SECOND)), (finished(SECOND), None)),
    ]
    for write, expected in writes:
        sent = break_requests(client, lost, is_applied=is_applied)
        write()
        assert sent() > lost
        assert store.both(org_id) == expected


def test_a_store_that_never_answers_is_an_error_and_no_silence(client: Any, org_id: str) -> None:
    break_requests(client, 10_000, is_applied=False)
    store = AuditStore(client, TABLE, Backoff(tries=2, first_seconds=0.001))
    operations: list[Callable[[], Any]] = [
        lambda: store.last(org_id),
        lambda: store.running(org_id),
        lambda: store.both(org_id),
        lambda: store.begin(org_id, FIRST, None),
        lambda: store.save(org_id, FIRST),
        lambda: store.finish(org_id, finished(FIRST)),
    ]
    for operation in operations:
        with pytest.raises(Unavailable):
            operation()


class Contended:
    """A client whose first writes meet another transaction on the same items."""

    def __init__(self, client: Any, refusals: int) -> None:
        self.client = client
        self.left = {"put_item": refusals, "transact_write_items": refusals}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def put_item(self, **asked: Any) -> Any:
        refusal: Any = {"Error": {"Code": "TransactionConflictException", "Message": ""}}
        self._refuse("put_item", refusal)
        return self.client.put_item(**asked)

    def transact_write_items(self, **asked: Any) -> Any:
        refusal = {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
        }
        self._refuse("transact_write_items", refusal)
        return self.client.transact_write_items(**asked)

    def _refuse(self, name: str, refusal: Any) -> None:
        if self.left[name]:
            self.left[name] -= 1
            raise ClientError(refusal, name)


def test_another_transaction_on_the_items_is_waited_for(client: Any, org_id: str) -> None:
    """Engines raise no such conflicts; DynamoDB does, and its SDK does not repeat them."""
    contended = Contended(client, refusals=3)
    store = AuditStore(contended, TABLE, BACKOFF)
    store.begin(org_id, FIRST, None)
    assert store.running(org_id) == FIRST
    store.finish(org_id, finished(FIRST))
    assert store.both(org_id) == (finished(FIRST), None)
    assert set(contended.left.values()) == {0}


def test_a_run_that_goes_on_under_its_own_id_is_stored(client: Any, org_id: str) -> None:
    """The stored run has the id already: that alone does not mean that it was written."""
    AuditStore(client, TABLE, BACKOFF).begin(org_id, FIRST, None)
    contended = AuditStore(Contended(client, refusals=1), TABLE, BACKOFF)
    further = replace(FIRST, facts=5)
    contended.begin(org_id, further, replacing=FIRST)
    assert contended.running(org_id) == further


@pytest.mark.representatives(6)
@pytest.mark.parametrize(
    "damage",
    [
        {"run_id": {"N": "1"}},
        {"facts": {"S": "1"}},
        {"drift": {"L": []}},
        {"drift": {"M": {"row_missing": {"S": "1"}}}},
        {"differences": {"M": {}}},
        {"differences": {"L": [{"S": "x"}]}},
        {"differences": {"L": [{"M": {}}]}},
        {"cursor": {"N": "1"}},
        {"finished_at_ms": {"S": "soon"}},
    ],
    ids=lambda damage: repr(damage)[:40],
)
def test_a_damaged_audit_is_an_error(client: Any, org_id: str, damage: dict[str, Any]) -> None:
    store = AuditStore(client, TABLE, BACKOFF)
    store.begin(org_id, replace(FIRST, differences=(difference(),)), None)
    key = keys.audit_run(org_id)
    with tenant(org_id):
        where = {"PK": {"S": key.pk}, "SK": {"S": key.sk}}
        item = client.get_item(TableName=TABLE, Key=where)["Item"]
        client.put_item(TableName=TABLE, Item=item | damage)
    for read in (store.running, store.both):
        with pytest.raises(CorruptItem):
            read(org_id)
    assert store.last(org_id) is None
