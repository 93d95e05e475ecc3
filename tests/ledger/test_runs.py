"""Runs are neighbouring pages at rest, each in at most one run, and no larger than a segment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.ledger.page import Rows
from rollcall.ledger.positions import END
from rollcall.ledger.runs import MAX_PAGES, StoredPage, runs
from rollcall.ledger.tree import Page
from tests.support.cases import cases

pytestmark = pytest.mark.property

AT_REST_MS = 100
SEGMENT_BYTES = 1_000


def pages_of(shape: list[tuple[int, int, bool]]) -> list[StoredPage]:
    """Pages of (size, time of change), with a segment before some of them; the last one is open."""
    pages = []
    for number, (size, applied_at_ms, is_after_segment) in enumerate(shape):
        start = f"{number * 2 + is_after_segment:04}"
        is_last = number == len(shape) - 1
        page = Page(start, END if is_last else f"{number * 2 + 2:04}", 1, Rows.empty("call"))
        pages.append(StoredPage(page, size, applied_at_ms))
    return pages


shapes = st.lists(
    st.tuples(
        st.integers(1, 700), st.sampled_from([99, 100, 101]), st.integers(0, 4).map(lambda n: not n)
    ),
    max_size=200,
)


@cases(200)
@given(shape=shapes)
def test_runs_are_neighbours_at_rest_that_fit(shape) -> None:
    pages = pages_of(shape)
    found = list(runs(pages, AT_REST_MS, SEGMENT_BYTES))
    starts = [each.page.start for run in found for each in run]
    assert starts == sorted(set(starts))
    for run in found:
        assert 1 < len(run) <= MAX_PAGES
        assert sum(each.size for each in run) <= SEGMENT_BYTES
        assert all(each.applied_at_ms <= AT_REST_MS and each.page.end != END for each in run)
        assert [each.page.end for each in run[:-1]] == [each.page.start for each in run[1:]]


def test_a_run_is_merged_when_the_next_page_would_not_fit() -> None:
    pages = pages_of([(400, 0, False)] * 6)
    assert [len(run) for run in runs(pages, AT_REST_MS, SEGMENT_BYTES)] == [2, 2]


def test_a_run_before_a_page_that_is_written_waits() -> None:
    pages = pages_of([(400, 0, False), (400, 0, False), (1, 999, False), (1, 0, False)])
    assert list(runs(pages, AT_REST_MS, SEGMENT_BYTES)) == []


@pytest.mark.parametrize(("size", "count"), [(250, 1), (249, 0)])
def test_a_run_before_a_segment_is_merged_if_it_is_half_as_large(size: int, count: int) -> None:
    pages = pages_of([(size, 0, False), (size, 0, False), (1, 999, True)])
    assert len(list(runs(pages, AT_REST_MS, SEGMENT_BYTES))) == count


def test_no_run_has_more_pages_than_a_transaction() -> None:
    pages = pages_of([(1, 0, False)] * (2 * MAX_PAGES + 2))
    assert [len(run) for run in runs(pages, AT_REST_MS, SEGMENT_BYTES)] == [MAX_PAGES] * 2
