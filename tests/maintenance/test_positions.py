"""Rows at times that their facts do not know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.domain.facts import MAX_LEFT_BEHIND, Fact
from rollcall.domain.records import Label, Task
from rollcall.ledger.page import Row
from rollcall.ledger.writer import row_of
from rollcall.maintenance.positions import is_known, recalled, replaces

FACT = Fact("task", "t", 50, 1, 9, Task(50, "hold"), left_behind=(10, 30), moved_rev=5)
STRAY = Row("t", 7, 40, Task(40, "hold"))


@pytest.mark.parametrize(("time_ms", "expected"), [(50, True), (10, True), (40, False)])
def test_a_fact_knows_the_times_at_which_it_has_been(time_ms: int, expected: bool) -> None:
    for record in (None, Task(time_ms, "hold")):
        assert is_known("task", Row("t", 1, time_ms, record), FACT.times) is expected


def test_of_a_type_without_a_time_only_a_live_row_is_at_a_wrong_one() -> None:
    label = Label("x", color="red")
    assert is_known("label", Row("l", 1, 0, label), ())
    assert is_known("label", Row("l", 1, 5, None), ())
    assert not is_known("label", Row("l", 1, 5, label), ())
    assert recalled(Fact("label", "l", None, 1, 1, label), Row("l", 1, 5, label), 9) is None


def test_a_fact_that_gets_a_time_back_replaces_the_row_there() -> None:
    assert not replaces(FACT, STRAY)
    known = recalled(FACT, STRAY, 11)
    assert known == replace(FACT, rev=11, left_behind=(10, 30, 40), moved_rev=None)
    assert replaces(known, STRAY)
    assert Row("t", 11, 40, None) in row_of(known).left_behind


def test_a_row_is_replaced_by_a_higher_revision_at_its_time() -> None:
    """The tombstone at a time that was left has the revision of the last move, not of the fact."""
    for time_ms, rev in ((50, 9), (10, 5)):
        assert not replaces(FACT, Row("t", rev, time_ms, None))
        assert replaces(FACT, Row("t", rev - 1, time_ms, None))
    assert not replaces(Fact("task", "t", None, 1, 9, None), STRAY)


def test_a_tombstone_without_a_time_takes_that_of_the_row() -> None:
    placed = recalled(Fact("task", "t", None, 1, 2, None), STRAY, 11)
    assert placed == Fact("task", "t", 40, 1, 11, None)


def test_a_fact_has_room_for_so_many_times() -> None:
    full = replace(FACT, left_behind=tuple(range(MAX_LEFT_BEHIND)))
    assert recalled(full, STRAY, 11) is None
    assert recalled(replace(full, left_behind=full.left_behind[1:]), STRAY, 11) is not None
