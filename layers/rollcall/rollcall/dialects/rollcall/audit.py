"""`GET /v1/audit` on the wire: what the last comparison of facts, pages and rollups found."""

from __future__ import annotations

from typing_extensions import TypedDict

from rollcall.domain.time.calendar import format_instant
from rollcall.maintenance.audits import Audit, Difference


class DifferenceFound(TypedDict):
    """One thing that was not as the facts say."""

    kind: str
    epoch: int
    subject: str
    """A type of record, or the family of a rollup."""
    bucket: str
    """A UTC day, `ALL`, or empty where neither fits."""
    amount: int
    """By how much: the absolute differences of a rollup's measures added up, else rows."""
    since: str
    """The earliest moment at which it can have begun."""
    repaired: bool


class RunningAudit(TypedDict):
    """How far the run under way has come."""

    started_at: str
    checked_at: str
    """When it last stored how far it is."""
    facts: int
    rows: int
    pages: int
    rollups: int
    drift: int


class LatestAudit(TypedDict):
    """The last run that was finished; null, and never 0, while none was."""

    last_run: str | None
    """When it finished."""
    started_at: str | None
    facts: int | None
    rows: int | None
    pages: int | None
    rollups: int | None
    drift: int | None
    """How many things differed."""
    drift_by_kind: dict[str, int]
    repaired: int | None
    """How many of them were healed."""
    unsettled: int | None
    """Rollups that changed too fast to be compared; nothing is said of them."""
    exact: bool | None
    """Whether nothing is left that differs or could not be compared."""
    differences: list[DifferenceFound]
    """Some of them; all are counted in `drift`."""
    running: RunningAudit | None


def audit_body(last: Audit | None, running: Audit | None) -> LatestAudit:
    """The body of an answer."""
    if last is None or last.finished_at_ms is None:
        return {
            "last_run": None,
            "started_at": None,
            "facts": None,
            "rows": None,
            "pages": None,
            "rollups": None,
            "drift": None,
            "drift_by_kind": {},
            "repaired": None,
            "unsettled": None,
            "exact": None,
            "differences": [],
            "running": _running(running),
        }
    return {
        "last_run": format_instant(last.finished_at_ms),
        "started_at": format_instant(last.started_at_ms),
        "facts": last.facts,
        "rows": last.rows,
        "pages": last.pages,
        "rollups": last.rollups,
        "drift": last.drift_count,
        "drift_by_kind": {kind: count for kind, count in sorted(last.drift.items()) if count},
        "repaired": last.repaired,
        "unsettled": last.unsettled,
        "exact": last.is_exact,
        "differences": list(map(_difference, last.differences)),
        "running": _running(running),
    }


def _difference(difference: Difference) -> DifferenceFound:
    return {
        "kind": difference.kind,
        "epoch": difference.epoch,
        "subject": difference.subject,
        "bucket": difference.bucket,
        "amount": difference.amount,
        "since": format_instant(difference.since_ms),
        "repaired": difference.is_repaired,
    }


def _running(audit: Audit | None) -> RunningAudit | None:
    if audit is None:
        return None
    return {
        "started_at": format_instant(audit.started_at_ms),
        "checked_at": format_instant(audit.checked_at_ms),
        "facts": audit.facts,
        "rows": audit.rows,
        "pages": audit.pages,
        "rollups": audit.rollups,
        "drift": audit.drift_count,
    }
