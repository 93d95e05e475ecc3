"""What a writer knows of a ledger: the pages and rollups that it read or wrote last.

Every lookup takes the same time however much is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import Final

from rollcall.domain.measures import RollupKey
from rollcall.ledger.merge import PageIndex
from rollcall.ledger.rollups import StoredRollup
from rollcall.ledger.tree import Page

# What a row of a page, and a rollup beside its breakdowns, take in memory: measured 250 and 800 to 3,000 bytes.
_ROW_BYTES: Final = 1_000
_ROLLUP_BYTES: Final = 4_000


@dataclass(slots=True, eq=False)
class KnownPage:
    """A page as read or written last, in the call of that number."""

    record_type: str
    page: Page
    index: PageIndex
    call: int


class Known:
    """Pages and stored rollups of one ledger; that a rollup is absent is not known.

    `call` counts the calls of the writer, and `bytes` is about how much memory all of it takes.
    """

    def __init__(self) -> None:
        self.call = 0
        self.bytes = 0
        self._pages: dict[str, dict[str, KnownPage]] = {}
        self._starts: dict[str, list[str]] = {}
        self._rollups: dict[RollupKey, StoredRollup] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.bytes = 0
        self._pages.clear()
        self._starts.clear()
        self._rollups.clear()

    def page_covering(self, record_type: str, position: str) -> KnownPage | None:
        """The page that covered a position when it was read or written last; None: it is not known."""
        starts = self._starts.get(record_type, [])
        place = bisect_right(starts, position)
        if not place:
            return None
        known = self._pages[record_type][starts[place - 1]]
        return known if known.page.covers(position) else None

    def overlaps(self, record_type: str, page: Page) -> bool:
        """Whether a known page covers a position of a page that is to be added."""
        starts = self._starts.get(record_type, [])
        place = bisect_left(starts, page.end)
        # Known pages do not overlap, so of those that begin before its end, the last ends last.
        return bool(place) and self._pages[record_type][starts[place - 1]].page.end > page.start

    def is_kept(self, page: KnownPage) -> bool:
        """Whether a page is known from an earlier call, so that it may be older than what is stored."""
        return page.call < self.call

    def add_page(self, record_type: str, page: Page) -> KnownPage:
        """Know a page that was just read or written."""
        pages = self._pages.setdefault(record_type, {})
        if page.start in pages:
            self.remove_page(pages[page.start])
        known = KnownPage(record_type, page, PageIndex(page.rows), self.call)
        pages[page.start] = known
        insort(self._starts.setdefault(record_type, []), page.start)
        self.bytes += _ROW_BYTES * len(page.rows)
        return known

    def remove_page(self, known: KnownPage) -> None:
        """Forget a page."""
        start, starts = known.page.start, self._starts[known.record_type]
        del self._pages[known.record_type][start]
        del starts[bisect_left(starts, start)]
        self.bytes -= _ROW_BYTES * len(known.page.rows)

    def rollup(self, key: RollupKey) -> StoredRollup | None:
        """A stored rollup; None: it is not known."""
        return self._rollups.get(key)

    def put_rollup(self, key: RollupKey, stored: StoredRollup) -> None:
        """Know a rollup that is stored."""
        self.remove_rollup(key)
        self._rollups[key] = stored
        self.bytes += _bytes_of(stored)

    def remove_rollup(self, key: RollupKey) -> None:
        """Forget a rollup, if it is known."""
        stored = self._rollups.pop(key, None)
        if stored is not None:
            self.bytes -= _bytes_of(stored)


def _bytes_of(stored: StoredRollup) -> int:
    return _ROLLUP_BYTES + sum(map(len, stored.breakdowns.values()))
