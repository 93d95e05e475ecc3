"""Selects the rows of a page that match a query, decoding only the columns that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rollcall.domain.time.periods import Period
from rollcall.ledger.columns import NULL, Indices, Int32s, Int64s
from rollcall.ledger.page import ID, TIME, TOMBSTONE, Rows
from rollcall.ledger.positions import FIRST, Span, floor, position, time_of
from rollcall.ledger.tree import Page
from rollcall.query.conditions import conjuncts
from rollcall.query.masks import Mask, masking
from rollcall.query.model import Selection


class PageRead(NamedTuple):
    """A page as it was read; only its rows in the period `clip`, from a position on, are to be counted.

    If it cannot match, it has none of the columns that conditions name.
    """

    page: Page
    clip: Period
    applied_at_ms: int
    first: str = FIRST
    can_match: bool = True


class Stretch(NamedTuple):
    """A page as it was read; only its rows at positions in `span` are to be taken.

    If it cannot match, it has none of the columns that conditions name.
    """

    page: Page
    span: Span
    applied_at_ms: int
    can_match: bool = True


@dataclass(frozen=True, slots=True)
class Selected:
    """Selected rows of a page; `indices` is None if all rows are selected."""

    rows: Rows
    indices: Indices | None

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.rows) if self.indices is None else len(self.indices)

    def integers(self, name: str) -> Int64s:
        """A column's values; null is `NULL`."""
        values = self.rows.integers(name).values
        return values if self.indices is None else values[self.indices]

    def texts(self, name: str) -> tuple[Int32s, Sequence[str]]:
        """A column's codes and words: code n is word n − 1, and 0 is null."""
        column = self.rows.texts(name)
        codes = column.codes if self.indices is None else column.codes[self.indices]
        return codes, column.words

    def lists(self, name: str) -> tuple[Int64s, Int32s, Sequence[str]]:
        """A column of lists: the length of each, the codes of all entries, and the words."""
        column = self.rows.lists(name)
        if self.indices is not None:
            column = column.take(self.indices)
        return column.lengths, column.entries.codes, column.entries.words


class RowFilter:
    """Finds the live rows of a selection in pages."""

    def __init__(self, selection: Selection) -> None:
        conditions = conjuncts(selection.conditions)
        self._maskings = [masking(each, selection.zone) for each in conditions]

    def select(self, read: PageRead) -> tuple[int, Selected | None]:
        """(the number of rows in the clip, the live ones among them that match, or None).

        Once no row is left, no further column is decoded.
        """
        rows = read.page.rows
        in_clip = _in_clip(read)
        count = len(rows) if in_clip is None else int(np.count_nonzero(in_clip))
        if count == 0 or not read.can_match:
            return count, None
        kept = in_clip
        for mask in self._masks(rows):
            kept = mask if kept is None else kept & mask
            if not kept.any():
                return count, None
        if kept is None or kept.all():
            return count, Selected(rows, None)
        return count, Selected(rows, np.flatnonzero(kept))

    def has_match(self, rows: Rows) -> bool:
        """Whether any of some rows is live and matches."""
        kept = np.ones(len(rows), dtype=np.bool_)
        for mask in self._masks(rows):
            kept &= mask
            if not kept.any():
                break
        return bool(kept.any())

    def _masks(self, rows: Rows) -> Iterator[Mask]:
        whole = Selected(rows, None)
        for holds in self._maskings:
            yield holds(whole)
        if rows.column(TOMBSTONE) is not None:
            yield rows.integers(TOMBSTONE).values == NULL


def _in_clip(read: PageRead) -> Mask | None:
    page, clip = read.page, read.clip
    is_whole = floor(clip.start_ms) <= page.start and page.end <= floor(clip.end_ms)
    if is_whole and read.first <= page.start:
        return None
    times = page.rows.integers(TIME).values
    inside: Mask = (times >= clip.start_ms) & (times < clip.end_ms)
    return inside if read.first <= page.start else inside & _from(page.rows, times, read.first)


def _from(rows: Rows, times: Int64s, first: str) -> Mask:
    """The rows at or after a position."""
    time_ms = time_of(first)
    found: Mask = times > time_ms
    at_time = np.flatnonzero(times == time_ms)
    if len(at_time):
        ids = rows.texts(ID)
        found[at_time] = [
            position(time_ms, ids.get(row) or "") >= first for row in at_time.tolist()
        ]
    return found
