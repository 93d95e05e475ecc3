"""Applies rows to ledger pages and rollups, so that every fact counts exactly once.

A page is a last-writer-wins ledger of rows, and rollups change only in the transaction of their
page: by the contribution of the new row minus that of the page's own old row, on condition that the
page still has the version that was read. Duplicates, reordering and crashes therefore change no
result. All rows of a fact, the one at its position and the tombstones at those that it has left,
change in one transaction. docs/exactness.md states the whole rule, and why it holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from rollcall.domain.measures import CALLS, RollupKey
from rollcall.ledger.merge import PageIndex, RowChange, merge
from rollcall.ledger.page import Row
from rollcall.ledger.ports import LedgerStore
from rollcall.ledger.transaction import (
    MAX_ITEMS,
    MAX_TERMS,
    PageWrite,
    RollupAdd,
    RollupDelete,
    RollupWrite,
    StoredRollup,
    Transaction,
    write_rollup,
)
from rollcall.ledger.tree import DEFAULT_TARGET_BYTES, Page, split
from rollcall.retry import Backoff

# One changed row adds at most this many terms to an update: 32 labels removed and 32 added, two
# outcomes, two providers, two durations.
_TERMS_OF_A_ROW: Final = 70
# Items of a transaction that are reserved for pages that split.
_SPARE_ITEMS: Final = 3


@dataclass(slots=True, eq=False)
class _LoadedPage:
    record_type: str
    page: Page
    index: PageIndex


# Changes by the page that they change; the key is the identity of the page.
_Changes: TypeAlias = dict[int, tuple[_LoadedPage, list[RowChange]]]


@dataclass(slots=True)
class _Work:
    """Facts from the front of the queue, as many as one transaction can hold.

    `left` are the rollups that a fact leaves; `page_of` has the page whose rows change a rollup, or
    None if several do.
    """

    taken: int = 0
    max_terms: int = 0
    changes: _Changes = field(default_factory=dict)
    delta: dict[RollupKey, dict[str, int]] = field(default_factory=dict)
    left: set[RollupKey] = field(default_factory=set)
    page_of: dict[RollupKey, int | None] = field(default_factory=dict)

    def add(self, page: int, delta: Mapping[RollupKey, Mapping[str, int]]) -> None:
        """Add what the rows of a page change."""
        for key, measures in delta.items():
            rollup = self.delta.setdefault(key, {})
            for name, amount in measures.items():
                rollup[name] = rollup.get(name, 0) + amount
            self.max_terms = max(self.max_terms, len(rollup))
            if self.page_of.setdefault(key, page) != page:
                self.page_of[key] = None

    def changed(self) -> dict[RollupKey, dict[str, int]]:
        """What changes of each rollup whose measures change."""
        return {key: d for key, delta in self.delta.items() if (d := _without_zeros(delta))}

    def shifted(self) -> list[RollupKey]:
        """The rollups whose measures stay the same, although what single pages contribute changes."""
        changed = self.changed()
        return [key for key, page in self.page_of.items() if page is None and key not in changed]


@dataclass(slots=True)
class _Delta:
    """What the changes of one page add to rollups, and the rollups of the new and the old rows."""

    changed: dict[RollupKey, dict[str, int]]
    entered: set[RollupKey]
    left: set[RollupKey]


class Applier:
    """Applies rows to the ledger of one organisation in one epoch.

    For each rollup of which a transaction spilled open breakdowns, `on_spill` gets their number.
    """

    def __init__(
        self,
        store: LedgerStore,
        contribute: ContributionFunction,
        *,
        target_bytes: int = DEFAULT_TARGET_BYTES,
        backoff: Backoff | None = None,
        on_spill: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._contribute = contribute
        self._target_bytes = target_bytes
        self._backoff = backoff or Backoff()
        self._on_spill = on_spill
        # What was read or written last. A stale copy does no harm: revisions only grow, every
        # write is conditional on what was read, and a conflict clears both.
        self._pages: dict[str, list[_LoadedPage]] = {}
        self._stored: dict[RollupKey, StoredRollup] = {}

    def apply(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Apply (record type, row) pairs to pages and rollups, at most one pair per fact.

        A row and its `left_behind` are applied in one transaction. Returns when all rows are applied,
        by this writer or another. Raises Unavailable when no tries or no time are left, CorruptItem if
        a stored item is damaged, and TransactionTooLarge if a single row does not fit; some rows may
        be applied by then, and it is safe to apply all of them again.
        """
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
                self._pages.clear()
                self._stored.clear()
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
            changes = self._changes(record_type, row)
            if changes and not self._add(work, changes):
                break
            work.taken += 1
        return work

    def _changes(self, record_type: str, row: Row) -> _Changes:
        """The changes that a row and its tombstones make, by page."""
        changes: _Changes = {}
        for each in (row, *row.left_behind):
            loaded = self._page_for(record_type, each)
            change = loaded.index.change(each)
            if change is not None:
                changes.setdefault(id(loaded), (loaded, []))[1].append(change)
        return changes

    def _add(self, work: _Work, changes: _Changes) -> bool:
        """Add the changes of a fact to the work; False if the transaction has no room for them."""
        deltas = {page: self._delta(of_page) for page, (_, of_page) in changes.items()}
        keys = {key for delta in deltas.values() for key in delta.changed}
        rollup_count = len(work.delta) + len(keys - work.delta.keys())
        page_count = len(work.changes.keys() | changes.keys())
        has_room = rollup_count + page_count <= MAX_ITEMS - _SPARE_ITEMS
        if work.taken and not (has_room and work.max_terms <= MAX_TERMS - _TERMS_OF_A_ROW):
            return False
        for page, (loaded, of_page) in changes.items():
            work.add(page, deltas[page].changed)
            work.changes.setdefault(page, (loaded, []))[1].extend(of_page)
        left = {key for delta in deltas.values() for key in delta.left}
        work.left |= left.difference(*(delta.entered for delta in deltas.values()))
        return True

    def _delta(self, changes: Iterable[RowChange]) -> _Delta:
        """The contributions of the new rows of a page minus those of the old.

        Unchanged rollups are left out: each would use up an item of the transaction.
        """
        delta: dict[RollupKey, dict[str, int]] = {}
        entered: set[RollupKey] = set()
        left: set[RollupKey] = set()
        for change in changes:
            for sign, row, keys in ((1, change.new, entered), (-1, change.old, left)):
                if row is None or row.record is None:
                    continue
                for key, measures in self._contribute(row.id, row.record):
                    keys.add(key)
                    rollup = delta.setdefault(key, {})
                    for name, amount in measures.items():
                        rollup[name] = rollup.get(name, 0) + sign * amount
        changed = {key: d for key, measures in delta.items() if (d := _without_zeros(measures))}
        return _Delta(changed, entered, left)

    def _page_for(self, record_type: str, row: Row) -> _LoadedPage:
        position = row.position
        candidates = self._pages.setdefault(record_type, [])
        for loaded in reversed(candidates):
            if loaded.page.covers(position):
                return loaded
        page = self._store.page_at(record_type, position) or Page.unwritten(record_type)
        if not page.covers(position):
            raise UnclearConflict(f"no page covers {position}")
        candidates.append(_LoadedPage(record_type, page, PageIndex(page.rows)))
        return candidates[-1]

    def _build(self, work: _Work) -> tuple[Transaction, list[tuple[_LoadedPage, list[Page]]]]:
        """(the transaction of some work, the pages that it writes for each page that was read)."""
        writes: list[PageWrite] = []
        pages: list[tuple[_LoadedPage, list[Page]]] = []
        for loaded, changes in work.changes.values():
            of_page = self._page_writes(loaded, changes)
            writes += of_page
            pages.append((loaded, [write.written for write in of_page]))
        transaction = Transaction.of(writes, self._rollup_writes(work))
        if not transaction.fits:
            raise TransactionTooLarge(
                f"{transaction.item_count} items exceed the limits of one transaction"
            )
        return transaction, pages

    def _page_writes(self, loaded: _LoadedPage, changes: Sequence[RowChange]) -> list[PageWrite]:
        old = loaded.page
        merged = merge(old.rows, changes)
        return [
            PageWrite(loaded.record_type, page, old.version if page.start == old.start else 0)
            for page in split(old.start, old.end, merged, self._target_bytes)
        ]

    def _rollup_writes(self, work: _Work) -> list[RollupWrite]:
        deltas = work.changed()
        # In a rollup that a row leaves, measures may reach zero, so it is read; any other closed
        # rollup is not: it keeps measures that reach zero.
        read = dict.fromkeys(key for key in deltas if key.is_open or key in work.left)
        self._read(read)
        writes = [
            write_rollup(key, delta, self._stored[key]) if key in read else RollupAdd(key, delta)
            for key, delta in deltas.items()
        ]
        emptied = self._empty_siblings(writes, deltas)
        # A new version, nothing else: a reader of one page before and the other after must notice.
        shifted = [RollupAdd(key, {}) for key in work.shifted()]
        kept = [write for write in writes if write.key not in emptied]
        return [*kept, *emptied.values(), *shifted]

    def _empty_siblings(
        self, writes: Iterable[RollupWrite], deltas: Collection[RollupKey]
    ) -> dict[RollupKey, RollupWrite]:
        """Deletes of open breakdowns of calls that hold nothing but marks of spilled breakdowns.

        Every call is in the closed rollup too. Once that is deleted there are no calls, so the
        marks are obsolete and counting can start again.
        """
        deleted = (write.key for write in writes if isinstance(write, RollupDelete))
        siblings = (key._replace(is_open=True) for key in deleted if not key.is_open)
        return {
            key: RollupDelete(key, self._stored[key].version)
            for key in siblings
            if key.family == CALLS and key in deltas and self._stored[key].spilled
        }

    def _read(self, keys: Iterable[RollupKey]) -> None:
        missing = [key for key in keys if key not in self._stored]
        if missing:
            stored = self._store.rollups(missing)
            for key in missing:
                self._stored[key] = stored.get(key, StoredRollup())

    def _remember(
        self, transaction: Transaction, pages: list[tuple[_LoadedPage, list[Page]]]
    ) -> None:
        for loaded, written in pages:
            candidates = self._pages[loaded.record_type]
            candidates.remove(loaded)
            candidates.extend(
                _LoadedPage(loaded.record_type, page, PageIndex(page.rows)) for page in written
            )
        for add in transaction.adds:
            stored = self._stored.pop(add.key, None)
            # Only the store knows the first version of a new rollup.
            if stored is not None and stored.version:
                self._stored[add.key] = stored.after(add)
        for put in transaction.puts:
            new_spills = put.spilled - self._stored.pop(put.key).spilled
            if new_spills:
                self._on_spill(len(new_spills))
            if put.version_read:
                version = put.version_read + 1
                self._stored[put.key] = StoredRollup(put.counts, put.spilled, version)
        for delete in transaction.deletes:
            self._stored[delete.key] = StoredRollup()


def _without_zeros(delta: Mapping[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in delta.items() if amount}
