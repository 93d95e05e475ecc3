"""The operation of the audit."""

from __future__ import annotations

from typing import Any

from rollcall.dialects.rollcall.audit import DifferenceFound, LatestAudit
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem
from rollcall.maintenance.audits import KINDS
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation
from rollcall_cli.openapi.schemas import name_of

TAG = "Audit"
ABOUT = "Check that the figures are exact."

_AUDIT = Operation(
    tag=TAG,
    summary="The result of the last audit",
    description="""Audits compare every fact with its row, and every rollup with its rows, while \
records are written. They run on a schedule, and by `rollcall reconcile`.

`exact` is true if no drift is left and everything could be compared. Until an audit has finished,
every figure is null, not 0. Differences are reported without any value of a record.""",
    answers={
        200: Answer("The last finished audit, and the progress of the current one.", LatestAudit),
        400: Answer(
            "The request has a query string, and this route takes none.", Problem, PROBLEM_TYPE
        ),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
        503: Answer(UNAVAILABLE, Problem, PROBLEM_TYPE),
    },
)

OPERATIONS = {"get_audit": _AUDIT}


def refine(schemas: dict[str, Any]) -> None:
    """List the kinds of difference."""
    kinds = {"type": "string", "enum": list(KINDS)}
    schemas[name_of(TAG, DifferenceFound)]["properties"]["kind"] = kinds
    schemas[name_of(TAG, LatestAudit)]["properties"]["drift_by_kind"]["propertyNames"] = kinds
