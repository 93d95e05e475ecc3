"""The body of `GET /v1/audit`: the latest finished audit, and the progress of a running one."""

from __future__ import annotations

from typing import Any, cast

from typing_extensions import TypedDict

from rollcall.domain.time.calendar import format_instant
from rollcall.maintenance.audits import Audit, Difference


class DifferenceFound(TypedDict):
    """One case of drift: pages or rollups that do not match the facts."""

    kind: str
    epoch: int
    subject: str
    """A record type, or a rollup family."""
    bucket: str
    """A UTC day, `ALL`, or empty if neither applies."""
    amount: int
    """The sum of the absolute differences of a rollup's measures, else a number of rows."""
    since: str
    """The earliest time at which the drift can have begun."""
    repaired: bool


class RunningAudit(TypedDict):
    """The progress of the running audit."""

    started_at: str
    checked_at: str
    """When its progress was last stored."""
    facts: int
    rows: int
    pages: int
    rollups: int
    drift: int


class LatestAudit(TypedDict):
    """The latest finished audit; its figures are null, never 0, until one has finished."""

    last_run: str | None
    """When it finished."""
    started_at: str | None
    facts: int | None
    rows: int | None
    pages: int | None
    rollups: int | None
    drift: int | None
    """The number of cases of drift that were found."""
    drift_by_kind: dict[str, int]
    repaired: int | None
    """How many of them were repaired."""
    unsettled: int | None
    """Unverified rollups: they changed too often to be compared."""
    exact: bool | None
    """Whether no drift is left, and nothing is unverified."""
    differences: list[DifferenceFound]
    """Some of the cases of drift; `drift` counts all of them."""
    running: RunningAudit | None


def audit_body(last: Audit | None, running: Audit | None) -> LatestAudit:
    """The body of the answer; either audit may be None."""
    # Every figure is null until an audit has finished.
    body: dict[str, Any] = dict.fromkeys(LatestAudit.__annotations__)
    body |= {"drift_by_kind": {}, "differences": [], "running": _running(running)}
    if last is not None and last.finished_at_ms is not None:
        body |= {
            "last_run": format_instant(last.finished_at_ms),
            "started_at": format_instant(last.started_at_ms),
            **last.counts,
            "exact": last.is_exact,
            "differences": list(map(_difference, last.differences)),
        }
    return cast("LatestAudit", body)


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
    body = {
        "started_at": format_instant(audit.started_at_ms),
        "checked_at": format_instant(audit.checked_at_ms),
        **audit.counts,
    }
    return cast("RunningAudit", {name: body[name] for name in RunningAudit.__annotations__})
