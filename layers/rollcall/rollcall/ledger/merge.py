"""Merging rows into a page: at each position, the highest revision of a fact wins.

A fact that has moved has a row at each of its positions, and several of them may be in one page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollcall.ledger.page import REV, TIME, Row, Rows


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is newer than the page's, and the page's own old row; None if it has none."""

    new: Row
    old: Row | None
    index: int | None


class PageIndex:
    """Finds which rows are newer than the rows of one page."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        places = zip(rows.ids(), rows.integers(TIME).values.tolist(), strict=True)
        self._index = {place: index for index, place in enumerate(places)}
        self._revs = rows.integers(REV).values

    def change(self, row: Row) -> RowChange | None:
        """The change that `row` makes; None if the page has its revision or a higher one."""
        index = self._index.get((row.id, row.time_ms))
        if index is None:
            return RowChange(row, None, None)
        if int(self._revs[index]) >= row.rev:
            return None
        return RowChange(row, self._rows.row(index), index)


def merge(rows: Rows, changes: Sequence[RowChange]) -> Rows:
    """The page's rows with the changes applied, at most one per fact and position."""
    replaced = {change.index: change.new for change in changes if change.index is not None}
    added = [change.new for change in changes if change.index is None]
    return rows.with_rows(replaced, added)
