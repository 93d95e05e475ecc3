"""The DynamoDB stores keep the promises that the in-memory one makes: one suite for all."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.facts import Fact
from rollcall.domain.measures import RollupKey
from rollcall.domain.organisations import tenant
from rollcall.ledger import rollups, transaction
from rollcall.ledger.apply import Applier
from rollcall.ledger.breakdowns import encode
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.rollups import RollupDelete, RollupPut, StoredRollup
from rollcall.ledger.writer import fold
from rollcall.retry import Backoff
from rollcall.storage.page_items import page_of_item
from rollcall.storage.pages import PageStore
from tests.support.engines import CONTRACT_ENGINES, DYNAMODB_LOCAL, MEMORY_CLIENT
from tests.support.fakes import MemoryLedger
from tests.support.generate import mixed_records
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.stored_ledger import Stored
from tests.support.versions import versions_of

pytestmark = pytest.mark.engine


BACKOFF = Backoff(tries=30, first_seconds=0.001)
NOW_MS = 1_800_000_000_000
KEY = RollupKey("calls", ("ORG",), "2026-11-21")


@pytest.fixture(params=["memory", *CONTRACT_ENGINES])
def store(
    request: pytest.FixtureRequest, client_of: Callable[[str], Any]
) -> Iterator[tuple[Any, Callable[[], MemoryLedger]]]:
    """A store, and a way to look at all it holds."""
    if request.param == "memory":
        memory = MemoryLedger()
        yield memory, lambda: memory
        return
    client = client_of(request.param)
    org_id = f"org#{uuid.uuid4()}"
    clock = itertools.count(NOW_MS, 1_000)
    real = PageStore(
        client, "rollcall-analytics", Bucket(Epoch(org_id, 3)), lambda: next(clock), BACKOFF
    )
    with tenant(org_id):
        yield real, lambda: Stored(client, org_id, 3).memory


def apply(store: Any, facts: list[Fact], target_bytes: int = 4_096) -> None:
    rows = fold(facts)
    contribute = contribution_function(CURRENT_VERSION)
    Applier(store, contribute, target_bytes=target_bytes, backoff=BACKOFF).apply(rows)


def calls(count: int, **fields: Any) -> list[Fact]:
    return versions_of(
        [
            {
                "type": "call",
                "id": f"call {number}",
                "started_at": f"2026-11-21T00:{number % 60:02d}:00Z",
                "status": "completed",
                "outcome": f"outcome {number}",
                **fields,
            }
            for number in range(count)
        ]
    )


@pytest.mark.parametrize(
    "store",
    ["memory", MEMORY_CLIENT, DYNAMODB_LOCAL, pytest.param("moto", marks=pytest.mark.slow)],
    indirect=True,
)
def test_rollups_equal_brute_force(store: Any) -> None:
    target, look = store
    records = mixed_records(11, 120, days=2, spaces=2, others=2)
    oracle = Oracle()
    oracle.post(records[:500], NOW_MS)
    versions = versions_of(records[:500])
    for start in range(0, len(versions), 90):
        apply(target, versions[start : start + 90])
    apply(target, versions[::-1])
    found = look()
    found.check_pages()
    found.check_rollups()
    assert neutral(found.counted()) == oracle.rollups()
    assert {key.bucket for key, _ in found.counted()} > {"ALL"}


def test_a_page_that_changed_since_it_was_read_is_a_conflict(store: Any) -> None:
    target, look = store
    apply(target, calls(3))
    page = target.page_at("call", calls(1)[0].has_position and "9" * 15 + ".f")
    row = Row("late", 5, 0, None)
    encoded = transaction.EncodedPage(
        page.start, page.end, rows := page.rows.with_rows({}, [row]), rows.encode()
    )
    write = transaction.PageWrite("call", encoded, page.version)
    put = RollupPut(RollupKey("calls", ("SPACE", "s"), "ALL"), {"calls": 1}, {}, frozenset(), 0)
    before = neutral(look().counted())
    target.commit(transaction.Transaction((write,)))
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((write,), (put,)))
    unwritten = transaction.PageWrite("call", encoded, 0)
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((unwritten,), (put,)))
    assert neutral(look().counted()) == before


def test_a_rollup_is_put_whole_if_it_is_as_it_was_read(store: Any) -> None:
    target, _ = store
    data = encode("p", {"p=x": 1, "p": 2})
    put = RollupPut(KEY, {"calls": 3}, {"p": data}, frozenset("o"), 0)
    target.commit(transaction.Transaction(puts=(put,)))
    with pytest.raises(Conflict):  # it is not absent
        target.commit(transaction.Transaction(puts=(put,)))
    found = target.rollups([KEY, KEY._replace(bucket="ALL")])
    version = found[KEY].version
    assert found == {KEY: StoredRollup({"calls": 3}, {"p": data}, frozenset("o"), version)}
    stale = RollupPut(KEY, {"calls": 9}, {}, frozenset(), version - 1)
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction(puts=(stale,)))
    after = RollupPut(KEY, {"timed": 1}, {}, frozenset(), version)
    target.commit(transaction.Transaction(puts=(after,)))
    assert target.rollups([KEY])[KEY] == StoredRollup({"timed": 1}, version=version + 1)


def test_a_removed_rollup_that_is_back_has_a_version_of_its_own(store: Any) -> None:
    target, _ = store
    new = RollupPut(KEY, {"calls": 1}, {}, frozenset(), 0)
    target.commit(transaction.Transaction(puts=(new,)))
    first = target.rollups([KEY])[KEY].version
    changed = RollupPut(KEY, {"calls": 2}, {}, frozenset(), first)
    target.commit(transaction.Transaction(puts=(changed,)))
    stale, delete = (RollupDelete(KEY, version) for version in (first, first + 1))
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction(deletes=(stale,)))
    target.commit(transaction.Transaction(deletes=(delete,)))
    assert target.rollups([KEY]) == {}
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction(deletes=(delete,)))
    target.commit(transaction.Transaction(puts=(new,)))
    assert target.rollups([KEY])[KEY].version not in (first, first + 1)


def test_a_deletion_leaves_no_value_in_any_rollup(store: Any) -> None:
    """Neither a count of zero under its name, nor a rollup that counts no record."""
    target, look = store
    records = mixed_records(5, 60, days=2, spaces=2, others=2)
    living = {(r["type"], r["id"]): r for r in records if isinstance(r, dict) and "id" in r}
    deletions = [
        {"type": type_, "id": id_, "deleted": True, "updated_at": "2027-01-15T07:00:00Z"}
        for type_, id_ in living
    ]
    versions = versions_of([*records, *deletions])
    apply(target, versions[: len(records)])
    assert dict(look().counted())
    apply(target, versions)
    assert dict(look().counted()) == {}
    look().check_pages()


def test_a_breakdown_past_its_limit_spills_and_the_rest_stays_exact(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, look = store
    monkeypatch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", 120)
    apply(target, calls(30, provider="p1"))
    apply(target, calls(60, provider="p1"))
    apply(target, calls(90, provider="p1"))
    found = look()
    found.check_rollups()
    day = found.stored[KEY]
    assert day.spilled == {"o"}
    assert day.measures["p=p1"] == day.measures["calls"] == 90


def test_an_unknown_page_is_none_and_the_first_page_covers_everything(store: Any) -> None:
    target, look = store
    assert target.page_at("call", "5") is None
    apply(target, calls(1))
    page = target.page_at("call", "9" * 15 + ".f")
    assert page.version == 1
    assert len(page.rows) == 1
    assert len(Rows.decode("call", next(iter(look().pages["call"].values())).data)) == 1


def test_a_page_of_an_unknown_format_is_named() -> None:
    data = b"\x63" + Rows.empty("call").encode()[1:]
    item: Any = {"start": {"S": FIRST}, "end": {"S": END}, "v": {"N": "1"}, "data": {"B": data}}
    with pytest.raises(
        CorruptItem, match=f"the call page at {FIRST}: unknown ledger page format 63"
    ):
        page_of_item("call", item)
