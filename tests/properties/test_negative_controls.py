"""The exactness check can fail: each planted fault must be caught by it.

A checker that passes a broken design proves nothing. Every mutant breaks one sentence of the rule
in `rollcall.ledger.apply`; seeded schedules of duplicates, reorderings, lost replies and conflicts
must tell it from the real thing, which passes the very same schedules.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from rollcall.domain.errors import Conflict, RollcallError, Unavailable
from rollcall.domain.facts import Fact
from rollcall.ledger import apply as apply_module
from rollcall.ledger import merge
from rollcall.ledger.page import Row
from rollcall.ledger.transaction import Transaction
from rollcall.usecases import update
from tests.fakes import MemoryLedger
from tests.generate import mixed_records
from tests.neutral import neutral
from tests.oracle import Oracle
from tests.properties.test_exactness import NOW_MS, apply, versions_of

SEEDS = range(6)
Mutant = Callable[[pytest.MonkeyPatch], None]


def add_without_the_page(patch: pytest.MonkeyPatch) -> None:
    """A bare ADD per delivery: what the page holds is not asked."""
    patch.setattr(merge.PageIndex, "change", lambda _self, row: merge.RowChange(row, None, None))
    patch.setattr(apply_module, "merge", lambda rows, changes: rows)


def page_without_its_condition(patch: pytest.MonkeyPatch) -> None:
    original = MemoryLedger._commit

    def commit(self: MemoryLedger, transaction: Transaction) -> None:
        pages = []
        for write in transaction.pages:
            stored = self.pages.get(write.record_type, {}).get(write.page.start)
            pages.append(dataclasses.replace(write, version_read=stored.version if stored else 0))
        original(self, dataclasses.replace(transaction, pages=tuple(pages)))

    patch.setattr(MemoryLedger, "_commit", commit)


def last_arrival_wins(patch: pytest.MonkeyPatch) -> None:
    def change(self: merge.PageIndex, row: Row) -> merge.RowChange:
        index = self._index.get(row.id)
        old = None if index is None else self._rows.row(index)
        return merge.RowChange(row, old, index)

    patch.setattr(merge.PageIndex, "change", change)


def equal_revision_counts_again(patch: pytest.MonkeyPatch) -> None:
    original = merge.PageIndex.change

    def change(self: merge.PageIndex, row: Row) -> merge.RowChange | None:
        found = original(self, row)
        index = self._index.get(row.id)
        if found is None and index is not None and int(self._revs[index]) == row.rev:
            return merge.RowChange(row, None, index)
        return found

    patch.setattr(merge.PageIndex, "change", change)


def old_row_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    original = merge.PageIndex.change

    def change(self: merge.PageIndex, row: Row) -> merge.RowChange | None:
        found = original(self, row)
        return None if found is None else dataclasses.replace(found, old=None)

    patch.setattr(merge.PageIndex, "change", change)


def tombstones_are_dropped(patch: pytest.MonkeyPatch) -> None:
    def fold(deliveries: Sequence[update.Delivery]) -> list[tuple[str, Row]]:
        return [pair for pair in FOLD(deliveries) if pair[1].record is not None]

    patch.setattr("tests.properties.test_exactness.fold", fold)


def page_edge_is_inclusive(patch: pytest.MonkeyPatch) -> None:
    """`<=` for `<` where a page ends: a row that begins the next page is put into this one too."""
    patch.setattr(
        apply_module.Page,
        "covers",
        lambda self, position: self.start <= position <= self.end,
    )
    original = MemoryLedger._page_at

    def page_at(self: MemoryLedger, record_type: str, position: str) -> Any:
        for stored in self.pages.get(record_type, {}).values():
            if stored.end == position:
                return original(self, record_type, stored.start)
        return original(self, record_type, position)

    patch.setattr(MemoryLedger, "_page_at", page_at)


def retry_without_reading_again(patch: pytest.MonkeyPatch) -> None:
    """On a conflict the same transaction is sent again, with whatever version is there."""
    original = MemoryLedger.commit

    def commit(self: MemoryLedger, transaction: Transaction) -> None:
        try:
            original(self, transaction)
        except (Conflict, Unavailable):
            page_without_its_condition(patch)
            MemoryLedger._commit(self, transaction)
            patch.setattr(MemoryLedger, "_commit", REAL_COMMIT)

    patch.setattr(MemoryLedger, "commit", commit)


FOLD = update.fold
REAL_COMMIT = MemoryLedger._commit
MUTANTS: list[Mutant] = [
    add_without_the_page,
    page_without_its_condition,
    last_arrival_wins,
    equal_revision_counts_again,
    old_row_is_forgotten,
    tombstones_are_dropped,
    page_edge_is_inclusive,
    retry_without_reading_again,
]


def is_exact(seed: int) -> bool:
    """Whether one seeded schedule ends in the figures of a brute-force count."""
    random_ = random.Random(seed)
    records = mixed_records(seed, 30, versions=(2, 3), deletes=0.3, days=2, spaces=2, others=2)
    oracle = Oracle()
    oracle.post(records, NOW_MS)
    versions = versions_of(records)
    store = MemoryLedger()
    try:
        for batch in schedule(random_, len(versions)):
            store.around = faults(random_, store, versions)
            apply(store, [versions[index] for index in batch], 700)
        store.around = lambda _operation, act: act()
        # The tail of the stream comes once more, in order: late replays after all is in.
        apply(store, random_.sample(versions, len(versions) // 2), 700)
        store.check_pages()
    except (AssertionError, RollcallError, KeyError, IndexError):
        return False
    return neutral(store.rollups()) == oracle.rollups()


def schedule(random_: random.Random, count: int) -> Iterator[list[int]]:
    """Batches in which every version comes at least once, many again, some of them late."""
    order = [index for index in range(count) for _ in range(random_.choice((1, 1, 2, 3)))]
    random_.shuffle(order)
    while order:
        size = random_.randint(1, 12)
        batch, order = order[:size], order[size:]
        yield batch
        if random_.random() < 0.3:
            yield batch


def faults(
    random_: random.Random, store: MemoryLedger, versions: Sequence[Fact]
) -> Callable[[str, Callable[[], Any]], Any]:
    is_nested = False

    def around(operation: str, act: Callable[[], Any]) -> Any:
        nonlocal is_nested
        if operation == "commit" and not is_nested:
            match random_.randrange(8):
                case 0:
                    raise Conflict("injected")
                case 1:
                    act()
                    raise Unavailable("injected: the reply was lost")
                case 2:
                    # Another invocation gets in between the read and the write.
                    is_nested = True
                    apply(store, random_.sample(versions, min(5, len(versions))), 700)
                    is_nested = False
        return act()

    return around


def test_the_real_rule_passes_every_schedule() -> None:
    assert all(is_exact(seed) for seed in SEEDS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_mutant_is_caught(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert not all(is_exact(seed) for seed in SEEDS)
