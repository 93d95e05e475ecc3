"""Isolation: every row that can be applied is, in few attempts, and errors that may pass end it."""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem, LastingConflict, Unavailable
from rollcall.ingest.isolate import MAX_ATTEMPTS, Rows, isolate
from rollcall.ledger.page import Row


def rows(count: int) -> Rows:
    return [("call", Row(f"{number}", 1, number, None)) for number in range(count)]


class Ledger:
    """Applies all of some rows or, if one of them is bad, none."""

    def __init__(self, bad: dict[str, Exception]) -> None:
        self.bad = bad
        self.applied: list[str] = []
        self.attempts = 0

    def apply(self, rows: Rows) -> None:
        self.attempts += 1
        for _, row in rows:
            if row.id in self.bad:
                raise self.bad[row.id]
        self.applied += [row.id for _, row in rows]


def may_pass(error: Exception) -> bool:
    return isinstance(error, Unavailable)


@pytest.mark.property
@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=4))
def test_exactly_the_bad_rows_are_left(count: int, bad: set[int]) -> None:
    ledger = Ledger({f"{number}": CorruptItem(f"{number}") for number in bad if number < count})
    failed = isolate(rows(count), ledger.apply, may_pass)
    # The error of each is its own.
    assert {row.id: str(error) for part, error in failed for _, row in part} == {
        id: id for id in ledger.bad
    }
    assert all(len(part) == 1 for part, _ in failed)
    assert ledger.applied == [f"{n}" for n in range(count) if f"{n}" not in ledger.bad]
    # Two halves for every level above a bad row.
    assert ledger.attempts <= 1 + 2 * len(ledger.bad) * (log2(count) + 1)


def test_attempts_are_bounded_and_no_row_is_forgotten() -> None:
    ledger = Ledger({f"{number}": CorruptItem("page") for number in range(0, 1_000, 2)})
    failed = isolate(rows(1_000), ledger.apply, may_pass)
    left = [row.id for part, _ in failed for _, row in part]
    assert sorted(left + ledger.applied, key=int) == [f"{number}" for number in range(1_000)]
    assert ledger.attempts <= MAX_ATTEMPTS + log2(1_000) + 1


def test_a_conflict_that_used_every_retry_is_not_looked_for() -> None:
    ledger = Ledger({"3": LastingConflict("no page covers it")})
    ((part, error),) = isolate(rows(9), ledger.apply, may_pass)
    assert (len(part), error, ledger.attempts) == (9, ledger.bad["3"], 1)


def test_an_error_that_may_pass_ends_it() -> None:
    ledger = Ledger({"5": Unavailable("busy"), "1": CorruptItem("page")})
    with pytest.raises(Unavailable):
        isolate(rows(8), ledger.apply, may_pass)
    assert set(ledger.applied) <= {"0", "2", "3", "4"}


def test_no_rows_are_one_attempt() -> None:
    ledger = Ledger({})
    assert isolate([], ledger.apply, may_pass) == []
    assert ledger.attempts == 1
