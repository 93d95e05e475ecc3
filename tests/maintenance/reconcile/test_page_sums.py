"""Sums over pages: every row of a bucket once, and a page is read again only when it changed."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.contributions import CURRENT_VERSION, contribution_function
from rollcall.domain.measures import ALL, RollupKey
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import MS_PER_DAY, utc_day
from rollcall.ledger.page import Rows
from rollcall.ledger.positions import END, FIRST, position
from rollcall.maintenance.reconcile.inspection import PageVersion, SurveyedPage
from rollcall.maintenance.reconcile.page_sums import (
    Incomparable,
    PageSums,
    bucket_ranges,
    covering_pages,
)
from tests.support.fakes import MemoryLedger, StoredPage
from tests.support.generate import mixed_records
from tests.support.rows import ids
from tests.support.versions import apply, versions_of

pytestmark = pytest.mark.property

VERSIONS = versions_of(mixed_records(7, 150, days=3, spaces=2, others=2))


class Inspection:
    """The pages of a ledger in memory; counts how often each is read whole."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self.ledger = ledger
        self.reads: list[str] = []

    def _of(self, record_type: str) -> list[Any]:
        return [stored for _, stored in sorted(self.ledger.pages.get(record_type, {}).items())]

    def _surveyed(self, record_type: str, stored: Any) -> SurveyedPage:
        rows = list(Rows.decode(record_type, stored.data))
        return SurveyedPage(stored.start, stored.end, stored.version, rows, "")

    def pages(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]:
        for stored in self._of(record_type):
            if first <= stored.start < end:
                yield self._surveyed(record_type, stored)

    def page_from(self, record_type: str, position: str) -> SurveyedPage | None:
        found = [stored for stored in self._of(record_type) if stored.start <= position]
        if not found:
            return None
        self.reads.append(found[-1].start)
        return self._surveyed(record_type, found[-1])

    def versions(self, record_type: str, first: str, end: str) -> Iterator[PageVersion]:
        for stored in self._of(record_type):
            if first <= stored.start < end:
                yield PageVersion(stored.start, stored.end, stored.version)


@functools.cache
def _filled() -> MemoryLedger:
    ledger = MemoryLedger()
    apply(ledger, VERSIONS, 800)
    return ledger


def filled() -> tuple[MemoryLedger, Inspection]:
    ledger = copy.deepcopy(_filled())
    return ledger, Inspection(ledger)


def sums_of(inspection: Inspection, bucket: str) -> PageSums:
    contribute = contribution_function(CURRENT_VERSION)
    return PageSums(inspection, contribute, bucket)  # type: ignore[arg-type]


@given(st.integers(0, 40_000), st.integers(0, MS_PER_DAY - 1), ids, st.integers(-1, 1))
def test_the_range_of_a_day_has_the_rows_of_that_day(
    day: int, of_day: int, fact_id: str, other: int
) -> None:
    time_ms = day * MS_PER_DAY + of_day
    bucket = utc_day(max(0, day + other) * MS_PER_DAY)
    ranges = {name: (first, end) for name, first, end in bucket_ranges(bucket)}
    assert ranges.keys() == {name for name, each in RECORD_TYPES.items() if each.time_column}
    for first, end in ranges.values():
        assert (first <= position(time_ms, fact_id) < end) == (bucket == utc_day(time_ms))


def test_all_time_has_every_position_of_every_type() -> None:
    assert list(bucket_ranges(ALL)) == [(name, FIRST, END) for name in RECORD_TYPES]


def test_the_sums_of_a_bucket_are_its_rollups() -> None:
    ledger, inspection = filled()
    assert len(ledger.pages["call"]) > 3
    for bucket in sorted({key.bucket for key in ledger.stored}):
        keys = frozenset(key for key in ledger.stored if key.bucket == bucket)
        sums = sums_of(inspection, bucket).current(keys)
        assert {key: {n: c for n, c in m.items() if c} for key, m in sums.items()} == {
            key: {n: c for n, c in ledger.stored[key].measures.items() if c} for key in keys
        }


def test_a_page_is_read_again_only_when_it_changed() -> None:
    ledger, inspection = filled()
    key = RollupKey("calls", ("ORG",), ALL)
    sums = sums_of(inspection, ALL)
    first = sums.current(frozenset({key}))
    assert {place[:2] for place in sums.sources(key)} <= {
        (name, start) for name, pages in ledger.pages.items() for start in pages
    }
    sources = sums.sources(key)
    inspection.reads.clear()
    assert sums.current(frozenset({key})) == first
    again = len(inspection.reads)
    changed = sorted(ledger.pages["call"])[1]
    ledger.pages["call"][changed].version += 1
    assert sums.current(frozenset({key})) == first
    assert len(inspection.reads) == 2 * again + 1
    assert len(sources - sums.sources(key)) == 1


