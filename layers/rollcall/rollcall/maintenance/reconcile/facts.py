"""Compares every fact with its rows: the one at its time, and a tombstone at each time it has left.

A row that is behind its fact may still be in the stream. It counts as drift only when the missing
version is older than the grace period; a younger version stays pending and is checked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from rollcall.domain.errors import Unavailable
from rollcall.domain.facts import Fact, content_hash
from rollcall.ledger.page import Row
from rollcall.ledger.writer import row_of
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile.context import Context
from rollcall.maintenance.reconcile.details import CompareDetails
from rollcall.maintenance.reconcile.inspection import SurveyedPage
from rollcall.retry import seconds_left

# Facts are listed by id, and pages are in order of time: this many facts are sorted before their
# pages are read. About 300 bytes of each are in memory.
CHUNK_FACTS: Final = 50_000
# Pending facts are saved with a run: ids have up to 512 bytes, and an item holds at most 400 KB.
_MAX_PENDING: Final = 200
_US: Final = 1_000_000


class Pending(NamedTuple):
    """A version of a fact that its pages did not have when they were read."""

    type: str
    id: str
    rev: int
    since_us: int


class _Listed(NamedTuple):
    """A row that a listed fact must have, its bucket, and the revision of the fact."""

    bucket: int
    position: str
    id: str
    time_ms: int
    rev: int
    content: bytes
    fact_rev: int


def _rows_of(fact: Fact) -> tuple[Row, ...]:
    """The rows that a fact must have, the one at its time first."""
    row = row_of(fact)
    return (row, *row.left_behind)


def _listed(bucket: int, fact: Fact) -> Iterator[_Listed]:
    for row in _rows_of(fact):
        content = content_hash(row.record)
        yield _Listed(bucket, row.position, row.id, row.time_ms, row.rev, content, fact.rev)


def _rows_by_place(page: SurveyedPage | None, position: str) -> dict[tuple[str, int], Row]:
    """The rows of a page, by id and time, if it covers a position."""
    if page is None or not page.covers(position):
        return {}
    return {(row.id, row.time_ms): row for row in page.rows or ()}


def _is_current(row: Row | None, listed: _Listed) -> bool:
    """Whether a row is the one that was listed."""
    return row is not None and row.rev == listed.rev and content_hash(row.record) == listed.content


def _is_same(row: Row, due: Row) -> bool:
    return row.rev == due.rev and content_hash(row.record) == content_hash(due.record)


class _Drift(NamedTuple):
    """Drift of one row of a fact.

    `due` is the row as it must be, `row` the stored one, and `since_ms` when the drift began, if
    known.
    """

    kind: str
    fact: Fact
    due: Row
    row: Row | None
    since_ms: int | None


@dataclass(slots=True)
class CompareFacts:
    """Compares facts with their rows."""

    context: Context
    pending: list[Pending] = field(default_factory=list)

    def __call__(self, record_type: str, bucket: int, after: str | None) -> Iterator[str | None]:
        """Compare the facts of one bucket in chunks; yields the last sort key of each, None at the end."""
        chunk: list[_Listed] = []
        org = self.context.organisation
        for listed in self.context.facts.listed(org.id, bucket, record_type, after):
            self.context.count(facts=len(listed.facts) + len(listed.damaged))
            for name in listed.damaged:
                self.context.found(audits.FACT_DAMAGED, record_type, f"{record_type} {name}")
            own: list[Fact] = []
            for fact in listed.facts:
                if self.context.facts.bucket_of(fact.id, org.buckets) != bucket:
                    name = f"{record_type} {fact.id!r} is in the wrong bucket, {bucket}"
                    self.context.found(audits.FACT_DAMAGED, record_type, name)
                    continue
                own.append(fact)
                if fact.has_position:
                    chunk += _listed(self.context.bucket_of(fact.id), fact)
            if self.context.reads_details:
                CompareDetails(self.context)(own)
            if len(chunk) >= CHUNK_FACTS or listed.last is None:
                self._compare(record_type, chunk)
                chunk = []
                yield listed.last

    def settle(self) -> None:
        """Wait until the grace period of the pending facts is over, and check them again.

        Raises Unavailable when no time is left for the wait.
        """
        while self.pending:
            self._check_pending()

    def _check_pending(self) -> None:
        youngest = max(pending.since_us for pending in self.pending)
        wait_us = youngest + self.context.grace_us - self.context.now_us()
        if wait_us > 0:
            if wait_us / _US >= seconds_left():
                raise Unavailable("no time is left to wait for the end of the grace period")
            self.context.sleep(wait_us / _US)
        pending, self.pending = self.pending, []
        for seen in pending:
            self._check(seen)

    def _compare(self, record_type: str, chunk: list[_Listed]) -> None:
        chunk.sort()
        page: SurveyedPage | None = None
        rows: dict[tuple[str, int], Row] = {}
        checked: set[str] = set()
        bucket = -1
        for listed in chunk:
            if page is None or bucket != listed.bucket or not page.covers(listed.position):
                bucket = listed.bucket
                page = self.context.inspections[bucket].page_from(record_type, listed.position)
                rows = _rows_by_place(page, listed.position)
            is_current = _is_current(rows.get((listed.id, listed.time_ms)), listed)
            if not is_current and listed.id not in checked:
                checked.add(listed.id)
                since_us = min(listed.fact_rev, self.context.now_us())
                self._check(Pending(record_type, listed.id, listed.fact_rev, since_us))
        if len(self.pending) > _MAX_PENDING:
            self.settle()

    def _check(self, seen: Pending) -> None:
        drifts = self._drifts(seen)
        if not drifts:
            return
        is_repaired = False
        if self.context.is_repairing:
            self._repair(drifts)
            is_repaired = not self._drifts(seen)
        for kind, fact, due, row, since_ms in drifts:
            has = "no row" if row is None else f"a row of revision {row.rev}"
            at = (
                "" if due.time_ms == row_of(fact).time_ms else f" at the time {due.time_ms} it left"
            )
            name = f"{fact.type} {fact.id!r} of revision {fact.rev}: {has}{at}"
            self.context.found(kind, fact.type, name, since_ms=since_ms, is_repaired=is_repaired)

    def _drifts(self, seen: Pending) -> list[_Drift]:
        """The drift of a fact's rows; none if there is none, or the fact is still pending."""
        fact, stored = self._read(seen)
        if fact is None:
            return []
        if fact.left_behind and fact.last_move > seen.rev:
            # It moved since: its rows at the times that it left are due with the move.
            seen = seen._replace(rev=fact.rev, since_us=self.context.now_us())
        if set(fact.times) != stored.keys():
            self.pending.append(seen)
            return []
        found = []
        for due in _rows_of(fact):
            row = stored[due.time_ms]
            kind = self._kind(due, row, seen, is_main=due.time_ms == fact.times[0])
            since_ms = None if kind == audits.ROW_DIFFERS else seen.since_us // 1_000
            found += [] if kind is None else [_Drift(kind, fact, due, row, since_ms)]
        certain = [drift for drift in found if drift.kind == audits.ROW_DIFFERS]
        if len(certain) < len(found) and self._may_arrive(seen):
            self.pending.append(seen)
            return certain
        return found

    def _read(self, seen: Pending) -> tuple[Fact | None, dict[int, Row | None]]:
        """A fact, and the stored rows at its times; None if there is no fact with a position.

        The pages are read before the fact, because a row is never written before its fact. The
        comparison of pages reports a row without its fact.
        """
        before = self.context.read_fact(seen.type, seen.id)
        if before is None or not before.has_position:
            return None, {}
        stored = {due.time_ms: self._row_at(seen, due) for due in _rows_of(before)}
        return self.context.read_fact(seen.type, seen.id), stored

    def _may_arrive(self, seen: Pending) -> bool:
        """Whether a version that is missing may still be in the stream."""
        return self.context.now_us() - seen.since_us < self.context.grace_us

    def _kind(self, due: Row, row: Row | None, seen: Pending, *, is_main: bool) -> str | None:
        """The kind of a row's drift, which may be pending; None if there is none."""
        if row is None:
            return audits.ROW_MISSING
        if row.rev >= due.rev:
            return None if _is_same(row, due) else audits.ROW_DIFFERS
        # The version that was missing has arrived: a later one is in the stream.
        has_arrived = is_main and row.rev >= seen.rev
        return None if has_arrived else audits.ROW_BEHIND

    def _row_at(self, seen: Pending, due: Row) -> Row | None:
        page = self.context.inspection_of(seen.id).page_from(seen.type, due.position)
        is_there = page is not None and page.covers(due.position)
        return page.row(due.id, due.time_ms) if page is not None and is_there else None

    def _repair(self, drifts: Sequence[_Drift]) -> None:
        """Apply the fact; if a row has the same or a higher revision, give it a higher one first."""
        fact = drifts[0].fact
        revs = [drift.row.rev for drift in drifts if drift.row is not None]
        if any(drift.kind == audits.ROW_DIFFERS for drift in drifts):
            rev = max(fact.rev, *revs, self.context.now_us()) + 1
            stored, fact = fact, replace(fact, rev=rev, moved_rev=None)
            if not self.context.restate(stored, fact):
                return  # the stream applies the new version
        self.context.apply(fact)
