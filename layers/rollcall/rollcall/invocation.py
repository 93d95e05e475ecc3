"""One invocation of a function: the id in its log lines, and the metrics that it counts.

Outside of an invocation, as in a command, counting has no effect. `rollcall.telemetry` logs and emits.
This module imports only the standard library, so that the authorizer starts without Powertools.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock


class Metric(StrEnum):
    """Every metric, by its name in CloudWatch. All are counts, except `FRESHNESS`."""

    RECORDS_ACCEPTED = "RecordsAccepted"  # stored: new, or newer than what was stored
    RECORDS_REJECTED = "RecordsRejected"  # refused in an answer, each with its reason
    RECORDS_QUARANTINED = "RecordsQuarantined"
    APPLY_FAILURES = "ApplyFailures"  # organisations of a batch that a retry may apply
    FRESHNESS = "Freshness"  # seconds from the write of a batch's oldest record until it is applied
    BREAKDOWNS_SPILLED = "BreakdownsSpilled"
    DRIFT = "Drift"  # found by audits and not repaired
    DRIFT_REPAIRED = "DriftRepaired"
    ROLLUPS_UNVERIFIED = "RollupsUnverified"
    PAGES_MERGED = "PagesMerged"  # into segments
    SEGMENTS_SPLIT = "SegmentsSplit"  # into pages again, because a row changed late
    DELIVERIES_RECORDED = "DeliveriesRecorded"  # to hooks, when they are received or replayed
    DELIVERIES_IGNORED = "DeliveriesIgnored"
    DELIVERIES_REFUSED = "DeliveriesRefused"  # not signed with a secret of the hook
    DELIVERIES_WAITING = "DeliveriesWaiting"  # kept for a passing cause, to be replayed
    DELIVERIES_FAILED = "DeliveriesFailed"  # kept until a person replays them
    CALLS_SWEPT = "CallsSwept"  # of hooks, whose end never came and is presumed
    ROWS_SCANNED = "RowsScanned"  # of ledger pages, matching or not, for one request

    @property
    def unit(self) -> str:
        """The unit, as CloudWatch names it."""
        return "Seconds" if self is Metric.FRESHNESS else "Count"


@dataclass(frozen=True, slots=True)
class _Invocation:
    correlation_id: str
    metrics: dict[Metric, float] = field(default_factory=dict)


_counting = Lock()
_current: ContextVar[_Invocation | None] = ContextVar("invocation", default=None)


@contextmanager
def invocation(correlation_id: str) -> Iterator[Mapping[Metric, float]]:
    """A context whose log lines carry `correlation_id`; yields the metrics that it counts."""
    this = _Invocation(correlation_id)
    token = _current.set(this)
    try:
        yield this.metrics
    finally:
        _current.reset(token)


def count(metric: Metric, amount: float) -> None:
    """Add to a metric of the current invocation; an amount of 0 is reported as 0."""
    this = _current.get()
    if this is not None:
        with _counting:  # several threads count for one invocation
            this.metrics[metric] = this.metrics.get(metric, 0) + amount


def correlation_id() -> str | None:
    """The id of the current invocation; None outside of one."""
    this = _current.get()
    return None if this is None else this.correlation_id
