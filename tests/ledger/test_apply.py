"""What one transaction holds, and which conflict is damage: one that outlasts every retry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from rollcall.domain.contributions import contribution_function
from rollcall.domain.errors import (
    Conflict,
    LastingConflict,
    TransactionTooLarge,
    Unavailable,
    UnclearConflict,
)
from rollcall.domain.measures import RollupKey
from rollcall.domain.records import Call
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.ledger import transaction
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import FIRST
from rollcall.ledger.transaction import StoredRollup, Transaction
from rollcall.ledger.tree import Page
from rollcall.retry import Backoff, time_limit
from tests.support.fakes import MemoryLedger

TRIES = 5
ROWS = [("label", Row("x", 1, 0, None))]


class Store:
    """Pages of which the one that is found ends before the row, `times` times."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.times = times
        self.error = error
        self.commits = 0

    def page_at(self, record_type: str, position: str) -> Page | None:
        if self.error is None and self.times:
            self.times -= 1
            return Page(FIRST, FIRST, 1, Rows.empty(record_type))
        return None

    def rollups(self, keys: Collection[RollupKey]) -> Mapping[RollupKey, StoredRollup]:
        return {}

    def commit(self, transaction: Transaction) -> None:
        if self.error is not None and self.times:
            self.times -= 1
            raise self.error
        self.commits += 1


def apply(store: Any) -> None:
    backoff = Backoff(tries=TRIES, sleep=lambda _seconds: None)
    Applier(store, contribution_function(1), backoff=backoff).apply(ROWS)


def test_a_gap_that_stays_is_damage() -> None:
    with pytest.raises(LastingConflict, match=r"no page covers .*, still after 5 tries"):
        apply(Store(TRIES))


@pytest.mark.parametrize("times", range(TRIES))
def test_a_split_that_ends_is_none(times: int) -> None:
    store = Store(times)
    apply(store)
    assert store.commits == 1


def test_an_item_that_stays_too_large_is_damage() -> None:
    with pytest.raises(LastingConflict, match="too large"):
        apply(Store(TRIES, UnclearConflict("an item would grow too large")))


@pytest.mark.parametrize("error", [Conflict("another writer"), Unavailable("busy")])
def test_any_other_conflict_may_pass(error: Exception) -> None:
    with pytest.raises(Unavailable, match="failed after 5 tries"):
        apply(Store(TRIES, error))


def test_a_gap_is_no_damage_when_only_the_time_is_used_up() -> None:
    with time_limit(0), pytest.raises(Unavailable, match="out of time"):
        apply(Store(1))


# ------------------------------------------------------------------ as many rows as one transaction holds
def calls(count: int, day: int, **fields: Any) -> list[tuple[str, Row]]:
    return [
        (
            "call",
            Row(f"{n}", 1, n * day, Call(n * day, "busy", answered=False, attempt=1, **fields)),
        )
        for n in range(count)
    ]


def test_rows_that_change_many_rollups_take_several_transactions() -> None:
    """Each day has rollups of its own, and a transaction has 100 items."""
    store = MemoryLedger()
    Applier(store, contribution_function(1)).apply(calls(150, MS_PER_DAY))
    assert store.commits >= 3
    store.check_pages()
    store.check_rollups()


def test_what_does_not_fit_is_halved_until_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MAX_BYTES", 12_000)
    store = MemoryLedger()
    Applier(store, contribution_function(1)).apply(calls(40, 1_000))
    assert store.commits == 1
    store = MemoryLedger()
    Applier(store, contribution_function(1)).apply(calls(40, MS_PER_DAY // 8))
    assert store.commits > 1
    store.check_pages()
    store.check_rollups()


def test_a_single_row_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MAX_BYTES", 2_000)
    store = MemoryLedger()
    with pytest.raises(TransactionTooLarge, match="exceed the limits of one transaction"):
        Applier(store, contribution_function(1)).apply(calls(3, 1))
    assert store.commits == 0


def test_every_spill_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the organisation's day, and one of its lifetime."""
    monkeypatch.setattr(transaction, "OPEN_LIMIT_BYTES", transaction._OPEN_OVERHEAD_BYTES + 400)
    spills: list[int] = []
    store = MemoryLedger()
    applier = Applier(store, contribution_function(1), on_spill=spills.append)
    for number in range(12):
        labels = tuple(sorted(f"label {number} {n}" for n in range(5)))
        call = Call(number, "busy", answered=False, attempt=1, labels=labels)
        applier.apply([("call", Row(f"{number}", 1, number, call))])
    marked = {key: stored.spilled for key, stored in store.stored.items() if stored.spilled}
    assert sum(spills) == sum(map(len, marked.values())) == 2
    store.check_rollups()


def test_a_rollup_that_is_replaced_and_spills_nothing_is_not_counted() -> None:
    """So many counts shrink at once that the rollup is written whole."""
    spills: list[int] = []
    store = MemoryLedger()
    applier = Applier(store, contribution_function(1), on_spill=spills.append)
    labels = tuple(sorted(f"label {n}" for n in range(30)))
    for fact_id, rev, names in (("a", 1, labels), ("b", 1, labels), ("a", 2, ())):
        call = Call(5, "busy", answered=False, attempt=1, labels=names)
        applier.apply([("call", Row(fact_id, rev, 5, call))])
    assert spills == []
    store.check_rollups()
