"""In-memory stores that keep the real ones' promises; tests/storage holds both to one suite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.errors import Conflict
from rollcall.domain.measures import RollupKey, breakdown_of
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.rollups import RollupDelete, RollupPut, StoredRollup
from rollcall.ledger.transaction import Transaction
from rollcall.ledger.tree import Page


@dataclass
class StoredPage:
    start: str
    end: str
    version: int
    data: bytes


@dataclass
class MemoryLedger:
    """Pages and rollups of one organisation's epoch (`rollcall.ledger.apply.LedgerStore`).

    `around(operation, act)` runs every operation and may raise before or after it, or do other
    work first; that is where tests inject faults.
    """

    around: Callable[[str, Callable[[], Any]], Any] = lambda _operation, act: act()
    pages: dict[str, dict[str, StoredPage]] = field(default_factory=dict)
    stored: dict[RollupKey, StoredRollup] = field(default_factory=dict)
    commits: int = 0
    versions_given: int = 0

    def page_at(self, record_type: str, position: str) -> Page | None:
        page: Page | None = self.around("page_at", lambda: self._page_at(record_type, position))
        return page

    def rollups(self, keys: Collection[RollupKey]) -> Mapping[RollupKey, StoredRollup]:
        found: dict[RollupKey, StoredRollup] = self.around(
            "rollups", lambda: {k: self.stored[k] for k in keys if k in self.stored}
        )
        return found

    def commit(self, transaction: Transaction) -> None:
        self.around("commit", lambda: self._commit(transaction))

    def _page_at(self, record_type: str, position: str) -> Page | None:
        pages = self.pages.get(record_type, {})
        start = max((start for start in pages if start <= position), default=None)
        if start is None:
            return None
        stored = pages[start]
        rows = Rows.decode(record_type, stored.data)
        return Page(stored.start, stored.end, stored.version, rows)

    def _commit(self, transaction: Transaction) -> None:
        assert 0 < transaction.item_count <= 100
        for write in transaction.pages:
            page_stored = self.pages.get(write.record_type, {}).get(write.page.start)
            if (page_stored.version if page_stored else 0) != write.version_read:
                raise Conflict("page")
        changes: list[RollupPut | RollupDelete] = [*transaction.puts, *transaction.deletes]
        for change in changes:
            if self.stored.get(change.key, StoredRollup()).version != change.version_read:
                raise Conflict("rollup")
        self.commits += 1
        for write in transaction.pages:
            page = write.page
            self.pages.setdefault(write.record_type, {})[page.start] = StoredPage(
                page.start, page.end, write.version, page.data
            )
        for put in transaction.puts:
            version = (put.version_read or self._unborn()) + 1
            self.stored[put.key] = StoredRollup(put.counts, put.breakdowns, put.spilled, version)
        for delete in transaction.deletes:
            del self.stored[delete.key]

    def _unborn(self) -> int:
        """What the version of a new rollup begins from: one that none had before."""
        self.versions_given += 1_000_000
        return self.versions_given

    # -- what tests look at --------------------------------------------------------------------
    def counted(self) -> Iterator[tuple[RollupKey, Mapping[str, int]]]:
        yield from ((key, stored.measures) for key, stored in self.stored.items())

    def rows(self) -> Iterator[tuple[str, Row]]:
        for record_type, pages in self.pages.items():
            for stored in pages.values():
                for row in Rows.decode(record_type, stored.data):
                    yield record_type, row

    def check_pages(self) -> None:
        """Pages tile everything, every row is in its page, once, and one row of a fact is live."""
        for record_type, pages in self.pages.items():
            expected = FIRST
            places: set[tuple[str, int]] = set()
            live: set[str] = set()
            for start in sorted(pages):
                stored = pages[start]
                assert stored.start == start == expected
                expected = stored.end
                for row in Rows.decode(record_type, stored.data):
                    assert stored.start <= row.position < stored.end
                    assert (row.id, row.time_ms) not in places
                    places.add((row.id, row.time_ms))
                    assert row.record is None or row.id not in live
                    if row.record is not None:
                        live.add(row.id)
            assert expected == END

    def check_rollups(self) -> None:
        """Every rollup is the sum of the contributions of the committed pages."""
        contribute = contribution_function(CURRENT_VERSION)
        totals: dict[RollupKey, dict[str, int]] = {}
        for _, row in self.rows():
            if row.record is not None:
                for key, measures in contribute(row.id, row.record):
                    total = totals.setdefault(key, {})
                    for name, amount in measures.items():
                        total[name] = total.get(name, 0) + amount
        spilled = {key: stored.spilled for key, stored in self.stored.items()}
        expected = {
            key: {n: v for n, v in m.items() if v and breakdown_of(n) not in spilled.get(key, ())}
            for key, m in totals.items()
        }
        assert dict(self.counted()) == {key: m for key, m in expected.items() if m}
