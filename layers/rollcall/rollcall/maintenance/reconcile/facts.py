"""Whether every fact is in its page, in its latest version and as it is.

A row that is behind its fact may be on its way through the stream. It counts as drift only once the
version that is missing is older than the grace: younger ones are looked at again when they are.
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

# Facts are listed by id and pages by time: this many are sorted before their pages are read, and
# some 300 bytes of each are kept.
CHUNK_FACTS: Final = 50_000
# They are saved with a run: ids have up to 512 bytes, and an item holds 400 KB.
_MAX_PENDING: Final = 200
_US: Final = 1_000_000


class Pending(NamedTuple):
    """A version of a fact that its page did not have when it was seen."""

    type: str
    id: str
    rev: int
    since_us: int


class _Listed(NamedTuple):
    position: str
    id: str
    rev: int
    content: bytes


class _Verdict(NamedTuple):
    """What is wrong with the row of a fact: its kind, since when; `row` is what the page has."""

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
        """Compare the facts of one bucket; yields the sort key up to which, chunk by chunk."""
        chunk: list[_Listed] = []
        org = self.context.organisation
        for listed in self.context.facts.listed(org.id, bucket, record_type, after):
            self.context.findings.facts += len(listed.facts) + len(listed.damaged)
            for name in listed.damaged:
                self.context.found(audits.FACT_DAMAGED, record_type, f"{record_type} {name}")
            for fact in listed.facts:
                if self.context.facts.bucket_of(fact.id, org.buckets) != bucket:
                    name = f"{record_type} {fact.id!r} in bucket {bucket}, where no key leads"
                    self.context.found(audits.FACT_DAMAGED, record_type, name)
                elif fact.has_position:
                    at, content = row_of(fact).position, content_hash(fact.record)
                    chunk.append(_Listed(at, fact.id, fact.rev, content))
            if len(chunk) >= CHUNK_FACTS or listed.last is None:
                self._compare(record_type, chunk)
                chunk = []
                yield listed.last

    def settle(self) -> None:
        """Wait until the grace of what is pending is over, and look again.

        Raises Unavailable when no time is left for the wait; the next run has no need of it.
        """
        while self.pending:
            self._settle()

    def _settle(self) -> None:
        youngest = max(pending.since_us for pending in self.pending)
        wait_us = youngest + self.context.grace_us - self.context.now_us()
        if wait_us > 0:
            if wait_us / _US >= seconds_left():
                raise Unavailable("out of time before the grace is over")
            self.context.sleep(wait_us / _US)
        pending, self.pending = self.pending, []
        for seen in pending:
            self._judge(seen)

    def _compare(self, record_type: str, chunk: list[_Listed]) -> None:
        chunk.sort()
        page: SurveyedPage | None = None
        rows: dict[str, Row] = {}
        for listed in chunk:
            if page is None or not page.covers(listed.position):
                page = self.context.inspection.page_from(record_type, listed.position)
                is_covering = page is not None and page.covers(listed.position)
                rows = {row.id: row for row in page.rows or ()} if page and is_covering else {}
            row = rows.get(listed.id)
            if row is None or row.rev != listed.rev or content_hash(row.record) != listed.content:
                since_us = min(listed.rev, self.context.now_us())
                self._judge(Pending(record_type, listed.id, listed.rev, since_us))
        if len(self.pending) > _MAX_PENDING:
            self.settle()

    def _judge(self, seen: Pending) -> None:
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
        """What is wrong; None: nothing, or nothing yet (then it is pending).

        The page is read first and then the fact: a row never comes before its fact.
        """
        at = self._position(seen)
        if at is None:
            return None
        page = self.context.inspection.page_from(seen.type, at)
        row = page.row(seen.id) if page is not None and page.covers(at) else None
        fact = self.context.read_fact(seen.type, seen.id)
        if fact is None or not fact.has_position or row_of(fact).position != at:
            return None  # the comparison of pages tells of a row without its fact
        if row is not None and row.rev >= fact.rev:
            is_same = row.rev == fact.rev and content_hash(row.record) == content_hash(fact.record)
            return None if is_same else _Verdict(audits.ROW_DIFFERS, fact, row, None)
        if row is not None and row.rev >= seen.rev:
            return None  # what was missing has come; a later version is on its way
        if self.context.now_us() - seen.since_us < self.context.grace_us:
            self.pending.append(seen)
            return None
        kind = audits.ROW_MISSING if row is None else audits.ROW_BEHIND
        return _Verdict(kind, fact, row, seen.since_us // 1_000)

    def _position(self, seen: Pending) -> str | None:
        fact = self.context.read_fact(seen.type, seen.id)
        return row_of(fact).position if fact is not None and fact.has_position else None

    def _repair(self, verdict: _Verdict) -> None:
        """Replay the fact; one that its page would not take gets a revision that it takes."""
        fact = verdict.fact
        if verdict.kind == audits.ROW_DIFFERS and verdict.row is not None:
            stored, fact = fact, replace(fact, rev=max(verdict.row.rev, self.context.now_us()) + 1)
            if not self.context.restate(stored, fact):
                return  # the stream brings the new version
        self.context.apply(fact)
