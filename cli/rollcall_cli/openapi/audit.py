"""What the document says of the audit."""

from __future__ import annotations

from typing import Any

from rollcall.dialects.rollcall.audit import DifferenceFound, LatestAudit
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem
from rollcall.maintenance.audits import KINDS
from rollcall_cli.openapi.operation import Answer, Operation
from rollcall_cli.openapi.schemas import name_of

TAG = "Audit"

AUDIT = Operation(
    tag=TAG,
    summary="What the last audit compared, and what differed",
    description="""Audits compare every fact with its row, and every rollup with its rows, while \
writes go on; on a schedule, and by `rollcall reconcile`.

`exact` is true when nothing was left that differs or could not be compared. Every figure is null,
and never 0, until an audit has finished. Differences are counted and shown without any value of a
record.""",
    answers={
        200: Answer("The last audit that finished, and how far the one under way is.", LatestAudit),
        400: Answer("There is a query, and this route takes none.", Problem, PROBLEM_TYPE),
        500: Answer("Something failed here; the detail names the request.", Problem, PROBLEM_TYPE),
    },
)


def refine(schemas: dict[str, Any]) -> None:
    """Say which kinds of difference there are."""
    kinds = {"type": "string", "enum": list(KINDS)}
    schemas[name_of(TAG, DifferenceFound)]["properties"]["kind"] = kinds
    schemas[name_of(TAG, LatestAudit)]["properties"]["drift_by_kind"]["propertyNames"] = kinds
