"""Merging: of every fact and position, the page has the highest revision that it was offered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.records import Label, Task
from rollcall.ledger.merge import PageIndex, merge
from rollcall.ledger.page import Row, Rows

pytestmark = pytest.mark.property

# Equal revisions are of equal rows: the store gives each version a revision of its own.
rows = st.builds(
    lambda id, rev: Row(id, rev, 0, Label(f"{id} {rev}", color="red") if rev % 3 else None),
    st.sampled_from("abcdef"),
    st.integers(1, 9),
)


def offered(page: Rows, rows: list[Row]) -> Rows:
    """The page after one merge of the highest revision at each position."""
    newest: dict[tuple[str, int], Row] = {}
    for row in rows:
        place = (row.id, row.time_ms)
        if place not in newest or newest[place].rev < row.rev:
            newest[place] = row
    index = PageIndex(page)
    found = [index.change(row) for row in newest.values()]
    return merge(page, [change for change in found if change is not None])


@given(st.lists(st.lists(rows, max_size=8), max_size=6))
def test_the_highest_revision_wins_however_rows_arrive(batches: list[list[Row]]) -> None:
    expected: dict[str, Row] = {}
    page = Rows.empty("label")
    for batch in batches:
        page = offered(page, batch)
        for row in batch:
            if row.id not in expected or expected[row.id].rev < row.rev:
                expected[row.id] = row
    assert {row.id: row for row in page} == expected
    assert len(page) == len(expected)
    again = page
    for batch in reversed(batches):
        again = offered(again, batch)
    assert list(again) == list(page)


@given(st.lists(rows, max_size=8), rows)
def test_a_change_has_the_old_row_of_the_page(batch: list[Row], row: Row) -> None:
    page = offered(Rows.empty("label"), batch)
    stored = {row.id: row for row in page}.get(row.id)
    change = PageIndex(page).change(row)
    if stored is not None and stored.rev >= row.rev:
        assert change is None
        return
    assert change is not None
    assert (change.new, change.old) == (row, stored)
    assert (change.index is None) == (stored is None)


def test_a_fact_has_a_row_at_each_of_its_positions() -> None:
    """A tombstone at the old position, in the page of the new one, hides neither from the other."""
    dead, live = Row("a", 2, 10, None), Row("a", 2, 20, Task(20, "hold"))
    older = Row("a", 1, 10, Task(10, "hold"))
    page = offered(offered(Rows.empty("task"), [older]), [dead])
    change = PageIndex(page).change(live)
    assert change is not None
    assert change.old is None
    page = merge(page, [change])
    assert list(page) == [dead, live]
    assert PageIndex(page).change(older) is None
    assert Rows.decode("task", page.encode()).row(0) == dead


def test_without_changes_a_page_is_as_it_was() -> None:
    page = offered(Rows.empty("label"), [Row("a", 1, 0, Label("x", color="red"))])
    assert list(merge(page, [])) == list(page)
