"""The page tree: which half-open range of positions a page covers, and how a full page splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rollcall.domain.errors import PageTooLarge
from rollcall.ledger.page import TIME, Rows
from rollcall.ledger.positions import END, FIRST

DEFAULT_TARGET_BYTES: Final = 8 * 1024
CEILING_BYTES: Final = 350 * 1024
# One split makes at most this many pages, so that it fits in one transaction. A page that is still
# larger than the target splits again when it is next written.
MAX_PAGES: Final = 16


@dataclass(frozen=True, slots=True)
class Page:
    """A stored page or segment: its range `[start, end)`, its rows, and the version that was read.

    Version 0 is the page of an empty ledger, which covers every position. `segment_bytes` is the size
    of a segment, and 0 for a page.
    """

    start: str
    end: str
    version: int
    rows: Rows
    segment_bytes: int = 0

    @staticmethod
    def unwritten(record_type: str) -> Page:
        """The page of an empty ledger."""
        return Page(FIRST, END, 0, Rows.empty(record_type))

    def covers(self, position: str) -> bool:
        """Whether a row at `position` belongs to this page."""
        return self.start <= position < self.end

    @property
    def is_segment(self) -> bool:
        """Whether it is stored as a segment (`rollcall.ledger.segments`)."""
        return self.segment_bytes > 0


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """A page to store: its range, its rows, and their bytes."""

    start: str
    end: str
    rows: Rows
    data: bytes


def split(
    start: str, end: str, rows: Rows, target_bytes: int, max_pages: int = MAX_PAGES
) -> list[EncodedPage]:
    """Encode rows into one page, or into several that are each within the target.

    The pages, at most `max_pages`, tile `[start, end)`. The last page of a ledger splits into full
    pages from the left, because most new rows are later than all others; any other page, and one
    whose rows share one instant, splits at its median. Rows at one position stay together. Raises
    PageTooLarge if a page exceeds the ceiling: fewer rows at once may fit.
    """
    data = rows.encode()
    if len(data) <= target_bytes or len(rows) < 2:
        return [_checked(EncodedPage(start, end, rows, data))]
    positions = rows.positions()
    order = sorted(range(len(rows)), key=positions.__getitem__)
    encoded: bytes | None = data
    if order != list(range(len(rows))):  # rows are in order of time, those of one time in any
        rows = rows.take(np.array(order, dtype=np.intp))
        positions.sort()
        encoded = None
    times = rows.integers(TIME).values
    if end == END and times[0] != times[-1]:
        row_bytes = len(data) / len(rows)
        return _filled(start, end, rows, positions, target_bytes, max_pages, row_bytes)
    return _halves(start, end, rows, positions, target_bytes, max_pages, len(data), encoded)


def _halves(
    start: str,
    end: str,
    rows: Rows,
    positions: Sequence[str],
    target_bytes: int,
    max_pages: int,
    estimate: int,
    data: bytes | None = None,
) -> list[EncodedPage]:
    # Encoding is the cost of a split, so rows that are far above the target are not encoded.
    is_last = max_pages == 1
    if data is None and (is_last or estimate <= 2 * target_bytes):
        data = rows.encode()
    is_done = is_last or (data is not None and len(data) <= target_bytes)
    cut = None if is_done else _cut_near(positions, 0, len(positions) // 2)
    if cut is None:
        return [_checked(EncodedPage(start, end, rows, data or rows.encode()))]
    middle, most = positions[cut], max_pages // 2
    left, right = _slice(rows, 0, cut), _slice(rows, cut, len(rows))
    size = estimate if data is None else len(data)
    of_left = size * cut // len(rows)
    return [
        *_halves(start, middle, left, positions[:cut], target_bytes, most, of_left),
        *_halves(middle, end, right, positions[cut:], target_bytes, most, size - of_left),
    ]


def _filled(
    start: str,
    end: str,
    rows: Rows,
    positions: Sequence[str],
    target_bytes: int,
    max_pages: int,
    row_bytes: float,
) -> list[EncodedPage]:
    pages: list[EncodedPage] = []
    first, count = 0, len(rows)
    while True:
        # Encoding is the cost of a split, so the rest is encoded only if it may be the last page.
        wanted = max(1, int(target_bytes / row_bytes))
        end_row = _cut_near(positions, first, first + wanted)
        is_last = len(pages) == max_pages - 1
        if end_row is None or first + wanted >= count or is_last:
            rest = _slice(rows, first, count)
            data = rest.encode()
            if end_row is None or len(data) <= target_bytes or is_last:
                return [*pages, _checked(EncodedPage(start, end, rest, data))]
        page = _slice(rows, first, end_row)
        data = page.encode()
        while len(data) > target_bytes:
            share = (end_row - first) * target_bytes * 15 // (16 * len(data))
            smaller = _cut_near(positions[:end_row], first, first + share)
            if smaller is None:
                break
            end_row = smaller
            page = _slice(rows, first, end_row)
            data = page.encode()
        row_bytes = len(data) / (end_row - first)
        pages.append(_checked(EncodedPage(start, positions[end_row], page, data)))
        start, first = positions[end_row], end_row


def _cut_near(positions: Sequence[str], first: int, wanted: int) -> int | None:
    """The index nearest to `wanted` at which rows from `first` on may be cut, or None.

    A cut leaves rows at one position together, and no side empty.
    """
    wanted = min(max(wanted, first + 1), len(positions) - 1)
    for distance in range(len(positions) - first):
        for cut in (wanted - distance, wanted + distance):
            if first < cut < len(positions) and positions[cut - 1] != positions[cut]:
                return cut
    return None


def _slice(rows: Rows, first: int, end: int) -> Rows:
    return rows.take(np.arange(first, end, dtype=np.intp))


def _checked(page: EncodedPage) -> EncodedPage:
    if len(page.data) > CEILING_BYTES:
        raise PageTooLarge(
            f"the page of {len(page.rows)} rows at {page.start} has {len(page.data)} bytes,"
            f" more than {CEILING_BYTES}"
        )
    return page
