"""Splits and spills at their limits."""

from __future__ import annotations

import pytest

from rollcall.domain.contributions import contribution_function
from rollcall.domain.errors import PageTooLarge
from rollcall.domain.measures import RollupKey
from rollcall.domain.records import Call
from rollcall.ledger import tree
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.transaction import OPEN_LIMIT_BYTES, RollupPut, StoredRollup, write_rollup
from rollcall.ledger.tree import MAX_PAGES, split
from tests.support.fakes import MemoryLedger
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


def test_a_batch_too_large_for_one_page_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row brings its own payload keys, so a page holds few."""
    monkeypatch.setattr(tree, "CEILING_BYTES", 3_000)
    store = MemoryLedger()
    records = [
        {"type": "call", "id": f"c{n}", "started_at": "2026-01-01T00:00:00Z", "status": "queued",
         "payload": {f"k{n}.{k}": f"value {n * k}" for k in range(32)}}
        for n in range(120)
    ]  # fmt: skip
    apply(store, versions_of(records), 2_000)
    assert store.commits > 1
    store.check_pages()
    store.check_rollups()


def test_counts_that_went_back_to_zero_give_way_before_a_breakdown_spills() -> None:
    key = RollupKey("calls", ("ORG",), "2026-01-01", True)
    zeros = {f"t={n}": 0 for n in range(OPEN_LIMIT_BYTES // 6)}
    put = write_rollup(key, {"t=x": 1, "o=y": 1}, StoredRollup({**zeros, "o=y": 4}, version=9))
    assert isinstance(put, RollupPut)
    assert put.counts == {"o=y": 5, "t=x": 1}
    assert put.spilled == frozenset()
    assert put.version_read == 9
