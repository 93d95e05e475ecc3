"""Positions: their order is that of time, and all lie inside of the first page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.ledger.positions import END, FIRST, floor, just_before, position, time_of
from tests.support.rows import ids, times

pytestmark = pytest.mark.property


@given(st.lists(st.tuples(times, ids), min_size=2, max_size=2, unique=True))
def test_positions_sort_by_time_and_lie_inside(pairs: list[tuple[int, str]]) -> None:
    (time_a, id_a), (time_b, id_b) = sorted(pairs)
    a, b = position(time_a, id_a), position(time_b, id_b)
    assert FIRST <= a < END
    assert time_a == time_b or a < b


@given(times, ids, times)
def test_a_floor_is_after_all_earlier_positions_and_before_all_others(
    time_ms: int, fact_id: str, floor_ms: int
) -> None:
    assert (position(time_ms, fact_id) < floor(floor_ms)) == (time_ms < floor_ms)


@given(times, ids)
def test_the_time_of_a_position_is_read_back(time_ms: int, fact_id: str) -> None:
    assert time_of(position(time_ms, fact_id)) == time_of(floor(time_ms)) == time_ms


@given(times, st.lists(ids, unique=True, max_size=20))
def test_ids_of_one_instant_have_positions_of_their_own(time_ms: int, ids: list[str]) -> None:
    assert len({position(time_ms, fact_id) for fact_id in ids}) == len(ids)


@given(times, ids, times, ids, st.booleans())
def test_just_before_a_position_comes_after_all_positions_before_it(
    time_ms: int, fact_id: str, other_ms: int, other_id: str, is_floor: bool
) -> None:
    text = floor(time_ms) if is_floor else position(time_ms, fact_id)
    other = position(other_ms, other_id)
    assert just_before(text) < text
    assert (other < text) == (other < just_before(text))
    assert other < just_before(END)
