"""Which neighbouring pages are merged into one segment.

Pages are merged when they have been at rest for long enough, and the last page of a ledger never,
because most new rows go there. A run ends where the next page would make it too large. One that ends
earlier waits for the page after it to come to rest, unless that is a segment already: then it is merged
if it is at least half as large as a segment. What is left of a segment that was split is, unless as many
pages as one transaction takes (`MAX_PAGES`) did not fill half of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rollcall.ledger.positions import END
from rollcall.ledger.tree import Page

# With the second item of the segment, a transaction writes as many items and one more.
MAX_PAGES: Final = 90


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as it is stored: its rows, the size of its bytes, and when it was last changed."""

    page: Page
    size: int
    applied_at_ms: int


def runs(
    pages: Iterable[StoredPage], at_rest_ms: int, segment_bytes: int
) -> Iterator[list[StoredPage]]:
    """The runs of neighbouring pages to merge, from pages in order of position.

    `at_rest_ms` is the time of the latest change of a page at rest. Between two given pages that are
    no neighbours there is a segment.
    """
    run: list[StoredPage] = []
    for page in pages:
        is_at_rest = page.applied_at_ms <= at_rest_ms and page.page.end != END
        is_next = bool(run) and run[-1].page.end == page.page.start
        if is_next and is_at_rest and _has_room(run, page, segment_bytes):
            run.append(page)
            continue
        is_complete = is_at_rest if is_next else 2 * _size(run) >= segment_bytes
        if len(run) > 1 and is_complete:
            yield run
        run = [page] if is_at_rest else []


def _has_room(run: list[StoredPage], page: StoredPage, segment_bytes: int) -> bool:
    return len(run) < MAX_PAGES and _size(run) + page.size <= segment_bytes


def _size(run: list[StoredPage]) -> int:
    return sum(each.size for each in run)
