"""One transaction of the exactness rule: pages, and the rollups that change with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rollcall.ledger.rollups import RollupDelete, RollupPut, RollupWrite
from rollcall.ledger.tree import EncodedPage, Page

# DynamoDB: 100 items and 4 MB per transaction.
MAX_ITEMS: Final = 100
MAX_BYTES: Final = 3_800_000

_ITEM_OVERHEAD_BYTES: Final = 1_300  # keys of the longest ids


@dataclass(frozen=True, slots=True)
class PageWrite:
    """Put a page, if the stored one still has `version_read` (0: if there is none).

    `base` is the version of the page or segment from which a new page takes its rows: what covers a
    position has a higher version than all that covered it before, also if a page was merged into a
    segment and begins there again. `is_from_segment` says that the stored one is a segment.
    """

    record_type: str
    page: EncodedPage
    version_read: int
    base: int = 0
    is_from_segment: bool = False

    @property
    def version(self) -> int:
        """The version that the page gets."""
        return max(self.version_read, self.base) + 1

    @property
    def item_count(self) -> int:
        """The items that are written: a segment has a second one."""
        return 1 + self.is_from_segment

    @property
    def written(self) -> Page:
        """The page as it is stored after the transaction."""
        return Page(self.page.start, self.page.end, self.version, self.page.rows)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Writes that are made together or not at all."""

    pages: tuple[PageWrite, ...] = ()
    puts: tuple[RollupPut, ...] = ()
    deletes: tuple[RollupDelete, ...] = ()

    @staticmethod
    def of(pages: Iterable[PageWrite], rollups: Iterable[RollupWrite]) -> Transaction:
        """The transaction of some page writes and some rollup writes."""
        writes = tuple(rollups)
        return Transaction(
            tuple(pages),
            tuple(write for write in writes if isinstance(write, RollupPut)),
            tuple(write for write in writes if isinstance(write, RollupDelete)),
        )

    @property
    def item_count(self) -> int:
        """The number of items that the transaction writes."""
        pages = sum(write.item_count for write in self.pages)
        return pages + len(self.puts) + len(self.deletes)

    @property
    def fits(self) -> bool:
        """Whether the transaction is within DynamoDB's limits."""
        of_pages = sum(len(write.page.data) + _ITEM_OVERHEAD_BYTES for write in self.pages)
        of_rollups = sum(put.size + _ITEM_OVERHEAD_BYTES for put in self.puts)
        return self.item_count <= MAX_ITEMS and of_pages + of_rollups <= MAX_BYTES
