"""Compares every fact with its row.

A row that is behind its fact may still be in the stream. It counts as drift only when the missing
version is older than the grace period; a younger version stays pending and is checked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from rollcall.domain.errors import Unavailable
from rollcall.domain.facts import Fact, content_hash
from rollcall.ledger.page import Row
from rollcall.ledger.writer import row_of
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile.context import Context
from rollcall.maintenance.reconcile.inspection import SurveyedPage
from rollcall.retry import seconds_left

# Facts are listed by id, and pages are in order of time: this many facts are sorted before their
# pages are read. About 300 bytes of each are in memory.
CHUNK_FACTS: Final = 50_000
# Pending facts are saved with a run: ids have up to 512 bytes, and an item holds at most 400 KB.
_MAX_PENDING: Final = 200
_US: Final = 1_000_000


class Pending(NamedTuple):
    """A version of a fact that its page did not have when it was read."""

    type: str
    id: str
    rev: int
    since_us: int


class _Listed(NamedTuple):
    position: str
    id: str
    rev: int
    content: bytes


def _position_of(fact: Fact | None) -> str | None:
    return row_of(fact).position if fact is not None and fact.has_position else None


def _rows_by_id(page: SurveyedPage | None, position: str) -> dict[str, Row]:
    """The rows of a page if it covers a position."""
    if page is None or not page.covers(position):
        return {}
    return {row.id: row for row in page.rows or ()}


def _is_current(row: Row | None, listed: _Listed) -> bool:
    """Whether a row is the version of the fact that was listed."""
    return row is not None and row.rev == listed.rev and content_hash(row.record) == listed.content


def _is_same(row: Row, fact: Fact) -> bool:
    return row.rev == fact.rev and content_hash(row.record) == content_hash(fact.record)


class _Verdict(NamedTuple):
    """Drift of a fact's row. `row` is the stored row, `since_ms` when the drift began, if known."""

    kind: str
    fact: Fact
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
            for fact in listed.facts:
                if self.context.facts.bucket_of(fact.id, org.buckets) != bucket:
                    name = f"{record_type} {fact.id!r} is in the wrong bucket, {bucket}"
                    self.context.found(audits.FACT_DAMAGED, record_type, name)
                elif fact.has_position:
                    at, content = row_of(fact).position, content_hash(fact.record)
                    chunk.append(_Listed(at, fact.id, fact.rev, content))
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
        rows: dict[str, Row] = {}
        for listed in chunk:
            if page is None or not page.covers(listed.position):
                page = self.context.inspection.page_from(record_type, listed.position)
                rows = _rows_by_id(page, listed.position)
            if not _is_current(rows.get(listed.id), listed):
                since_us = min(listed.rev, self.context.now_us())
                self._check(Pending(record_type, listed.id, listed.rev, since_us))
        if len(self.pending) > _MAX_PENDING:
            self.settle()

    def _check(self, seen: Pending) -> None:
        verdict = self._verdict(seen)
        if verdict is None:
            return
        is_repaired = False
        if self.context.is_repairing:
            self._repair(verdict)
            is_repaired = self._verdict(seen) is None
        fact, row = verdict.fact, verdict.row
        has = "no row" if row is None else f"a row of revision {row.rev}"
        name = f"{fact.type} {fact.id!r} of revision {fact.rev}: {has}"
        self.context.found(
            verdict.kind, fact.type, name, since_ms=verdict.since_ms, is_repaired=is_repaired
        )

    def _verdict(self, seen: Pending) -> _Verdict | None:
        """The drift of a fact's row; None if there is none, or the fact is still pending.

        The page is read before the fact, because a row is never written before its fact.
        """
        at = _position_of(self.context.read_fact(seen.type, seen.id))
        if at is None:
            return None
        row = self._row_at(seen, at)
        fact = self.context.read_fact(seen.type, seen.id)
        if fact is None or _position_of(fact) != at:
            return None  # the comparison of pages reports a row without its fact
        if row is not None and row.rev >= fact.rev:
            return None if _is_same(row, fact) else _Verdict(audits.ROW_DIFFERS, fact, row, None)
        if row is not None and row.rev >= seen.rev:
            return None  # the missing version arrived; a later one is in the stream
        if self.context.now_us() - seen.since_us < self.context.grace_us:
            self.pending.append(seen)
            return None
        kind = audits.ROW_MISSING if row is None else audits.ROW_BEHIND
        return _Verdict(kind, fact, row, seen.since_us // 1_000)

    def _row_at(self, seen: Pending, position: str) -> Row | None:
        page = self.context.inspection.page_from(seen.type, position)
        return page.row(seen.id) if page is not None and page.covers(position) else None

    def _repair(self, verdict: _Verdict) -> None:
        """Apply the fact; if its row has the same or a higher revision, give it a higher one first."""
        fact = verdict.fact
        if verdict.kind == audits.ROW_DIFFERS and verdict.row is not None:
            stored, fact = fact, replace(fact, rev=max(verdict.row.rev, self.context.now_us()) + 1)
            if not self.context.restate(stored, fact):
                return  # the stream applies the new version
        self.context.apply(fact)
