"""What one transaction holds, and which conflict is damage: one that outlasts every retry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
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
from rollcall.ledger import rollups, transaction
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.rollups import StoredRollup
from rollcall.ledger.transaction import Transaction
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
    Applier(store, contribution_function(CURRENT_VERSION), backoff=backoff).apply(ROWS)


def test_a_gap_that_stays_is_damage() -> None:
    with pytest.raises(LastingConflict, match=r"no page covers .*, still after 5 tries"):
        apply(Store(TRIES))


@pytest.mark.parametrize("times", range(TRIES))
def test_a_split_that_ends_is_none(times: int) -> None:
    store = Store(times)
    apply(store)
    assert store.commits == 1


class Merging(Store):
    """Reads a page of the first row, and then the segment that the page was merged into."""

    def __init__(self) -> None:
        super().__init__(0)
        self.read = 0

    def page_at(self, record_type: str, position: str) -> Page | None:
        self.read += 1
        rows = Rows.empty(record_type)
        if self.read == 1:
            return Page(position, position + "0", 1, rows)
        return Page(FIRST, END, 2, rows, segment_bytes=5)


def test_pages_that_are_merged_meanwhile_are_read_again() -> None:
    """One transaction writes no page beside the segment that has taken its place."""
    store, splits = Merging(), list[int]()
    backoff = Backoff(tries=TRIES, sleep=lambda _seconds: None)
    contribute = contribution_function(CURRENT_VERSION)
    applier = Applier(store, contribute, backoff=backoff, on_split=splits.append)
    applier.apply([*ROWS, ("label", Row("y", 1, 0, None))])
    assert store.read == 3
    assert (store.commits, splits) == (1, [1])


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
    Applier(store, contribution_function(CURRENT_VERSION)).apply(calls(150, MS_PER_DAY))
    assert store.commits == 2
    store.check_pages()
    store.check_rollups()


def test_what_does_not_fit_is_halved_until_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MAX_BYTES", 12_000)
    store = MemoryLedger()
    Applier(store, contribution_function(CURRENT_VERSION)).apply(calls(40, 1_000))
    assert store.commits == 1
    store = MemoryLedger()
    Applier(store, contribution_function(CURRENT_VERSION)).apply(calls(40, MS_PER_DAY // 8))
    assert store.commits > 1
    store.check_pages()
    store.check_rollups()


def test_a_single_row_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "MAX_BYTES", 2_000)
    store = MemoryLedger()
    with pytest.raises(TransactionTooLarge, match="exceed the limits of one transaction"):
        Applier(store, contribution_function(CURRENT_VERSION)).apply(calls(3, 1))
    assert store.commits == 0


def test_every_spill_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the organisation's day, and one of its lifetime."""
    monkeypatch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", 60)
    spills: list[int] = []
    store = MemoryLedger()
    applier = Applier(store, contribution_function(CURRENT_VERSION), on_spill=spills.append)
    for number in range(12):
        labels = tuple(sorted(f"label {number} {n}" for n in range(5)))
        call = Call(number, "busy", answered=False, attempt=1, labels=labels)
        applier.apply([("call", Row(f"{number}", 1, number, call))])
    marked = {key: stored.spilled for key, stored in store.stored.items() if stored.spilled}
    assert sum(spills) == sum(map(len, marked.values())) == 2
    store.check_rollups()


def test_what_was_written_is_not_read_again() -> None:
    """Except the version of a new rollup, which only the store knows."""
    asked: list[str] = []

    def around(operation: str, act: Any) -> Any:
        asked.append(operation)
        return act()

    store = MemoryLedger(around)
    applier = Applier(store, contribution_function(CURRENT_VERSION))
    for number in range(4):
        applier.apply(calls(1, MS_PER_DAY, outcome=f"o{number}")[:1])
        applier.apply([moved(number + 1, 5, fact_id=f"{number}")])
    assert asked.count("rollups") == 2
    assert asked.count("commit") == 5
    store.check_rollups()


# ------------------------------------------------------------------ a fact that has moved
def moved(rev: int, to: int, *left: int, fact_id: str = "m", **fields: Any) -> tuple[str, Row]:
    record = Call(to, "busy", answered=False, attempt=1, **fields)
    dead = tuple(Row(fact_id, rev, time_ms, None) for time_ms in left)
    return "call", Row(fact_id, rev, to, record, dead)


def small_pages(count: int) -> MemoryLedger:
    """A ledger of calls at 0, 1,000, 2,000 …, each in a page of its own."""
    store = MemoryLedger()
    for n in range(count):
        row = Row(f"at {n}", 1, n * 1_000, Call(n * 1_000, "busy", answered=False, attempt=1))
        Applier(store, contribution_function(CURRENT_VERSION), target_bytes=1).apply(
            [("call", row)]
        )
    assert len(store.pages["call"]) == count
    return store


