"""The stream function's partial batch response, and the log of failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollcall.ingest.update import Result, StreamRecord
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
    failures = [] if earliest is None else [{"itemIdentifier": _name(records[earliest])}]
    return {"batchItemFailures": failures}


def _name(record: StreamRecord) -> str:
    return str(record.get("dynamodb", {}).get("SequenceNumber", ""))
