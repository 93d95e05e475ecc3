"""Whether pages tile, hold only what lies in them, and no row without its fact.

A page is read before the facts of its rows: facts are written first and never removed, so a row
whose fact is not there has lost it, however busy the ledger is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rollcall.domain.errors import Conflict
from rollcall.domain.facts import Fact
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import utc_day
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, position
from rollcall.ledger.transaction import PageWrite, Transaction
from rollcall.ledger.tree import EncodedPage
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile.context import AGAIN_SECONDS, Context
from rollcall.maintenance.reconcile.inspection import (
    ForeignItem,
    Misindexed,
    SurveyedPage,
    is_position,
)


@dataclass(slots=True)
class ComparePages:
    """Compares the pages of every record type; gathers the days that their rows are of."""

    context: Context
    days: set[str] = field(default_factory=set)

    def __call__(self, record_type: str, start: str) -> Iterator[str]:
        """Compare the pages from a position on; yields up to where, page by page."""
        reached: str | None = start
        is_empty = True
        for page in self.context.inspection.pages(record_type, start, END):
            is_empty = False
            if not is_position(page.start):
                self._remove(record_type, page, "where no position is")
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

    def strays(self) -> None:
        """Look for what is listed as a page or a rollup and is none, or at another place."""
        for item in self.context.inspection.strays():
            is_page = item.is_page if isinstance(item, Misindexed) else "#LEDGER#" in item.pk
            if isinstance(item, Misindexed):
                kind = audits.PAGE_DAMAGED if is_page else audits.ROLLUP_DAMAGED
                name = f"{item.pk} {item.sk}: GSI1 lists it elsewhere"
            else:
                kind = audits.PAGE_PHANTOM if is_page else audits.ROLLUP_PHANTOM
                name = f"{item.pk} {item.sk}"
            is_repaired = self.context.is_repairing and self._put_right(item)
            self.context.found(kind, "", name, is_repaired=is_repaired)

    def _put_right(self, item: ForeignItem | Misindexed) -> bool:
        self.context.current()
        if isinstance(item, Misindexed):
            with contextlib.suppress(Conflict):  # it is gone, and what is gone is not listed
                self.context.inspection.relist(item)
        elif item.is_own:
            self.context.inspection.remove(item)
        else:
            return False
        return True

    # -- the tiling --------------------------------------------------------------------------
    def _close(self, record_type: str, reached: str, until: str) -> str:
        """Compare the pages that a split put between, or tell of the hole; what is reached then."""
        while reached < until:
            page = self.context.inspection.page_from(record_type, reached)
            if page is None or page.start != reached:
                return self._hole(record_type, reached, until)
            reached = self._page(record_type, page) or until
        return reached

    def _hole(self, record_type: str, start: str, end: str) -> str:
        # Of a split, one page may be seen a moment before the other.
        self.context.sleep(AGAIN_SECONDS)
        page = self.context.inspection.page_from(record_type, start)
        if page is not None and page.start == start:
            return self._page(record_type, page) or end
        is_repaired = self.context.is_repairing and self._put(record_type, start, end, [], 0)
        name = f"{record_type} page [{start}, {end})"
        self.context.found(audits.PAGE_MISSING, record_type, name, is_repaired=is_repaired)
        return end

    def _overlapping(self, record_type: str, page: SurveyedPage) -> None:
        """A page inside another's range; the later one of a split never is."""
        self.context.sleep(AGAIN_SECONDS)
        again = self.context.inspection.page_from(record_type, page.start)
        before = self.context.inspection.page_from(record_type, _just_before(page.start))
        if again is None or again.start != page.start:
            return
        if before is None or before.end is None or before.end <= page.start:
            return
        self._remove(record_type, again, f"inside the one at {before.start}")

    def _remove(self, record_type: str, page: SurveyedPage, where: str) -> None:
        is_repaired = False
        if self.context.is_repairing:
            self.context.current()
            with contextlib.suppress(Conflict):  # the next comparison looks at it again
                self.context.inspection.remove_page(record_type, page)
                is_repaired = True
        name = f"{record_type} page at {page.start}, {where}"
        self.context.found(audits.PAGE_PHANTOM, record_type, name, is_repaired=is_repaired)

    # -- one page ----------------------------------------------------------------------------
    def _page(self, record_type: str, page: SurveyedPage) -> str | None:
        """Compare a page; where it ends, None where nobody knows."""
        findings = self.context.findings
        findings.pages += 1
        if page.rows is None:
            self._damaged(record_type, page)
            return page.end if page.end is not None and page.end > page.start else None
        if page.fault:
            page = self._mended(record_type, page)
        findings.rows += len(page.rows or ())
        own = {row.id: row for row in page.rows or () if page.covers(row.position)}
        if len(own) < len(page.rows or ()):
            self._strays(record_type, page, list(own.values()))
        if RECORD_TYPES[record_type].time_column is not None:
            self.days.update({utc_day(row.time_ms) for row in own.values() if row.record})
        org = self.context.organisation
        places = self.context.facts.places(org.id, org.buckets, record_type, own.keys())
        for row in own.values():
            if row.id not in places:
                self._without_fact(record_type, row)
            elif row.record is not None and _is_elsewhere(record_type, row, places[row.id]):
                self._misplaced(record_type, row)
        return page.end

    def _damaged(self, record_type: str, page: SurveyedPage) -> None:
        """A page that cannot be read is put anew, empty: its facts bring its rows back."""
        again = self.context.inspection.page_from(record_type, page.start)
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

    def _mended(self, record_type: str, page: SurveyedPage) -> SurveyedPage:
        """A page whose rows can be read and whose item is wrong elsewhere is put as it is to be."""
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
        """The page with a version, where it had none by which it could be put."""
        if page.version is not None:
            return page
        self.context.current()
        with contextlib.suppress(Conflict):  # somebody else gave it one
            self.context.inspection.repair_page_version(record_type, page.start)
        return self._again(record_type, page)

    def _again(self, record_type: str, page: SurveyedPage) -> SurveyedPage:
        found = self.context.inspection.page_from(record_type, page.start)
        return found if found is not None and found.start == page.start else page

    def _next_start(self, record_type: str, start: str) -> str:
        """Where the page after the one that starts at `start` does, END where there is none."""
        for following in self.context.inspection.pages(record_type, start, END):
            if following.start > start:
                return following.start
        return END

    def _strays(self, record_type: str, page: SurveyedPage, own: list[Row]) -> None:
        """Rows that do not belong into their page, or are there twice, are taken out of it."""
        strays = len(page.rows or ()) - len(own)
        is_repaired = self.context.is_repairing and self._put(
            record_type, page.start, page.end or "", own, page.version or 0
        )
        for _ in range(strays):
            name = f"{record_type} row outside of its page at {page.start}"
            self.context.found(audits.ROW_PHANTOM, record_type, name, is_repaired=is_repaired)

    def _put(self, record_type: str, start: str, end: str, rows: list[Row], version: int) -> bool:
        """Put a page as it has to be; the rollups are compared with it afterwards."""
        self.context.current()
        kept = Rows.empty(record_type).with_rows({}, rows)
        encoded = EncodedPage(start, end, kept, kept.encode())
        write = PageWrite(record_type, encoded, version)
        try:
            self.context.inspection.commit(Transaction((write,), (), ()))
        except Conflict:
            return False  # somebody wrote it meanwhile: the next comparison looks at it again
        return True

    # -- one row -----------------------------------------------------------------------------
    def _without_fact(self, record_type: str, row: Row) -> None:
        """A row whose fact is missing: it gets a tombstone for a fact, which then kills the row.

        The tombstone is as old as can be: nobody deleted the record, so whoever still has it may
        bring it back.
        """
        if self.context.read_fact(record_type, row.id) is not None:
            return
        is_repaired = False
        if self.context.is_repairing:
            has_time = RECORD_TYPES[record_type].time_column is not None
            tombstone = Fact(
                type=record_type,
                id=row.id,
                id_is_integer=False,
                time_ms=row.time_ms if has_time else None,
                updated_at_ms=0,
                rev=self._rev_after(row),
                record=None,
            )
            is_repaired = self._restated(None, tombstone)
        name = f"{record_type} {row.id!r}: a row without its fact"
        self.context.found(audits.ROW_PHANTOM, record_type, name, is_repaired=is_repaired)

    def _misplaced(self, record_type: str, row: Row) -> None:
        """A live row whose fact is at another time, or was deleted and never had one.

        A deleted one takes the time of its row, which then dies with it. Else no fact can say that
        the row is dead, and only the row itself does.
        """
        fact = self.context.read_fact(record_type, row.id)
        if fact is None or not _is_elsewhere(record_type, row, fact.time_ms):
            return
        is_repaired = False
        if self.context.is_repairing and fact.record is None and fact.time_ms is None:
            placed = replace(fact, time_ms=row.time_ms, rev=self._rev_after(row))
            is_repaired = self._restated(fact, placed)
        elif self.context.is_repairing:
            dead = Row(row.id, row.rev + 1, row.time_ms, None)
            is_repaired = self.context.apply_row(record_type, dead)
        name = f"{record_type} {row.id!r}: a row at another time than its fact's"
        self.context.found(audits.ROW_PHANTOM, record_type, name, is_repaired=is_repaired)

    def _rev_after(self, row: Row) -> int:
        return max(row.rev, self.context.now_us()) + 1

    def _restated(self, stored: Fact | None, fact: Fact) -> bool:
        """Store and apply a fact in the place of what was read; False: it was changed meanwhile."""
        return self.context.restate(stored, fact) and self.context.apply(fact)


def _is_elsewhere(record_type: str, row: Row, time_ms: int | None) -> bool:
    if RECORD_TYPES[record_type].time_column is None:
        return position(0, row.id) != row.position
    return time_ms != row.time_ms


def _just_before(start: str) -> str:
    """A text that sorts before `start` and after every other position before it."""
    return start[:-1] + chr(ord(start[-1]) - 1) + "~"
