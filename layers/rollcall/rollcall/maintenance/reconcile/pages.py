"""Checks that pages cover all positions, hold only rows of their range, and no row without a fact.

A page is read before the facts of its rows. Facts are written before their rows and never removed,
so a row without a fact is drift, even during writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rollcall.domain.errors import Conflict
from rollcall.domain.facts import Fact
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import utc_day
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END
from rollcall.ledger.transaction import PageWrite, Transaction
from rollcall.ledger.tree import EncodedPage
from rollcall.maintenance import audits
from rollcall.maintenance.ports import Inspection
from rollcall.maintenance.positions import is_known, recalled
from rollcall.maintenance.reconcile.context import AGAIN_SECONDS, Context
from rollcall.maintenance.reconcile.inspection import (
    SurveyedPage,
    is_position,
)


@dataclass(slots=True)
class ComparePages:
    """Compares the pages of every record type in one bucket, and adds the days of their rows to `days`."""

    context: Context
    bucket: int
    days: set[str]

    @property
    def inspection(self) -> Inspection:
        """The inspection of the bucket."""
        return self.context.inspections[self.bucket]

    def __call__(self, record_type: str, start: str) -> Iterator[str]:
        """Compare the pages from a position on; yields the position reached after each page."""
        reached: str | None = start
        is_empty = True
        for page in self.inspection.pages(record_type, start, END):
            is_empty = False
            if not is_position(page.start):
                self._remove(record_type, page, "which is not a position")
                continue
            if reached is not None and page.start > reached:
                reached = self._close(record_type, reached, page.start)
            if reached is not None and page.start < reached:
                self._overlapping(record_type, page)
                continue
            reached = self._page(record_type, page)
            yield reached or page.start
        if not is_empty and reached is not None and reached < END:
            self._close(record_type, reached, END)

    # -- gaps and overlaps -------------------------------------------------------------------
    def _close(self, record_type: str, reached: str, until: str) -> str:
        """Compare what a write put in a gap, or report it; returns the position reached."""
        while reached < until:
            page = self.inspection.page_from(record_type, reached)
            if page is None or not _is_at(page, reached):
                return self._hole(record_type, reached, until)
            reached = self._page(record_type, page.part_from(reached)) or until
        return reached

    def _hole(self, record_type: str, start: str, end: str) -> str:
        # Of what a transaction writes, one item may be visible a moment before another.
        self.context.sleep(AGAIN_SECONDS)
        page = self.inspection.page_from(record_type, start)
        if page is not None and _is_at(page, start):
            return self._page(record_type, page.part_from(start)) or end
        is_repaired = self.context.is_repairing and self._put(record_type, start, end, [], 0)
        name = f"{record_type} page [{start}, {end})"
        self.context.found(audits.PAGE_MISSING, record_type, name, is_repaired=is_repaired)
        return end

    def _overlapping(self, record_type: str, page: SurveyedPage) -> None:
        """Report a page that starts inside the range of another, unless a split is in progress."""
        self.context.sleep(AGAIN_SECONDS)
        again = self.inspection.page_from(record_type, page.start)
        before = self.inspection.page_from(record_type, _just_before(page.start))
        if again is None or again.start != page.start:
            return
        if before is None or before.end is None or before.end <= page.start:
            return
        self._remove(record_type, again, f"inside the one at {before.start}")

    def _remove(self, record_type: str, page: SurveyedPage, where: str) -> None:
        is_repaired = False
        if self.context.is_repairing:
            self.context.current()
            with contextlib.suppress(Conflict):  # the next comparison reads it again
                self.inspection.remove_page(record_type, page)
                is_repaired = True
        name = f"{record_type} page at {page.start}, {where}"
        self.context.found(audits.PAGE_PHANTOM, record_type, name, is_repaired=is_repaired)

    # -- one page ----------------------------------------------------------------------------
    def _page(self, record_type: str, page: SurveyedPage) -> str | None:
        """Compare a page; returns its end, or None if it is unknown."""
        self.context.count(pages=1)
        if page.rows is None:
            self._damaged(record_type, page)
            return page.end if page.end is not None and page.end > page.start else None
        if page.fault:
            page = self._repaired(record_type, page)
        rows = page.rows or []
        self.context.count(rows=len(rows))
        own = {(row.id, row.time_ms): row for row in rows if self._is_own(page, row)}
        if len(own) < len(rows):
            self._strays(record_type, page, list(own.values()))
        self._rows(record_type, own.values())
        return page.end

    def _is_own(self, page: SurveyedPage, row: Row) -> bool:
        return page.covers(row.position) and self.context.bucket_of(row.id) == self.bucket

    def _rows(self, record_type: str, rows: Collection[Row]) -> None:
        """Compare rows with the times of their facts, and collect their days."""
        if RECORD_TYPES[record_type].time_column is not None:
            self.days.update({utc_day(row.time_ms) for row in rows if row.record})
        org = self.context.organisation
        # Each once, in their order: the same pages lead to the same requests.
        ids = list(dict.fromkeys(row.id for row in rows))
        places = self.context.facts.places(org.id, org.buckets, record_type, ids)
        for row in rows:
            if row.id not in places:
                self._without_fact(record_type, row)
            elif not is_known(record_type, row, places[row.id]):
                self._misplaced(record_type, row)

    def _damaged(self, record_type: str, page: SurveyedPage) -> None:
        """Replace a page that cannot be read by an empty one; the comparison of facts fills it."""
        again = self.inspection.page_from(record_type, page.start)
        if again is None or again.start != page.start or again.rows is not None:
            return
        is_repaired = False
        if self.context.is_repairing:
            again = self._with_version(record_type, again)
            end = again.end
            if end is None or not again.start < end <= END:
                end = self._next_start(record_type, again.start)
            is_repaired = again.version is not None and self._put(
                record_type, again.start, end, [], again.version
            )
        name = f"{record_type} page at {page.start}: {page.fault}"
        self.context.found(audits.PAGE_DAMAGED, record_type, name, is_repaired=is_repaired)

    def _repaired(self, record_type: str, page: SurveyedPage) -> SurveyedPage:
        """Write a page again whose rows can be read, but whose other attributes are damaged."""
        fault = page.fault
        is_repaired = False
        if self.context.is_repairing:
            page = self._with_version(record_type, page)
            is_repaired = (
                page.version is not None
                and page.rows is not None
                and self._put(record_type, page.start, page.end or "", page.rows, page.version)
            )
            page = self._again(record_type, page)
        name = f"{record_type} page at {page.start}: {fault}"
        self.context.found(audits.PAGE_DAMAGED, record_type, name, is_repaired=is_repaired)
        return page

    def _with_version(self, record_type: str, page: SurveyedPage) -> SurveyedPage:
        """The page with a version, which a conditional write needs."""
        if page.version is not None:
            return page
        self.context.current()
        with contextlib.suppress(Conflict):  # another writer gave it one
            self.inspection.repair_page_version(record_type, page.start)
        return self._again(record_type, page)

    def _again(self, record_type: str, page: SurveyedPage) -> SurveyedPage:
        found = self.inspection.page_from(record_type, page.start)
        return found if found is not None and found.start == page.start else page

    def _next_start(self, record_type: str, start: str) -> str:
        """The start of the page after the one at `start`, or END."""
        for following in self.inspection.pages(record_type, start, END):
            if following.start > start:
                return following.start
        return END

    def _strays(self, record_type: str, page: SurveyedPage, own: list[Row]) -> None:
        """Report and remove the rows that are outside their page's range or bucket, or in it twice."""
        strays = len(page.rows or ()) - len(own)
        is_repaired = self.context.is_repairing and self._put(
            record_type, page.start, page.end or "", own, page.version or 0
        )
        for _ in range(strays):
            name = f"{record_type} row outside of its page at {page.start}"
            self.context.found(audits.ROW_PHANTOM, record_type, name, is_repaired=is_repaired)

    def _put(self, record_type: str, start: str, end: str, rows: list[Row], version: int) -> bool:
        """Write a page with these rows; the rollups are compared with it later."""
        self.context.current()
        kept = Rows.empty(record_type).with_rows({}, rows)
        encoded = EncodedPage(start, end, kept, kept.encode())
        # All that covered the positions before has a lower version than one of the clock.
        write = PageWrite(
            record_type, encoded, version, base=0 if version else self.context.now_us()
        )
        try:
            self.inspection.commit(Transaction((write,)))
        except Conflict:
            return False  # another writer changed it: the next comparison reads it again
        return True

    # -- one row -----------------------------------------------------------------------------
    def _without_fact(self, record_type: str, row: Row) -> None:
        """Report a row without a fact, and repair it with a tombstone as its fact.

        The tombstone is as old as possible: no client deleted the record, so a client that still has
        it may send it again.
        """
        if self.context.read_fact(record_type, row.id) is not None:
            # Perhaps the repair of another row of the fact, which does not know this one.
            self._misplaced(record_type, row)
            return
        is_repaired = False
        if self.context.is_repairing:
            has_time = RECORD_TYPES[record_type].time_column is not None
            tombstone = Fact(
                type=record_type,
                id=row.id,
                time_ms=row.time_ms if has_time else None,
                updated_at_ms=0,
                rev=self._rev_after(row.rev),
                record=None,
            )
            is_repaired = self._restated(None, tombstone)
        name = f"{record_type} {row.id!r}: a row without its fact"
        self.context.found(audits.ROW_PHANTOM, record_type, name, is_repaired=is_repaired)

    def _misplaced(self, record_type: str, row: Row) -> None:
        """Report a row at a time that its fact does not know.

        The fact gets the time back, and then replaces the row. If it cannot have it, a live row
        itself is replaced by a tombstone, and one that already is a tombstone does no harm.
        """
        fact = self.context.read_fact(record_type, row.id)
        if fact is None or is_known(record_type, row, fact.times):
            return
        known = recalled(fact, row, self._rev_after(fact.rev, row.rev))
        if known is None and row.record is None:
            return
        is_repaired = False
        if self.context.is_repairing and known is not None:
            is_repaired = self._restated(fact, known)
        elif self.context.is_repairing:
            dead = Row(row.id, row.rev + 1, row.time_ms, None)
            is_repaired = self.context.apply_row(record_type, dead)
        name = f"{record_type} {row.id!r}: a row at a time that its fact does not know"
        self.context.found(audits.ROW_PHANTOM, record_type, name, is_repaired=is_repaired)

    def _rev_after(self, *revs: int) -> int:
        return max(*revs, self.context.now_us()) + 1

    def _restated(self, stored: Fact | None, fact: Fact) -> bool:
        """Replace the fact that was read, and apply it; returns False if it changed meanwhile."""
        return self.context.restate(stored, fact) and self.context.apply(fact)


def _is_at(page: SurveyedPage, position: str) -> bool:
    """Whether a page has a position; one without a readable end, if it begins there."""
    return page.start == position or page.covers(position)


def _just_before(start: str) -> str:
    """A string that sorts before `start` and after every other position before it."""
    return start[:-1] + chr(ord(start[-1]) - 1) + "~"
