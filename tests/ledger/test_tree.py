"""Splits: any pages tile and lose nothing, also at their limits."""

from __future__ import annotations

from hashlib import sha256
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import contribution_function
from rollcall.domain.errors import PageTooLarge
from rollcall.domain.records import Call
from rollcall.ledger import tree
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import MAX_PAGES, split
from tests.support.cases import cases
from tests.support.fakes import MemoryLedger
from tests.support.rows import by_id, rows_of, type_names
from tests.support.versions import apply, versions_of


def calls(count: int, keys: int = 0) -> list[Row]:
    return [
        Row(
            f"call {n}",
            n + 1,
            n,
            Call(
                n,
                "queued",
                answered=False,
                attempt=1,
                payload={f"k{n}.{k}": str(n * k) for k in range(keys)},
            ),
        )
        for n in range(count)
    ]


@pytest.mark.slow
def test_a_much_smaller_target_splits_in_steps_that_fit() -> None:
    """A page made when the target was large is written once more, after it was made small."""
    store = MemoryLedger()
    rows = [("call", row) for row in calls(20_000)]
    Applier(store, contribution_function(1), target_bytes=262_144).apply(rows)
    assert len(store.pages["call"]) == 1
    late = Row("late", 1, 50_000, Call(50_000, "queued", answered=False, attempt=1))
    Applier(store, contribution_function(1), target_bytes=1_024).apply([("call", late)])
    assert len(store.pages["call"]) == MAX_PAGES
    store.check_pages()
    store.check_rollups()


@pytest.mark.parametrize("end", [END, "000000000050000.0"])
def test_a_split_has_bounds(end: str) -> None:
    pages = split(FIRST, end, Rows.empty("call").with_rows({}, calls(3_000)), 300)
    assert len(pages) == MAX_PAGES
    assert sum(len(page.rows) for page in pages) == 3_000


def test_rows_that_cannot_part_and_do_not_fit_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "CEILING_BYTES", 100)
    with pytest.raises(PageTooLarge):
        split(FIRST, END, Rows.empty("call").with_rows({}, calls(1, keys=32)), 50)


@pytest.mark.slow
def test_a_batch_too_large_for_one_page_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row has payload keys of its own, so few rows fit in a page."""
    monkeypatch.setattr(tree, "CEILING_BYTES", 3_000)
    store = MemoryLedger()
    records = [
        {"type": "call", "id": f"c{n}", "started_at": "2026-01-01T00:00:00Z", "status": "queued",
         "payload": {f"k{n}.{k}": sha256(f"{n}.{k}".encode()).hexdigest() for k in range(32)}}
        for n in range(120)
    ]  # fmt: skip
    apply(store, versions_of(records), 2_000)
    assert store.commits > 1
    store.check_pages()
    store.check_rollups()


@pytest.mark.property
@cases(60)
@given(data=st.data(), type_name=type_names, target=st.integers(1, 2_000))
def test_a_split_tiles_and_loses_nothing(data: st.DataObject, type_name: str, target: int) -> None:
    rows = data.draw(rows_of(type_name, most=25))
    pages = split(FIRST, END, Rows.empty(type_name).with_rows({}, rows), target)
    assert [page.start for page in pages] == [FIRST, *(page.end for page in pages[:-1])]
    assert pages[-1].end == END
    found = {}
    for page in pages:
        for row in Rows.decode(type_name, page.data):
            assert page.start <= row.position < page.end
            assert row.id not in found
            found[row.id] = row
        # A leaf of the deepest split may be left over; it has at least four siblings.
        is_left_over = len(pages) > log2(MAX_PAGES)
        is_one_position = len({row.position for row in page.rows}) <= 1
        assert len(page.data) <= target or is_one_position or is_left_over
    assert found == by_id(rows)


@pytest.mark.parametrize("position", [FIRST, "000000000000009.0", "~"])
def test_the_page_of_an_empty_ledger_covers_every_position(position: str) -> None:
    page = tree.Page.unwritten("call")
    assert (page.version, len(page.rows)) == (0, 0)
    assert page.covers(position) == (position != END)


def test_later_rows_that_are_larger_than_the_others_are_split_too() -> None:
    """The number of rows that fit is estimated from those before."""
    small = calls(40)
    large = [Row(f"large {n}", 1, 1_000 + n, calls(1, keys=32)[0].record) for n in range(9)]
    rows = Rows.empty("call").with_rows({}, [*small, *large])
    pages = split(FIRST, END, rows, 900)
    assert sum(len(page.rows) for page in pages) == len(rows)
    assert all(len(page.data) <= 900 for page in pages if len(page.rows) > 1)
