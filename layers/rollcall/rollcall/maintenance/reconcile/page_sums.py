"""Sums of the contributions of all pages to the rollups of a bucket, read during writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rollcall.domain.contributions import ContributionFunction, families_fed_by
from rollcall.domain.measures import ALL, RollupKey
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import MS_PER_DAY, parse_date
from rollcall.ledger.positions import END, FIRST, floor
from rollcall.maintenance.ports import Inspection
from rollcall.maintenance.reconcile.inspection import Sums, SurveyedPage, add_measures, add_up


class Incomparable(Exception):
    """A page is missing or damaged, so the expected values of rollups are unknown."""


@dataclass(frozen=True, slots=True)
class _PageSum:
    """The contributions of one version of a page to some rollups, from a position on."""

    end: str
    version: int
    sums: Sums


def bucket_ranges(bucket: str) -> Iterator[tuple[str, str, str]]:
    """(record type, first position, end) of the rows that may contribute to a bucket."""
    day = None if bucket == ALL else parse_date(bucket)
    for record_type in RECORD_TYPES.values():
        if bucket == ALL:
            yield record_type.name, FIRST, END
        elif day is not None and record_type.time_column is not None:
            start_ms = day * MS_PER_DAY
            first = max(floor(start_ms), FIRST)
            yield record_type.name, first, floor(start_ms + MS_PER_DAY)


def covering_pages(
    inspection: Inspection, record_type: str, first: str, end: str
) -> Iterator[SurveyedPage]:
    """The pages over a range, so that each position is covered once. Raises Incomparable.

    A page that was merged into a segment meanwhile may have been read: of the segment, only the rows
    behind it are in the answer.
    """
    page = inspection.page_from(record_type, first)
    if page is None:
        if any(True for _ in inspection.pages(record_type, FIRST, END)):
            raise Incomparable  # the first page is missing
        return
    reached = first
    for following in inspection.pages(record_type, page.start, end):
        while following.start > reached:
            gap = inspection.page_from(record_type, reached)
            begin, reached = reached, _end_of(gap, reached)
            if gap is not None:
                yield gap.part_from(begin)
        if following.start <= reached and (following.end is None or reached < following.end):
            begin, reached = reached, _end_of(following, reached)
            yield following.part_from(begin)
    while reached < end:
        gap = inspection.page_from(record_type, reached)
        begin, reached = reached, _end_of(gap, reached)
        if gap is not None:
            yield gap.part_from(begin)


@dataclass(slots=True)
class PageSums:
    """The sums of some rollups of one bucket; a page is read again only when it changed."""

    inspection: Inspection
    contribute: ContributionFunction
    bucket: str
    _pages: dict[tuple[str, str], _PageSum] = field(default_factory=dict, init=False)

    def current(self, keys: frozenset[RollupKey]) -> Sums:
        """The sums of rollups, which must be among those of the first call. Raises Incomparable."""
        sums: Sums = {}
        families = {key.family for key in keys}
        for record_type, first, end in bucket_ranges(self.bucket):
            if families.isdisjoint(families_fed_by(record_type)):
                continue
            begin = self.inspection.page_from(record_type, first)
            if begin is None:
                continue
            reached = first
            for listed in self.inspection.versions(record_type, begin.start, end):
                while reached < listed.start:
                    reached = self._read(record_type, reached, keys, sums)
                if not listed.start <= reached < listed.end:
                    continue
                # Of a page that begins before, only the rows from here on are to be added.
                page = self._pages.get((record_type, max(listed.start, reached)))
                if page is not None and (page.end, page.version) == (listed.end, listed.version):
                    _add_all(page.sums, sums)
                    reached = page.end
                else:
                    reached = self._read(record_type, reached, keys, sums)
            while reached < end:
                reached = self._read(record_type, reached, keys, sums)
        return sums

    def sources(self, key: RollupKey) -> frozenset[tuple[str, str, int]]:
        """The pages that contribute to a rollup, with their versions."""
        return frozenset(
            (*place, page.version) for place, page in self._pages.items() if key in page.sums
        )

    def _read(self, record_type: str, reached: str, keys: frozenset[RollupKey], sums: Sums) -> str:
        """Add the contributions of the rows from a position to the end of its page; returns the end."""
        page = self.inspection.page_from(record_type, reached)
        end = _end_of(page, reached)
        own: Sums = {}
        rows = page.part_from(reached).rows or () if page else ()
        add_up(rows, self.contribute, keys.__contains__, own)
        _add_all(own, sums)
        if page is not None and page.version is not None:
            self._pages[record_type, reached] = _PageSum(end, page.version, own)
        return end


def _end_of(page: SurveyedPage | None, reached: str) -> str:
    """The end of the page that was read for a position. Raises Incomparable."""
    if page is None or page.rows is None or not page.covers(reached):
        raise Incomparable
    return page.end or reached


def _add_all(added: Sums, sums: Sums) -> None:
    for key, measures in added.items():
        add_measures(sums.setdefault(key, {}), measures)
