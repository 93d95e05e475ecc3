"""Pages and rollups as an inspection reads them, and how they differ from what is expected."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.measures import CALLS, breakdown_of
from rollcall.ledger.page import Row
from rollcall.ledger.positions import END, FIRST, floor, position
from rollcall.ledger.rollups import StoredRollup
from rollcall.ledger.writer import fold
from rollcall.maintenance.reconcile.inspection import (
    SurveyedPage,
    add_up,
    differences,
    is_position,
    off_by,
    without_zeros,
)
from tests.support.fakes import MemoryLedger
from tests.support.generate import mixed_records
from tests.support.rollups import stored_of
from tests.support.rows import ids, times
from tests.support.versions import apply, versions_of

pytestmark = pytest.mark.property

measures = st.dictionaries(
    st.sampled_from(["o=a", "o=b", "p=a", "t=1", "calls"]), st.integers(-2, 3), max_size=5
)


@given(times, ids)
def test_every_position_is_recognised(time_ms: int, fact_id: str) -> None:
    assert is_position(position(time_ms, fact_id))
    assert is_position(FIRST)


@pytest.mark.parametrize(
    "text", ["", END, floor(5), f"{FIRST}0", FIRST[:-1], FIRST + "\n", "x" * 32]
)
def test_nothing_else_is_a_position(text: str) -> None:
    assert not is_position(text)


def test_a_page_that_cannot_be_read_covers_and_has_nothing() -> None:
    row = Row("a", 1, 5, None)
    whole = SurveyedPage(FIRST, END, 1, [row], "")
    assert whole.covers(row.position)
    assert (whole.row("a", 5), whole.row("a", 6), whole.row("b", 5)) == (row, None, None)
    assert SurveyedPage(FIRST, None, 1, [row], "no end").covers(row.position) is False
    assert SurveyedPage(FIRST, END, None, None, "damaged").row("a", 5) is None


def test_the_sum_of_all_rows_is_what_the_ledger_counts() -> None:
    versions = versions_of(mixed_records(3, 60, days=2, spaces=2, others=2))
    ledger = MemoryLedger()
    apply(ledger, versions, 4_096)
    rows = [row for _, row in fold(versions)]
    contribute = contribution_function(CURRENT_VERSION)
    sums: Any = {}
    add_up(rows, contribute, lambda key: key.family == CALLS, sums)
    assert {key.family for key in sums} == {CALLS}
    for key, expected in sums.items():
        assert differences(expected, ledger.stored.get(key, StoredRollup())) == {}
    assert without_zeros({key: len(found) for key, found in sums.items()})  # type: ignore[misc]


@given(measures, measures, st.frozensets(st.sampled_from("op")))
def test_what_differs_is_named_with_both_values(
    expected: dict[str, int], counts: dict[str, int], spilled: frozenset[str]
) -> None:
    counts = {name: count for name, count in counts.items() if breakdown_of(name) not in spilled}
    stored = stored_of(counts, spilled)
    found = differences(expected, stored)
    for name in expected.keys() | counts.keys():
        due = 0 if breakdown_of(name) in spilled else expected.get(name, 0)
        there = counts.get(name, 0)
        assert (found.get(name) == (there, due)) if there != due else (name not in found)
    assert off_by(expected, stored) == sum(abs(there - due) for there, due in found.values())
    assert (off_by(expected, stored) == 0) == (not found)


@given(measures)
def test_measures_without_zeros_are_the_same_sum(measures: dict[str, int]) -> None:
    assert off_by(measures, stored_of(without_zeros(measures))) == 0
    assert 0 not in without_zeros(measures).values()
