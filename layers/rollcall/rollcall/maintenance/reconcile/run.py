"""Compares facts, pages and rollups of one organisation, and repairs drift.

Writes continue meanwhile, and nothing is locked. A row is compared by reading its page first and its
fact second, and a rollup only if its version stayed the same while the pages were read. Repairs
apply facts to pages as the updater does, except for rollups that are not the sum of their pages:
those are corrected on condition of the version that was compared.

Only the live epoch is compared. An epoch that a rebuild still fills, or that is no longer read,
differs by design.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from rollcall.domain.contributions import contribution_function
from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import Unavailable
from rollcall.domain.measures import ALL
from rollcall.domain.organisations import Organisation, searched_shards, tenant
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.positions import FIRST
from rollcall.ledger.writer import ApplyFacts
from rollcall.maintenance.audits import Audit, Difference
from rollcall.maintenance.ports import (
    AuditedFacts,
    Audits,
    EpochInspection,
    Organisations,
)
from rollcall.maintenance.reconcile.context import Context, EpochChanged
from rollcall.maintenance.reconcile.facts import CompareFacts, Pending
from rollcall.maintenance.reconcile.index import CompareIndex
from rollcall.maintenance.reconcile.pages import ComparePages
from rollcall.maintenance.reconcile.rollups import CompareRollups

# How often the progress of a run is saved.
_SAVE_EVERY_US: Final = 5_000_000
# An item holds at most 400 KB; an interrupted run with more days than this starts over.
_MAX_DAYS_SAVED: Final = 15_000
_EPOCH_CHANGES: Final = 3
_US: Final = 1_000_000
_TYPES: Final = tuple(RECORD_TYPES)

_PAGES, _FACTS, _DAYS, _LIFETIMES = range(4)


class _Place(NamedTuple):
    """The progress of a run: a phase, a ledger or shard of facts, and a position in it."""

    phase: int
    ledger: int
    at: str | None


class Reconcile:
    """Compares organisations, one at a time."""

    def __init__(
        self,
        directory: Organisations,
        audits: Audits,
        facts: AuditedFacts,
        inspect: Callable[[Epoch], EpochInspection],
        apply_facts: ApplyFacts,
        now_us: Callable[[], int],
        sleep: Callable[[float], None],
        grace_seconds: float,
    ) -> None:
        self._directory = directory
        self._audits = audits
        self._facts = facts
        self._inspect = inspect
        self._apply_facts = apply_facts
        self._now_us = now_us
        self._sleep = sleep
        self._grace_seconds = grace_seconds

    def __call__(
        self,
        organisation: Organisation,
        *,
        is_repairing: bool,
        show: Callable[[Audit], None] | None = None,
        report: Callable[[Difference], None] | None = None,
        restart: bool = False,
        grace_seconds: float | None = None,
        reads_details: bool = False,
    ) -> Audit:
        """Compare an organisation, store the finished audit and return it.

        Resumes an interrupted run with the same `is_repairing` and `reads_details`, unless `restart`:
        whether the details of calls are compared too, which reads all of their content. `show` is called
        with each state of the audit, and `report` with each difference when it is found; a resumed
        run first reports its stored differences, without names. `grace_seconds` is how long the
        stream may take; None means the configured time. Raises Unavailable when the store stays busy
        or the time runs out: the progress is stored, and the next call resumes the run. Raises
        Conflict when another run took this one over.
        """
        for _ in range(_EPOCH_CHANGES):
            found = self._directory.organisation(organisation.id)
            if found is None or found.is_deleting:
                break
            try:
                return self._run(
                    found, is_repairing, show, report, restart, grace_seconds, reads_details
                )
            except EpochChanged:
                restart = True
        raise Unavailable("the epochs of the organisation keep changing, or it is being deleted")

    def _run(
        self,
        organisation: Organisation,
        is_repairing: bool,
        show: Callable[[Audit], None] | None,
        report: Callable[[Difference], None] | None,
        restart: bool,
        grace_seconds: float | None,
        reads_details: bool,
    ) -> Audit:
        last, running = self._audits.both(organisation.id)
        audit, cursor = self._begun(
            organisation, last, running, is_repairing, restart, reads_details
        )
        self._audits.begin(organisation.id, audit, running)
        grace_seconds = self._grace_seconds if grace_seconds is None else grace_seconds
        inspection = self._inspect(organisation.epoch(organisation.live))
        context = Context(
            organisation=organisation,
            directory=self._directory,
            inspections=inspection.buckets,
            index=inspection.index,
            facts=self._facts,
            apply_facts=self._apply_facts,
            contribute=contribution_function(organisation.contributions.get(organisation.live, 0)),
            audit=audit,
            report=report or (lambda _difference: None),
            now_us=self._now_us,
            sleep=self._sleep,
            grace_us=int(grace_seconds * _US),
            since_ms=organisation.created_at_ms if audit.exact_at_ms is None else audit.exact_at_ms,
            is_repairing=is_repairing,
            reads_details=reads_details,
        )
        for difference in audit.differences:  # of the run that this one resumes
            context.report(difference)
        run = _Run(context, cursor, self._audits, show or (lambda _audit: None))
        with tenant(organisation.id):
            return run()

    def _begun(
        self,
        organisation: Organisation,
        last: Audit | None,
        running: Audit | None,
        is_repairing: bool,
        restart: bool,
        reads_details: bool,
    ) -> tuple[Audit, dict[str, Any]]:
        now_ms = self._now_us() // 1_000
        # Always a new id: it stops a command that still executes the old run.
        run_id = secrets.token_hex(8)
        if running is not None and running.cursor and not restart:
            cursor = json.loads(running.cursor)
            has_read = cursor.get("details", False)
            is_same = (running.is_repairing, has_read) == (is_repairing, reads_details)
            if cursor["epoch"] == organisation.live and is_same:
                return dataclasses.replace(running, run_id=run_id, checked_at_ms=now_ms), cursor
        exact_at_ms = None
        if last is not None:
            exact_at_ms = last.started_at_ms if last.is_exact else last.exact_at_ms
        fresh = Audit(run_id, now_ms, now_ms, exact_at_ms=exact_at_ms, is_repairing=is_repairing)
        place = {
            "epoch": organisation.live,
            "details": reads_details,
            "place": [_PAGES, 0, None],
            "days": [],
            "pending": [],
        }
        return dataclasses.replace(fresh, cursor=json.dumps(place)), place


class _Run:
    """One run, from its cursor to the end."""

    def __init__(
        self,
        context: Context,
        cursor: dict[str, Any],
        audits: Audits,
        show: Callable[[Audit], None],
    ) -> None:
        self._context = context
        self._audits = audits
        self._show = show
        self._place = _Place(*cursor["place"])
        self._days: set[str] = set(cursor["days"])
        buckets = range(len(context.inspections))
        self._pages = [ComparePages(context, bucket, self._days) for bucket in buckets]
        self._index = CompareIndex(context)
        self._compare_facts = CompareFacts(context, [Pending(*seen) for seen in cursor["pending"]])
        # The pending facts as of `_place`: a command that resumes there checks them again.
        self._pending = list(self._compare_facts.pending)
        self._rollups = [CompareRollups(context, each) for each in context.inspections]
        self._saved_at_us = context.now_us()

    def __call__(self) -> Audit:
        try:
            for place in self._steps(self._place):
                self._place, self._pending = place, list(self._compare_facts.pending)
                self._context.current()
                self._checkpoint()
        except Unavailable:
            # A resumed run does not find repaired drift again, only drift that was not repaired.
            if self._context.is_repairing:
                self._audits.save(self._context.organisation.id, self._audit_so_far())
            raise
        now_ms = self._context.now_us() // 1_000
        finished = dataclasses.replace(
            self._audit_so_far(), finished_at_ms=now_ms, checked_at_ms=now_ms, cursor=None
        )
        self._audits.finish(self._context.organisation.id, finished)
        self._show(finished)
        return finished

    def _steps(self, begin: _Place) -> Iterator[_Place]:
        """Make all comparisons from a place; yields each place reached."""
        if begin.phase == _PAGES:
            yield from self._page_steps(begin)
            self._index()
            begin = _Place(_FACTS, 0, None)
        if begin.phase == _FACTS:
            yield from self._fact_steps(begin)
            self._compare_facts.settle()
            begin = _Place(_DAYS, 0, None)
            yield begin
        if begin.phase == _DAYS:
            yield from self._day_steps(begin)
        for compare_rollups in self._rollups:
            compare_rollups(ALL)
        yield _Place(_LIFETIMES, 0, None)

    def _page_steps(self, begin: _Place) -> Iterator[_Place]:
        ledgers = [(pages, name) for pages in self._pages for name in _TYPES]
        for index in range(begin.ledger, len(ledgers)):
            at = begin.at if index == begin.ledger else None
            compare_pages, record_type = ledgers[index]
            for reached in compare_pages(record_type, at or FIRST):
                yield _Place(_PAGES, index, reached)

    def _day_steps(self, begin: _Place) -> Iterator[_Place]:
        for inspection in self._context.inspections:
            self._days.update(inspection.rollup_buckets())
        for day in sorted(self._days):
            if begin.at is None or day > begin.at:
                for compare_rollups in self._rollups:
                    compare_rollups(day)
                yield _Place(_DAYS, 0, day)

    def _fact_steps(self, begin: _Place) -> Iterator[_Place]:
        # More than its own: a fact in the wrong one is reported.
        buckets = len(searched_shards(self._context.organisation.buckets))
        for index in range(begin.ledger, len(_TYPES) * buckets):
            type_index, bucket = divmod(index, buckets)
            after = begin.at if index == begin.ledger else None
            for last in self._compare_facts(_TYPES[type_index], bucket, after):
                if last is not None:
                    yield _Place(_FACTS, index, last)
            yield _Place(_FACTS, index + 1, None)

    def _checkpoint(self) -> None:
        now_us = self._context.now_us()
        if now_us - self._saved_at_us >= _SAVE_EVERY_US:
            self._saved_at_us = now_us
            self._audits.save(self._context.organisation.id, self._audit_so_far())
        self._show(self._audit_so_far())

    def _audit_so_far(self) -> Audit:
        days = sorted(self._days)
        cursor = {
            "epoch": self._context.epoch,
            "details": self._context.reads_details,
            "place": self._place,
            "days": days,
            "pending": self._pending,
        }
        is_small = len(days) <= _MAX_DAYS_SAVED
        return dataclasses.replace(
            self._context.audit,
            checked_at_ms=self._context.now_us() // 1_000,
            cursor=json.dumps(cursor, ensure_ascii=False) if is_small else None,
        )
