"""Totals of an organisation or a space: two or six rollups, and None for an unknown space."""

from __future__ import annotations

import pytest

from rollcall.domain.measures import ALL, CALLS, KNOWN, ORG, TASKS, Rollup, RollupKey, space_scope
from rollcall.query.reports.totals import ReportTotals, Totals
from tests.support.reading import APPLIED_AT_MS, MemoryRollups, reading

SPACE = space_scope("s")
STORED = {
    RollupKey(CALLS, ORG, ALL): Rollup({"calls": 5}),
    RollupKey(TASKS, ORG, ALL): Rollup({"tasks": 2}),
    RollupKey(CALLS, SPACE, ALL): Rollup({"calls": 3}),
    RollupKey(KNOWN, SPACE, ALL): Rollup({"facts": 1}),
}


def test_an_organisation_has_all_of_its_calls_and_tasks() -> None:
    rollups, one = MemoryRollups(STORED), reading()
    assert ReportTotals(rollups)(one, None) == Totals({"calls": 5}, {"tasks": 2})
    assert len(rollups.wanted) == 2
    assert (one.meter.source, one.meter.as_of_ms) == ("rollups", APPLIED_AT_MS)


def test_an_organisation_without_data_has_empty_totals() -> None:
    assert ReportTotals(MemoryRollups({}))(reading(), None) == Totals({}, {})


def test_a_known_space_has_what_was_counted_for_it() -> None:
    rollups = MemoryRollups(STORED)
    assert ReportTotals(rollups)(reading(), "s") == Totals({"calls": 3}, {})
    assert len(rollups.wanted) == 6


@pytest.mark.parametrize("facts", [None, 0, -2])
def test_a_space_that_no_live_fact_names_is_unknown(facts: int | None) -> None:
    stored = {**STORED, RollupKey(KNOWN, SPACE, ALL): Rollup({"facts": facts or 0})}
    if facts is None:
        del stored[RollupKey(KNOWN, SPACE, ALL)]
    assert ReportTotals(MemoryRollups(stored))(reading(), "s") is None


@pytest.mark.parametrize("token", ["", "x" * 129, "a\nb"])
def test_what_can_be_no_space_is_unknown_without_a_read(token: str) -> None:
    rollups = MemoryRollups(STORED)
    assert ReportTotals(rollups)(reading(), token) is None
    assert rollups.wanted == []
