"""Logs the scheduled audits, one line per organisation, and builds the function's result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from rollcall.domain.errors import RollcallError
from rollcall.invocation import Metric, count
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.reconcile.schedule import Outcome, Visit
from rollcall.telemetry import error_fields, logger

# One message per outcome, so that a metric filter can distinguish them.
_MESSAGES: Final = {
    Outcome.FINISHED: "audited",
    Outcome.UNFINISHED: "audit unfinished",
    Outcome.TAKEN_OVER: "audit taken over",
    Outcome.FAILED: "audit failed",
}


class AuditsFailed(RollcallError):
    """Some organisations could not be audited; the log has the errors. All others were visited."""


def log_visits(visits: Iterable[Visit]) -> dict[str, int]:
    """Log each visit when it ends, and return the number of visits per outcome.

    Drift that remains is logged at ERROR. Repaired drift and unverified rollups are logged at WARN.
    Organisations that wait for the next run are counted but not logged. Raises AuditsFailed after
    the last visit if any visit failed.
    """
    outcomes: Counter[Outcome] = Counter()
    for visit in visits:
        outcomes[visit.outcome] += 1
        if visit.outcome is not Outcome.WAITING:
            _log(visit)
            if visit.audit is not None:
                _count(visit.audit)
    counts = {outcome.value.replace(" ", "_"): outcomes[outcome] for outcome in Outcome}
    logger.info("audits", extra=counts)
    if outcomes[Outcome.FAILED]:
        raise AuditsFailed(f"{outcomes[Outcome.FAILED]} of {outcomes.total()} audits failed")
    return counts


def _log(visit: Visit) -> None:
    message, extra = _MESSAGES[visit.outcome], {"org_id": visit.org_id, **_counts(visit.audit)}
    if visit.outcome is Outcome.FAILED:
        logger.error(message, extra=extra | error_fields(visit.error))
        return
    if visit.outcome is Outcome.TAKEN_OVER:
        logger.warning(message, extra=extra)
        return
    audit = visit.audit
    if audit is not None and audit.drift_count > audit.repaired:
        logger.error(message, extra=extra)
    elif audit is not None and (audit.drift_count or audit.unsettled):
        logger.warning(message, extra=extra)
    else:
        logger.info(message, extra=extra)


def _count(audit: Audit) -> None:
    count(Metric.DRIFT, audit.drift_count - audit.repaired)
    count(Metric.DRIFT_REPAIRED, audit.repaired)
    count(Metric.ROLLUPS_UNVERIFIED, audit.unsettled)


def _counts(audit: Audit | None) -> dict[str, Any]:
    if audit is None:
        return {}
    return {"run_id": audit.run_id, **audit.counts}
