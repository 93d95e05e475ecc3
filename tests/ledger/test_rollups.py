"""Writes of rollups against a model of the store, and spills at their limits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import RollupKey, breakdown_of
from rollcall.ledger import rollups
from rollcall.ledger.rollups import (
    BREAKDOWN_LIMIT_BYTES,
    RollupDelete,
    RollupPut,
    RollupWrite,
    StoredRollup,
    put_rollup,
    write_rollup,
)
from tests.support.rollups import stored_of

CALLS = RollupKey("calls", ("ORG",), "2026-01-01")
EVENTS = RollupKey("workspace.contact_event", ("WORKSPACE", "w"), "ALL")

names = st.builds(
    lambda breakdown, value: f"{breakdown}={value}",
    st.sampled_from("opl"),
    st.sampled_from("abcdé"),
) | st.sampled_from(["o", "calls", "seconds", "t=5", "t=60", "timed"])
counts = st.dictionaries(names, st.integers(1, 4), max_size=8)


spills = st.frozensets(st.sampled_from("topl"), max_size=2)
stored_rollups = st.just(StoredRollup()) | st.builds(stored_of, counts, spills, st.integers(1, 99))


def after(write: RollupWrite, stored: StoredRollup) -> StoredRollup:
    """What a store that holds `stored` has after the write; asserts that the condition holds."""
    assert write.version_read == stored.version
    if isinstance(write, RollupDelete):
        return StoredRollup()
    return StoredRollup(write.counts, write.breakdowns, write.spilled, stored.version + 1)


def expected(stored: StoredRollup, delta: Mapping[str, int]) -> dict[str, int]:
    """The sum of what was stored and what is added, without zeros and without spilled counts."""
    before = stored.measures
    total = {n: before.get(n, 0) + delta.get(n, 0) for n in {**before, **delta}}
    return {n: c for n, c in total.items() if c and breakdown_of(n) not in stored.spilled}


@pytest.mark.property
@given(st.data(), st.sampled_from([CALLS, EVENTS]))
def test_a_write_leaves_the_sum_and_no_name_whose_count_is_zero(
    data: st.DataObject, key: RollupKey
) -> None:
    stored = data.draw(stored_rollups)
    # What the rows of the page that is replaced contributed is in the rollup.
    removed = {name: -data.draw(st.integers(0, n)) for name, n in stored.measures.items()}
    added = data.draw(counts)
    delta = {n: removed.get(n, 0) + added.get(n, 0) for n in {**removed, **added}}
    write = write_rollup(key, delta, stored)
    found, due = after(write, stored), expected(stored, delta)
    assert found.measures == due
    assert isinstance(write, RollupDelete) == bool(
        stored.version and not due and (key == CALLS or not stored.spilled)
    )
    if isinstance(write, RollupPut):
        assert found.spilled == stored.spilled


def test_a_breakdown_that_does_not_change_is_neither_decoded_nor_encoded() -> None:
    stored = StoredRollup({"calls": 1}, {"o": b"no breakdown at all"}, version=3)
    write = write_rollup(CALLS, {"calls": 1, "p=x": 1}, stored)
    assert isinstance(write, RollupPut)
    assert write.breakdowns["o"] == b"no breakdown at all"


def test_without_calls_the_marks_of_calls_are_obsolete_and_those_of_others_are_not() -> None:
    """Contact events of a type that no closed measure counts may be in a spilled breakdown alone."""
    for key in (CALLS, EVENTS):
        stored = stored_of({"x": 1}, frozenset("e"), 4)
        write = write_rollup(key, {"x": -1, "e=a": -1}, stored)
        if key == CALLS:
            assert write == RollupDelete(key, 4)
        else:
            assert write == RollupPut(key, {}, {}, frozenset("e"), 4)


@pytest.mark.property
@given(st.dictionaries(names, st.integers(0, 10**9), max_size=15), spills, st.integers(0, 60))
def test_each_breakdown_past_the_limit_spills_and_no_other(
    measures: dict[str, int], spilled: frozenset[str], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "BREAKDOWN_LIMIT_BYTES", limit)
        put = put_rollup(EVENTS, measures, stored_of({"o=z": 9}, spilled, 7))
    whole = stored_of(measures, spilled)
    large = {letter for letter, data in whole.breakdowns.items() if len(data) > limit}
    if isinstance(put, RollupDelete):
        assert not whole.measures
        assert not spilled
        return
    assert put.spilled == spilled | large
    assert put.counts == whole.counts
    assert put.breakdowns == {b: data for b, data in whole.breakdowns.items() if b not in large}


def test_four_breakdowns_at_their_limit_fit_into_an_item() -> None:
    full = dict.fromkeys("oplt", b"x" * BREAKDOWN_LIMIT_BYTES)
    assert RollupPut(CALLS, {}, full, frozenset(), 0).size < 400 * 1024