def test_the_pages_over_a_range_cover_each_position_once() -> None:
    ledger, inspection = filled()
    starts = sorted(ledger.pages["call"])
    for first, end in ((FIRST, END), (starts[1], starts[-1]), (starts[2] + "0", starts[3])):
        pages = list(covering_pages(inspection, "call", first, end))  # type: ignore[arg-type]
        assert pages[0].covers(first)
        assert all(a.end == b.start for a, b in pairwise(pages))
        assert pages[-1].end is not None
        assert pages[-1].end >= end
    assert list(covering_pages(Inspection(MemoryLedger()), "call", FIRST, END)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, 1, -1])
def test_with_a_page_missing_nothing_can_be_compared(number: int) -> None:
    ledger, inspection = filled()
    del ledger.pages["call"][sorted(ledger.pages["call"])[number]]
    with pytest.raises(Incomparable):
        list(covering_pages(inspection, "call", FIRST, END))  # type: ignore[arg-type]
    key = RollupKey("calls", ("ORG",), ALL)
    if number:
        with pytest.raises(Incomparable):
            sums_of(inspection, ALL).current(frozenset({key}))


class Merging(Inspection):
    """Pages of a ledger are merged just before the read of a number, the listing of a page included."""

    def __init__(self, ledger: MemoryLedger, at_read: int, first: int, count: int) -> None:
        super().__init__(ledger)
        self._left = at_read
        self._pages = first, count

    def _read(self) -> None:
        self._left -= 1
        if self._left == 0:
            first, count = self._pages
            merge(self.ledger, first, count)

    def pages(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]:
        for page in super().pages(record_type, first, end):
            yield page
            self._read()

    def page_from(self, record_type: str, position: str) -> SurveyedPage | None:
        self._read()
        return super().page_from(record_type, position)

    def versions(self, record_type: str, first: str, end: str) -> Iterator[PageVersion]:
        for version in super().versions(record_type, first, end):
            yield version
            self._read()


def merge(ledger: MemoryLedger, first: int, count: int) -> None:
    """Merge some neighbouring pages of calls, as a segment replaces them."""
    stored = ledger.pages["call"]
    run = [stored.pop(start) for start in sorted(stored)[first : first + count]]
    rows = [row for each in run for row in Rows.decode("call", each.data)]
    data = Rows.empty("call").with_rows({}, rows).encode()
    version = max(each.version for each in run) + 1
    stored[run[0].start] = StoredPage(run[0].start, run[-1].end, version, data)


@pytest.mark.representatives(5)
@pytest.mark.parametrize(("first", "count"), [(0, 2), (1, 3), (2, 2), (0, 5)])
@pytest.mark.parametrize("at_read", range(1, 25, 3))
def test_pages_that_are_merged_meanwhile_are_counted_once(
    at_read: int, first: int, count: int
) -> None:
    ledger, _ = filled()
    keys = frozenset(key for key in ledger.stored if key.bucket == ALL and key.family == "calls")
    expected = {key: ledger.stored[key].measures for key in keys}
    sums = sums_of(Merging(ledger, at_read, first, count), ALL)
    for _ in range(2):  # also of what it has read before
        found = sums.current(keys)
        assert {key: {n: c for n, c in m.items() if c} for key, m in found.items()} == expected


@pytest.mark.representatives(5)
@pytest.mark.parametrize(("first", "count"), [(0, 2), (1, 3), (2, 2), (0, 5)])
@pytest.mark.parametrize("at_read", range(1, 16, 2))
def test_each_row_of_pages_that_are_merged_meanwhile_is_read_once(
    at_read: int, first: int, count: int
) -> None:
    ledger, plain = filled()
    starts = sorted(ledger.pages["call"])

    def ids_in(inspection: Inspection, begin: str) -> list[str]:
        pages = covering_pages(inspection, "call", begin, END)  # type: ignore[arg-type]
        return sorted(row.id for page in pages for row in page.rows or ())

    for begin in (FIRST, starts[1], starts[2] + "0"):
        copied = copy.deepcopy(ledger)
        expected = ids_in(plain, begin)
        assert ids_in(Merging(copied, at_read, first, count), begin) == expected
