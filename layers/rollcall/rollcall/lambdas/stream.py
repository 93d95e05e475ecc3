"""The stream function's partial batch response, and the log of failures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rollcall.ingest.update import Result, StreamRecord
from rollcall.invocation import Metric, count
from rollcall.telemetry import logger


def partial_batch_response(records: Sequence[StreamRecord], result: Result) -> dict[str, Any]:
    """The partial batch response: at most one item identifier, that of the earliest failed record.

    Lambda delivers that record and all later ones again. Applying a record twice is harmless;
    naming a later record would lose the earlier ones.
    """
    for group in result.quarantined:
        logger.error(
            "quarantined",
            extra={
                "cause": group.cause.value,
                "org_id": group.org_id,
                "reason": group.reason,
                "records": len(group.indices),
                "earliest": _name(records[group.indices[0]]),
                "object": group.name,
            },
        )
    for failure in result.failures:
        logger.error(
            "not applied",
            extra={
                "org_id": failure.org_id,
                "error": repr(failure.error),
                "earliest": _name(records[failure.earliest_index]),
            },
        )
    earliest = result.earliest_unapplied
    _count(records[:earliest], result)
    failures = [] if earliest is None else [{"itemIdentifier": _name(records[earliest])}]
    return {"batchItemFailures": failures}


def _count(done: Sequence[StreamRecord], result: Result) -> None:
    """Count what became of a batch, of which the records of `done` need not come back."""
    quarantined = sum(len(group.indices) for group in result.quarantined)
    count(Metric.RECORDS_QUARANTINED, quarantined)
    count(Metric.APPLY_FAILURES, len(result.failures))
    written_at = [record.get("dynamodb", {}).get("ApproximateCreationDateTime") for record in done]
    known = [seconds for seconds in written_at if isinstance(seconds, int | float)]
    if known:
        count(Metric.FRESHNESS, max(0.0, time.time() - min(known)))


def _name(record: StreamRecord) -> str:
    return str(record.get("dynamodb", {}).get("SequenceNumber", ""))
