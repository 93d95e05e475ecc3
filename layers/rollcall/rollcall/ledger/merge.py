"""Merging rows into a page: the highest revision of a fact wins, everything else is a duplicate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollcall.ledger.page import Row, Rows


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is newer than the page's, and the page's own old row (None where it has none)."""

    new: Row
    old: Row | None
    index: int | None


class PageIndex:
    """Finds the changed rows among many, against one page's rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._index = {fact_id: index for index, fact_id in enumerate(rows.ids())}
        self._revs = rows.integers("rev").values

    def change(self, row: Row) -> RowChange | None:
        """What `row` changes; None when the page already holds its revision or a later one."""
        index = self._index.get(row.id)
        if index is None:
            return RowChange(row, None, None)
        if int(self._revs[index]) >= row.rev:
            return None
        return RowChange(row, self._rows.row(index), index)


def merge(rows: Rows, changes: Sequence[RowChange]) -> Rows:
    """The page's rows with the changes made; each fact may be changed once."""
    replaced = {change.index: change.new for change in changes if change.index is not None}
    added = [change.new for change in changes if change.index is None]
    return rows.with_rows(replaced, added)
