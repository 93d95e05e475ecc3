"""The page tree: which half-open range of positions a page covers, and how a full page splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rollcall.domain.errors import PageTooLarge
from rollcall.ledger.page import TIME, Rows
from rollcall.ledger.positions import END, FIRST

DEFAULT_TARGET_BYTES: Final = 16 * 1024
CEILING_BYTES: Final = 350 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """A stored page: its range `[start, end)`, its rows, and the version that was read.

    Version 0 is the page that covers everything before anything was written.
    """

    start: str
    end: str
    version: int
    rows: Rows

    @staticmethod
    def unwritten(record_type: str) -> Page:
        """The page every ledger begins with."""
        return Page(FIRST, END, 0, Rows.empty(record_type))

    def covers(self, position: str) -> bool:
        """Whether a row at `position` belongs here."""
        return self.start <= position < self.end


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """A page to be stored: its range, rows, and their bytes."""

    start: str
    end: str
    rows: Rows
    data: bytes


def split(start: str, end: str, rows: Rows, target_bytes: int) -> list[EncodedPage]:
    """Encode rows into one page, or into as many as it takes to keep each within the target.

    The pages tile `[start, end)`. The last page of a ledger fills from the left, since time goes
    on there and what lies behind no longer changes; any other, and one whose rows share one
    instant, splits at its median. Rows at one position never part. Raises PageTooLarge when what
    cannot be parted passes the ceiling.
    """
    data = rows.encode()
    if len(data) <= target_bytes or len(rows) < 2:
        return [_checked(EncodedPage(start, end, rows, data))]
    positions = rows.positions()
    order = sorted(range(len(rows)), key=positions.__getitem__)
    rows = rows.take(np.array(order, dtype=np.intp))
    positions.sort()
    times = rows.integers(TIME).values
    if end == END and times[0] != times[-1]:
        return _filled(start, end, rows, positions, target_bytes)
    return _halves(start, end, rows, positions, target_bytes, data)


def _halves(
    start: str, end: str, rows: Rows, positions: Sequence[str], target_bytes: int, data: bytes
) -> list[EncodedPage]:
    cut = _cut_near(positions, len(positions) // 2) if len(data) > target_bytes else None
    if cut is None:
        return [_checked(EncodedPage(start, end, rows, data))]
    left, right = _slice(rows, 0, cut), _slice(rows, cut, len(rows))
    middle = positions[cut]
    return [
        *_halves(start, middle, left, positions[:cut], target_bytes, left.encode()),
        *_halves(middle, end, right, positions[cut:], target_bytes, right.encode()),
    ]


def _filled(
    start: str, end: str, rows: Rows, positions: Sequence[str], target_bytes: int
) -> list[EncodedPage]:
    pages: list[EncodedPage] = []
    done = 0
    while True:
        rest = _slice(rows, done, len(rows))
        data = rest.encode()
        if len(data) <= target_bytes:
            return [*pages, EncodedPage(start, end, rest, data)]
        share = len(rest) * target_bytes // len(data)
        while True:
            cut = _cut_near(positions[done:], min(share, len(rest) - 1))
            if cut is None:
                return [*pages, _checked(EncodedPage(start, end, rest, data))]
            page = _slice(rows, done, done + cut)
            page_data = page.encode()
            if len(page_data) <= target_bytes or cut == 1 or share < 2:
                break
            share = min(share - 1, share * 15 // 16)
        middle = positions[done + cut]
        pages.append(_checked(EncodedPage(start, middle, page, page_data)))
        start, done = middle, done + cut


def _cut_near(positions: Sequence[str], wanted: int) -> int | None:
    """The index nearest to `wanted` at which no position is parted; None when there is none."""
    for distance in range(len(positions)):
        for cut in (wanted - distance, wanted + distance):
            if 0 < cut < len(positions) and positions[cut - 1] != positions[cut]:
                return cut
    return None


def _slice(rows: Rows, first: int, end: int) -> Rows:
    return rows.take(np.arange(first, end, dtype=np.intp))


def _checked(page: EncodedPage) -> EncodedPage:
    if len(page.data) > CEILING_BYTES:
        raise PageTooLarge(f"{len(page.rows)} rows at {page.start} take {len(page.data)} bytes")
    return page
