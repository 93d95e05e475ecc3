"""Audits, in limited time, every organisation whose last audit is too old.

Unfinished runs are resumed first, the one that has waited longest before the others; then follow the
organisations that are due, the oldest audit first. While others wait, an organisation gets at most
half of the remaining time, so that a long audit does not block the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.ports import Audits, Organisations, Reconciles
from rollcall.retry import MAX_REQUEST_SECONDS, seconds_left, time_limit

_MS_PER_HOUR: Final = 3_600_000

# With less time than this, no visit begins, and Unavailable means that the time ran out: the longest
# pause before a retry takes 2 s.
_MIN_SECONDS: Final = 5.0


class Outcome(StrEnum):
    """The outcome of a visit to an organisation."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"
    TAKEN_OVER = "taken over"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit to an organisation. `audit` is the last known state of its run, or None."""

    org_id: str
    outcome: Outcome
    audit: Audit | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _Due:
    is_unfinished: bool
    waiting_since_ms: int
    organisation: Organisation

    @property
    def turn(self) -> tuple[bool, int, str]:
        return (not self.is_unfinished, self.waiting_since_ms, self.organisation.id)


class ReconcileDue:
    """Audits the organisations that are due, until the time is up."""

    def __init__(
        self,
        directory: Organisations,
        audits: Audits,
        reconcile: Reconciles,
        now_ms: Callable[[], int],
        *,
        every_hours: int,
        is_repairing: bool,
    ) -> None:
        self._directory = directory
        self._audits = audits
        self._reconcile = reconcile
        self._now_ms = now_ms
        self._every_ms = every_hours * _MS_PER_HOUR
        self._is_repairing = is_repairing

    def __call__(self) -> Iterator[Visit]:
        """Visit organisations one after another, and yield each visit when it ends.

        A failure of one does not prevent the visits of the others. Organisations for which no time
        is left are yielded as waiting, untouched.
        """
        waiting: list[_Due] = []
        for organisation in self._directory.organisations():
            if organisation.is_deleting:
                continue
            try:
                due = self._due(organisation)
            except Exception as error:  # noqa: BLE001 - reported, and the caller raises at the end
                yield Visit(organisation.id, Outcome.FAILED, error=error)
                continue
            if due is not None:
                waiting.append(due)
        waiting.sort(key=lambda due: due.turn)
        for index, due in enumerate(waiting):
            seconds = seconds_left()
            if seconds < _MIN_SECONDS:
                yield Visit(due.organisation.id, Outcome.WAITING)
                continue
            is_last = index + 1 == len(waiting)
            share = seconds if is_last else max(seconds / 2, _MIN_SECONDS)
            yield self._visit(due.organisation, share)

    def _due(self, organisation: Organisation) -> _Due | None:
        last, running = self._audits.both(organisation.id)
        if running is not None:
            return _Due(True, running.checked_at_ms, organisation)
        if last is None or last.finished_at_ms is None:
            return _Due(False, 0, organisation)
        if last.finished_at_ms + self._every_ms > self._now_ms():
            return None
        return _Due(False, last.finished_at_ms, organisation)

    def _visit(self, organisation: Organisation, seconds: float) -> Visit:
        shown: list[Audit] = []

        def show(audit: Audit) -> None:
            shown[:] = [audit]

        def visit(outcome: Outcome, error: Exception | None = None) -> Visit:
            return Visit(organisation.id, outcome, shown[0] if shown else None, error)

        # A time limit reserves the longest request; the time left here already excludes it.
        with time_limit(seconds + MAX_REQUEST_SECONDS):
            try:
                show(self._reconcile(organisation, is_repairing=self._is_repairing, show=show))
            except Conflict as error:
                return visit(Outcome.TAKEN_OVER, error)
            except Unavailable as error:
                if seconds_left() < _MIN_SECONDS:
                    return visit(Outcome.UNFINISHED)
                return visit(Outcome.FAILED, error)
            except Exception as error:  # noqa: BLE001 - reported, and the caller raises at the end
                return visit(Outcome.FAILED, error)
        return visit(Outcome.FINISHED)