@pytest.mark.property
@given(
    target_bytes=st.sampled_from([1, 300, 16_384]),
    times=st.lists(st.integers(0, 5), min_size=1, max_size=7),
    data=st.data(),
)
def test_each_transaction_leaves_the_rows_of_one_version(
    target_bytes: int, times: list[int], data: st.DataObject
) -> None:
    """Versions arrive in any order, repeated and left out, also after the fact moved back."""
    versions = []
    for rev, to in enumerate(times, 1):
        at = to * MS_PER_DAY // 2
        left = sorted({time * MS_PER_DAY // 2 for time in times[:rev]} - {at})
        versions.append(moved(rev, at, *left))
    store = MemoryLedger()
    Applier(store, contribution_function(CURRENT_VERSION), target_bytes=target_bytes).apply(
        calls(12, MS_PER_DAY // 4)
    )
    highest = 0
    order = data.draw(st.lists(st.integers(0, len(versions) - 1), max_size=12))
    for index in [*order, *data.draw(st.permutations(range(len(versions))))]:
        Applier(store, contribution_function(CURRENT_VERSION), target_bytes=target_bytes).apply(
            [versions[index]]
        )
        highest = max(highest, index)
        _, newest = versions[highest]
        found = sorted((row for _, row in store.rows() if row.id == "m"), key=lambda r: r.time_ms)
        expected = [Row("m", newest.rev, newest.time_ms, newest.record), *newest.left_behind]
        assert found == sorted(expected, key=lambda row: row.time_ms)
        store.check_pages()
        store.check_rollups()


@pytest.mark.parametrize(("facts", "target_bytes"), [(1, 400), (4, 400), (5, 800), (60, 800)])
def test_pages_that_change_by_few_facts_at_a_time_split_at_half_the_target(
    facts: int, target_bytes: int
) -> None:
    store = MemoryLedger()
    applier = Applier(store, contribution_function(CURRENT_VERSION), target_bytes=800)
    rows = calls(600, 1_000_003)
    for first in range(0, len(rows), facts):
        applier.apply(rows[first : first + facts])
    sizes = [len(page.data) for page in store.pages["call"].values()]
    assert max(sizes) <= target_bytes
    assert max(sizes) > target_bytes * 3 // 4
    assert len(sizes) > 1
    store.check_pages()
    store.check_rollups()


def test_a_move_to_another_page_gives_every_rollup_of_the_row_a_new_version() -> None:
    """Its counts may be the same; a reader who found it in both pages or in neither must notice."""
    store = small_pages(4)
    apply_to = Applier(store, contribution_function(CURRENT_VERSION), target_bytes=1).apply
    apply_to([moved(2, 500)])
    before = {key: stored.version for key, stored in store.stored.items()}
    counts = {key: stored.measures for key, stored in store.stored.items()}
    commits = store.commits
    apply_to([moved(3, 2_500, 500)])
    assert store.commits == commits + 1
    assert {key: stored.measures for key, stored in store.stored.items()} == counts
    assert all(stored.version > before[key] for key, stored in store.stored.items())
    store.check_pages()


def test_a_move_within_a_page_changes_no_rollup_that_stays_the_same() -> None:
    store = MemoryLedger()
    apply_to = Applier(store, contribution_function(CURRENT_VERSION)).apply
    apply_to([moved(2, 500)])
    before = dict(store.stored)
    apply_to([moved(3, 2_500, 500)])
    assert store.stored == before
    store.check_pages()
    store.check_rollups()


def test_of_two_pages_whose_changes_cancel_out_the_rollup_gets_a_new_version() -> None:
    store = small_pages(3)
    apply_to = Applier(store, contribution_function(CURRENT_VERSION), target_bytes=1).apply
    apply_to([moved(1, 500, fact_id="x", outcome="a"), moved(1, 2_500, fact_id="y", outcome="b")])
    before = {key: stored.version for key, stored in store.stored.items()}
    apply_to([moved(2, 500, fact_id="x", outcome="b"), moved(2, 2_500, fact_id="y", outcome="a")])
    after = {key: stored.version for key, stored in store.stored.items()}
    assert before
    assert all(after[key] > version for key, version in before.items())
    store.check_rollups()


def test_a_fact_with_16_positions_moves_in_one_transaction() -> None:
    store = small_pages(17)
    left: list[int] = []
    for number in range(16):
        commits = store.commits
        version = moved(
            number + 2,
            number * 1_000 + 500,
            *left,
            labels=tuple(f"label {n:02}" for n in range(32)),
            space_token="s",
            campaign_id="c",
            direction="inbound",
            template_id="t",
            merchant_id="m",
            reseller_id="r",
            lead_id="l",
        )
        Applier(store, contribution_function(CURRENT_VERSION), target_bytes=1).apply([version])
        assert store.commits == commits + 1
        left.append(number * 1_000 + 500)
        store.check_pages()
        store.check_rollups()


def test_facts_that_move_are_halved_until_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halving never separates a tombstone from its row."""
    store = small_pages(12)
    first = [moved(1, n * 1_000 + 1, fact_id=f"m{n}") for n in range(12)]
    Applier(store, contribution_function(CURRENT_VERSION), target_bytes=1).apply(first)
    monkeypatch.setattr(transaction, "MAX_BYTES", 18_000)
    commits = store.commits

    def around(operation: str, act: Any) -> Any:
        found = act()
        if operation == "commit":
            store.check_pages()
            store.check_rollups()
            live = [row for _, row in store.rows() if row.id.startswith("m") and row.record]
            assert len(live) == 12
        return found

    store.around = around
    second = [moved(2, (11 - n) * 1_000 + 2, n * 1_000 + 1, fact_id=f"m{n}") for n in range(12)]
    Applier(store, contribution_function(CURRENT_VERSION), target_bytes=1).apply(second)
    assert store.commits > commits + 1
