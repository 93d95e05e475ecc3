"""Applies rows to ledger pages and rollups, so that every fact counts exactly once.

A page is a last-writer-wins ledger of rows, and rollups change only in the transaction of their
page: by the contribution of the new row minus that of the page's own old row, on condition that the
page still has the version that was read. Duplicates, reordering and crashes therefore change no
result. All rows of a fact, the one at its position and the tombstones at those that it has left,
change in one transaction. docs/exactness.md states the whole rule, and why it holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.errors import (
    Conflict,
    LastingConflict,
    TransactionTooLarge,
    Unavailable,
    UnclearConflict,
)
from rollcall.domain.measures import RollupKey
from rollcall.ledger.known import Known, KnownPage
from rollcall.ledger.merge import RowChange, merge
from rollcall.ledger.page import Row
from rollcall.ledger.ports import LedgerStore
from rollcall.ledger.rollups import RollupPut, RollupWrite, StoredRollup, write_rollup
from rollcall.ledger.transaction import MAX_ITEMS, PageWrite, Transaction
from rollcall.ledger.tree import DEFAULT_TARGET_BYTES, MAX_PAGES, Page, split
from rollcall.retry import Backoff

# Items of a transaction that are reserved for pages that split.
_SPARE_ITEMS: Final = 3
# Pages that change by so few facts at a time split at half the target: each change puts a page whole.
_FEW_FACTS: Final = 4


# What is added to the measures of rollups.
_Delta: TypeAlias = dict[RollupKey, dict[str, int]]
# Changes by the page that they change; the key is the identity of the page.
_Changes: TypeAlias = dict[int, tuple[KnownPage, list[RowChange]]]


@dataclass(slots=True)
class _Work:
    """Facts from the front of the queue, as many as one transaction can hold.

    `page_items` are the items that the changed pages write, unless they split; `page_of` has the
    page whose rows change a rollup, or None if several do.
    """

    taken: int = 0
    page_items: int = 0
    changes: _Changes = field(default_factory=dict)
    delta: _Delta = field(default_factory=dict)
    page_of: dict[RollupKey, int | None] = field(default_factory=dict)

    def add(self, page: int, delta: _Delta) -> None:
        """Add what the rows of a page change."""
        for key, measures in delta.items():
            _add(self.delta, key, measures)
            if self.page_of.setdefault(key, page) != page:
                self.page_of[key] = None

    def added_items(self, changes: _Changes, target_bytes: int) -> int:
        """The items that further changes write, of pages that have none so far."""
        added = (loaded for page, (loaded, _) in changes.items() if page not in self.changes)
        return sum(_item_count(loaded.page, target_bytes) for loaded in added)

    def changed(self) -> _Delta:
        """What changes of each rollup.

        Where the measures stay the same although what single pages contribute changes, that is
        nothing: the rollup gets a new version only, for a reader of one page before and the other
        after must notice.
        """
        changed = ((key, _without_zeros(delta)) for key, delta in self.delta.items())
        return {key: delta for key, delta in changed if delta or self.page_of[key] is None}


class Applier:
    """Applies rows to the ledger of one organisation in one epoch.

    For each rollup of which a transaction spilled open breakdowns, `on_spill` gets their number;
    `on_split` gets the number of segments that a transaction split into pages.
    """

    def __init__(
        self,
        store: LedgerStore,
        contribute: ContributionFunction,
        *,
        target_bytes: int = DEFAULT_TARGET_BYTES,
        backoff: Backoff | None = None,
        on_spill: Callable[[int], None] = lambda _: None,
        on_split: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._contribute = contribute
        self._target_bytes = target_bytes
        self._backoff = backoff or Backoff()
        self._on_spill = on_spill
        self._on_split = on_split
        # A stale copy does no harm: every write is conditional on what was read, and a conflict clears
        # all. What was kept from an earlier call never shows alone that a row is applied already.
        self._known = Known()
        # Whether a write of the last call failed because something else had been written.
        self.has_met_another_writer = False

    @property
    def kept_bytes(self) -> int:
        """About how much memory the pages and rollups take that the next call can use."""
        return self._known.bytes

    def apply(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Apply (record type, row) pairs to pages and rollups, at most one pair per fact.

        A row and its `left_behind` are applied in one transaction. Returns when all rows are applied,
        by this writer or another. Raises Unavailable when no tries or no time are left, CorruptItem if
        a stored item is damaged, and TransactionTooLarge if a single row does not fit; some rows may
        be applied by then, and it is safe to apply all of them again.
        """
        self._known.call += 1
        self.has_met_another_writer = False
        queue = deque(sorted(rows, key=lambda pair: (pair[0], pair[1].position)))
        attempts = self._backoff.attempts()
        most = len(queue)
        while queue:
            self._backoff.check()
            try:
                work = self._gather(queue, most)
                try:
                    transaction, pages = self._build(work)
                except TransactionTooLarge:
                    if work.taken == 1:
                        raise
                    most = work.taken // 2
                    continue
                if transaction.item_count:
                    self._store.commit(transaction)
            except (Conflict, Unavailable) as error:
                self.has_met_another_writer |= isinstance(error, Conflict)
                self._known.clear()
                if isinstance(error, UnclearConflict) and attempts.is_last:
                    raise LastingConflict(
                        f"{error}, still after {attempts.number} tries"
                    ) from error
                attempts.failed(error)
                continue
            attempts.succeeded()
            self._remember(transaction, pages)
            for _ in range(work.taken):
                queue.popleft()
            # After one transaction that was too large, the next would be too: grow by doubling.
            most *= 2

    def _gather(self, queue: Iterable[tuple[str, Row]], most: int) -> _Work:
        work = _Work()
        for record_type, row in queue:
            if work.taken >= most:
                break
            changes = self._changes(work, record_type, row)
            if changes and not self._add(work, changes):
                break
            work.taken += 1
        return work

    def _changes(self, work: _Work, record_type: str, row: Row) -> _Changes:
        """The changes that a row and its tombstones make, by page."""
        changes: _Changes = {}
        for each in (row, *row.left_behind):
            loaded = self._page_for(record_type, each)
            change = loaded.index.change(each)
            is_written = id(loaded) in work.changes or id(loaded) in changes
            if change is None and self._known.is_kept(loaded) and not is_written:
                # No condition would notice that the copy is stale, so the page is read again.
                self._known.remove_page(loaded)
                loaded = self._page_for(record_type, each)
                change = loaded.index.change(each)
            if change is not None:
                changes.setdefault(id(loaded), (loaded, []))[1].append(change)
        return changes

    def _add(self, work: _Work, changes: _Changes) -> bool:
        """Add the changes of a fact to the work; False if the transaction has no room for them."""
        deltas = {page: self._delta(of_page) for page, (_, of_page) in changes.items()}
        keys = {key for delta in deltas.values() for key in delta}
        rollup_count = len(work.delta) + len(keys - work.delta.keys())
        page_items = work.page_items + work.added_items(changes, self._target_bytes)
        if work.taken and rollup_count + page_items > MAX_ITEMS - _SPARE_ITEMS:
            return False
        work.page_items = page_items
        for page, (loaded, of_page) in changes.items():
            work.add(page, deltas[page])
            work.changes.setdefault(page, (loaded, []))[1].extend(of_page)
        return True

    def _delta(self, changes: Iterable[RowChange]) -> _Delta:
        """The contributions of the new rows of a page minus those of the old.

        Unchanged rollups are left out: each would use up an item of the transaction.
        """
        delta: _Delta = {}
        for change in changes:
            for sign, row in ((1, change.new), (-1, change.old)):
                if row is None or row.record is None:
                    continue
                for key, measures in self._contribute(row.id, row.record):
                    _add(delta, key, measures, sign)
        return {key: d for key, measures in delta.items() if (d := _without_zeros(measures))}

    def _page_for(self, record_type: str, row: Row) -> KnownPage:
        known = self._known.page_covering(record_type, row.position)
        if known is not None:
            return known
        page = self._store.page_at(record_type, row.position) or Page.unwritten(record_type)
        if not page.covers(row.position):
            raise UnclearConflict(f"no page covers {row.position}")
        if self._known.overlaps(record_type, page):
            # Pages that were read before have been merged: a transaction must not write both.
            raise Conflict(f"what covers {row.position} was merged")
        return self._known.add_page(record_type, page)

    def _build(self, work: _Work) -> tuple[Transaction, list[tuple[KnownPage, list[Page]]]]:
        """(the transaction of some work, the pages that it writes for each page that was read)."""
        writes: list[PageWrite] = []
        pages: list[tuple[KnownPage, list[Page]]] = []
        rollups = self._rollup_writes(work)
        max_pages = self._max_pages(work, len(rollups))
        for loaded, changes in work.changes.values():
            is_small = work.taken <= _FEW_FACTS and not loaded.page.is_segment
            target_bytes = self._target_bytes // 2 if is_small else self._target_bytes
            of_page = self._page_writes(loaded, changes, target_bytes, max_pages)
            writes += of_page
            pages.append((loaded, [write.written for write in of_page]))
        transaction = Transaction.of(writes, rollups)
        if not transaction.fits:
            raise TransactionTooLarge(
                f"{transaction.item_count} items exceed the limits of one transaction"
            )
        return transaction, pages

    def _max_pages(self, work: _Work, rollups: int) -> int:
        """The number of pages that each changed page may split into.

        A fact that has moved through many segments must fit in one transaction, in larger pages.
        """
        if work.taken > 1:
            return MAX_PAGES
        segments = sum(loaded.page.is_segment for loaded, _ in work.changes.values())
        room = MAX_ITEMS - rollups - segments
        return max(1, min(MAX_PAGES, room // max(1, len(work.changes))))

    def _page_writes(
        self,
        loaded: KnownPage,
        changes: Sequence[RowChange],
        target_bytes: int,
        max_pages: int,
    ) -> list[PageWrite]:
        old = loaded.page
        merged = merge(old.rows, changes)
        return [
            PageWrite(
                loaded.record_type,
                page,
                old.version if page.start == old.start else 0,
                base=old.version,
                is_from_segment=old.is_segment and page.start == old.start,
            )
            for page in split(old.start, old.end, merged, target_bytes, max_pages)
        ]

    def _rollup_writes(self, work: _Work) -> list[RollupWrite]:
        changed = work.changed()
        missing = [key for key in changed if self._known.rollup(key) is None]
        for key, stored in (self._store.rollups(missing) if missing else {}).items():
            self._known.put_rollup(key, stored)
        return [
            write_rollup(key, delta, self._stored(key))
            for key, delta in changed.items()
            if delta or self._stored(key).version
        ]

    def _stored(self, key: RollupKey) -> StoredRollup:
        """A rollup that was read or written; one that is not known is absent."""
        return self._known.rollup(key) or StoredRollup()

    def _remember(
        self, transaction: Transaction, pages: list[tuple[KnownPage, list[Page]]]
    ) -> None:
        split_segments = sum(known.page.is_segment for known, _ in pages)
        if split_segments:
            self._on_split(split_segments)
        for known, written in pages:
            self._known.remove_page(known)
            for page in written:
                self._known.add_page(known.record_type, page)
        for put in transaction.puts:
            new_spills = put.spilled - self._stored(put.key).spilled
            if new_spills:
                self._on_spill(len(new_spills))
            # Only the store knows the first version of a new rollup.
            if put.version_read:
                self._known.put_rollup(put.key, _written(put))
        for delete in transaction.deletes:
            self._known.remove_rollup(delete.key)


def _item_count(page: Page, target_bytes: int) -> int:
    """The items that a change of a page writes, unless it splits: a segment always does."""
    if not page.is_segment:
        return 1
    return 2 + min(MAX_PAGES, page.segment_bytes // target_bytes + 1)


def _written(put: RollupPut) -> StoredRollup:
    """A rollup as it is stored after a put of one that was there."""
    return StoredRollup(put.counts, put.breakdowns, put.spilled, put.version_read + 1)


def _add(total: _Delta, key: RollupKey, measures: Mapping[str, int], sign: int = 1) -> None:
    rollup = total.setdefault(key, {})
    for name, amount in measures.items():
        rollup[name] = rollup.get(name, 0) + sign * amount


def _without_zeros(delta: Mapping[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in delta.items() if amount}
