"""A conflict that outlasts every retry is damage; any other may pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from rollcall.domain.contributions import contribution_function
from rollcall.domain.errors import Conflict, LastingConflict, Unavailable, UnclearConflict
from rollcall.domain.measures import RollupKey
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import FIRST
from rollcall.ledger.transaction import StoredRollup, Transaction
from rollcall.ledger.tree import Page
from rollcall.retry import Backoff, time_limit

TRIES = 5
ROWS = [("label", Row("x", 1, 0, None))]


class Store:
    """Pages of which the one that is found ends before the row, `times` times."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.times = times
        self.error = error
        self.commits = 0

    def page_at(self, record_type: str, position: str) -> Page | None:
        if self.error is None and self.times:
            self.times -= 1
            return Page(FIRST, FIRST, 1, Rows.empty(record_type))
        return None

    def rollups(self, keys: Collection[RollupKey]) -> Mapping[RollupKey, StoredRollup]:
        return {}

    def commit(self, transaction: Transaction) -> None:
        if self.error is not None and self.times:
            self.times -= 1
            raise self.error
        self.commits += 1


def apply(store: Any) -> None:
    backoff = Backoff(tries=TRIES, sleep=lambda _seconds: None)
    Applier(store, contribution_function(1), backoff=backoff).apply(ROWS)


def test_a_gap_that_stays_is_damage() -> None:
    with pytest.raises(LastingConflict, match=r"no page covers .*, still after 5 tries"):
        apply(Store(TRIES))


@pytest.mark.parametrize("times", range(TRIES))
def test_a_split_that_ends_is_none(times: int) -> None:
    store = Store(times)
    apply(store)
    assert store.commits == 1


def test_an_item_that_stays_too_large_is_damage() -> None:
    with pytest.raises(LastingConflict, match="too large"):
        apply(Store(TRIES, UnclearConflict("an item would grow too large")))


@pytest.mark.parametrize("error", [Conflict("another writer"), Unavailable("busy")])
def test_any_other_conflict_may_pass(error: Exception) -> None:
    with pytest.raises(Unavailable, match="failed after 5 tries"):
        apply(Store(TRIES, error))


def test_a_gap_is_no_damage_when_only_the_time_is_used_up() -> None:
    with time_limit(0), pytest.raises(Unavailable, match="out of time"):
        apply(Store(1))
