"""The operation of the health check."""

from __future__ import annotations

from rollcall.dialects.rollcall.health import Health
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem
from rollcall_cli.openapi.operation import Answer, Operation

TAG = "Health"
ABOUT = "Check that the API answers."

_HEALTH = Operation(
    tag=TAG,
    summary="Whether the API can read its table",
    description="For monitors and load balancers. It reads one key, under which nothing is stored,"
    " and reports nothing of any organisation.",
    answers={
        200: Answer("The records table answers.", Health),
        400: Answer(
            "The request has a query string, and this route takes none.", Problem, PROBLEM_TYPE
        ),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
        503: Answer(
            "The records table does not answer; `Retry-After` has the seconds to wait.",
            Problem,
            PROBLEM_TYPE,
        ),
    },
)

OPERATIONS = {"get_health": _HEALTH}
