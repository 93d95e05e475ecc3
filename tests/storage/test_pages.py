"""The DynamoDB stores keep the promises that the in-memory one makes: one suite for all."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.facts import Fact
from rollcall.domain.measures import RollupKey
from rollcall.domain.organisations import tenant
from rollcall.ledger import transaction
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.writer import fold
from rollcall.retry import Backoff
from rollcall.storage.pages import PageStore, page_of_item
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
    real = PageStore(client, "rollcall-analytics", org_id, 3, lambda: next(clock), BACKOFF)
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
    add = transaction.RollupAdd(RollupKey("calls", ("ORG",), "ALL"), {"calls": 1})
    before = neutral(look().counted())
    target.commit(transaction.Transaction((write,), (), ()))
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((write,), (add,), ()))
    unwritten = transaction.PageWrite("call", encoded, 0)
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((unwritten,), (add,), ()))
    assert neutral(look().counted()) == before


def test_no_add_reaches_a_spilled_breakdown(store: Any) -> None:
    target, look = store
    key = RollupKey("calls", ("ORG",), "2026-11-21", True)
    put = transaction.RollupPut(key, {"p=x": 1}, frozenset("o"), 0)
    target.commit(transaction.Transaction((), (), (put,)))
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((), (), (put,)))
    outcome = transaction.RollupAdd(key, {"o=a": 1, "p=x": 1}, ("o", "p"))
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((), (outcome,), ()))
    version = target.rollups([key])[key].version
    provider = transaction.RollupAdd(key, {"p=x": 2, "p": 1}, ("p",))
    target.commit(transaction.Transaction((), (provider,), ()))
    found: Mapping[RollupKey, Any] = target.rollups([key])
    assert found[key].counts == {"p=x": 3, "p": 1}
    assert found[key].spilled == {"o"}
    assert found[key].version == version + 1


def test_what_reaches_zero_leaves_if_it_is_still_counted_so(store: Any) -> None:
    target, _ = store
    for is_open in (True, False):
        key = RollupKey("calls", ("ORG",), "2026-11-21", is_open)
        add = transaction.RollupAdd(key, {"o=a": 1, "o=b": 2})
        target.commit(transaction.Transaction((), (add,), ()))
        stale = transaction.RollupAdd(key, {"o=b": -1}, gone={"o=a": 2})
        with pytest.raises(Conflict):
            target.commit(transaction.Transaction((), (stale,), ()))
        gone = transaction.RollupAdd(key, {}, gone={"o=a": 1})
        target.commit(transaction.Transaction((), (gone,), ()))
        assert target.rollups([key])[key].counts == {"o=b": 2}


def test_a_removed_rollup_that_is_back_has_a_version_of_its_own(store: Any) -> None:
    target, _ = store
    key = RollupKey("calls", ("ORG",), "2026-11-21")
    add = transaction.RollupAdd(key, {"calls": 1})
    target.commit(transaction.Transaction((), (add,), ()))
    first = target.rollups([key])[key].version
    target.commit(transaction.Transaction((), (add,), ()))
    stale = transaction.RollupDelete(key, first)
    with pytest.raises(Conflict):
        target.commit(transaction.Transaction((), (), (), (stale,)))
    target.commit(transaction.Transaction((), (), (), (transaction.RollupDelete(key, first + 1),)))
    assert target.rollups([key]) == {}
    target.commit(
        transaction.Transaction((), (), (transaction.RollupPut(key, {}, frozenset(), 0),))
    )
    again = target.rollups([key])[key].version
    assert again not in (first, first + 1)


def test_a_deletion_leaves_no_value_in_any_rollup(store: Any) -> None:
    """Neither a count of zero under its name, nor a rollup that nobody is in."""
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
    monkeypatch.setattr(transaction, "OPEN_LIMIT_BYTES", 2_000)
    apply(target, calls(30, provider="p1"))
    apply(target, calls(60, provider="p1"))
    apply(target, calls(90, provider="p1"))
    found = look()
    found.check_rollups()
    day = found.stored[RollupKey("calls", ("ORG",), "2026-11-21", True)]
    assert day.spilled == {"o"}
    assert day.counts == {"p=p1": 90}


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
