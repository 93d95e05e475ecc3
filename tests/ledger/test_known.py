"""What a writer knows is found wherever it is, and its bytes are those of what is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.measures import ALL, CALLS, RollupKey
from rollcall.ledger.known import Known
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.rollups import StoredRollup
from rollcall.ledger.tree import Page

EDGES = st.integers(0, 12)


def page(start: int, end: int, version: int) -> Page:
    rows = Rows.empty("label").with_rows({}, [Row("x", 1, 5, None)] * (end - start))
    return Page(f"{start:02d}", f"{end:02d}", version, rows)


@pytest.mark.property
@given(st.lists(st.tuples(EDGES, EDGES), max_size=30), st.integers(0, 13))
def test_the_page_with_the_last_start_before_a_position_is_found(
    ranges: list[tuple[int, int]], position: int
) -> None:
    known, newest = Known(), dict[int, tuple[int, int]]()
    for version, (start, end) in enumerate(ranges):
        if start < end:
            known.add_page("label", page(start, end, version))
            newest[start] = (end, version)
    before = [start for start in newest if start <= position]
    expected = newest[max(before)] if before else (0, 0)
    found = known.page_covering("label", f"{position:02d}")
    assert (found is None) == (expected[0] <= position)
    assert found is None or found.page.version == expected[1]
    assert known.page_covering("call", f"{position:02d}") is None
    assert known.bytes == 1_000 * sum(end - start for start, (end, _) in newest.items())


@pytest.mark.property
@given(st.lists(st.tuples(EDGES, EDGES), max_size=30))
def test_pages_over_what_is_known_are_found(ranges: list[tuple[int, int]]) -> None:
    """They are segments of pages that were merged, and are not to be known beside them."""
    known, added = Known(), list[tuple[int, int]]()
    for start, end in ranges:
        if start < end:
            found = known.overlaps("label", page(start, end, 1))
            assert found == any(start < other[1] and other[0] < end for other in added)
            assert not known.overlaps("call", page(start, end, 1))
            if not found:
                known.add_page("label", page(start, end, 1))
                added.append((start, end))


def test_bytes_are_those_of_what_is_known() -> None:
    known, key = Known(), RollupKey(CALLS, ("ORG",), ALL)
    first = known.add_page("label", page(0, 3, 1))
    known.put_rollup(key, StoredRollup({"calls": 1}, {"o": b"12345"}, version=1))
    before = known.bytes
    known.put_rollup(key, StoredRollup({"calls": 2}, {"o": b"123456789"}, version=2))
    assert known.bytes == before + 4
    known.remove_rollup(key)
    known.remove_rollup(key)
    assert known.rollup(key) is None
    known.remove_page(first)
    assert known.bytes == 0


def test_a_page_is_kept_from_an_earlier_call() -> None:
    known = Known()
    first = known.add_page("label", page(0, 3, 1))
    assert not known.is_kept(first)
    known.call += 1
    assert known.is_kept(first)
    assert not known.is_kept(known.add_page("label", page(0, 3, 2)))
