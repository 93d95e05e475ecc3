"""The operation that lists the values of dimensions."""

from __future__ import annotations

from typing import Any

from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem, QueryProblem
from rollcall.dialects.rollcall.queries.values import (
    DEFAULT_VALUES_LISTED,
    MAX_VALUES_LISTED,
    ValuesFound,
)
from rollcall.domain.validation import MAX_TEXT_LENGTH
from rollcall.query.datasets import DATASETS
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation, Parameter

TAG = "Values"
ABOUT = "Find the values to filter by."


def _parameter(name: str, description: str, **schema: Any) -> Parameter:
    return Parameter(name, "query", description, schema={"type": "string"} | schema)


_VALUES = Operation(
    tag=TAG,
    summary="List the values of a dimension",
    description="""The values that records of a range have, the most frequent first, equally \
frequent ones in ascending order. Records without a value are not listed. Without `from` and `to`, the
range is the last 90 days.

`name` is that of the space, campaign, workspace, label, room or booking page with the value as its id.""",
    parameters=(
        Parameter(
            "dimension",
            "path",
            "A dimension of the dataset that is no time bucket, or `payload.<key>`.",
            schema={"type": "string", "examples": ["outcome", "space_token"]},
        ),
        _parameter("dataset", "The records to count.", enum=[*DATASETS], default="calls"),
        _parameter(
            "q", "A part of the value or of its name, in any case.", maxLength=MAX_TEXT_LENGTH
        ),
        _parameter(
            "from",
            "An RFC 3339 instant; a time without an offset, local to `timezone`; or a date, the"
            " whole local day. Inclusive.",
        ),
        _parameter("to", "As `from`; a bound without a fraction covers its whole second."),
        _parameter("timezone", "IANA time zone of days and hours.", default="UTC"),
        _parameter(
            "limit",
            "How many values to list.",
            type="integer",
            minimum=1,
            maximum=MAX_VALUES_LISTED,
            default=DEFAULT_VALUES_LISTED,
        ),
    ),
    answers={
        200: Answer("The values.", ValuesFound),
        400: Answer(
            "An unknown dimension, dataset, parameter or time zone; `errors` has all faults.",
            QueryProblem,
            PROBLEM_TYPE,
        ),
        422: Answer(
            "A value out of range, or more values, names or ledger rows than one answer may read.",
            QueryProblem,
            PROBLEM_TYPE,
        ),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
        503: Answer(UNAVAILABLE, Problem, PROBLEM_TYPE),
    },
    is_metered=True,
)

OPERATIONS = {"list_values": _VALUES}
