"""What the document says of Breeze's dialect."""

from __future__ import annotations

from typing import Any

from rollcall.api.guard import MAX_QUERY_BYTES
from rollcall.dialects.breeze.errors import Error, Invalid
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.dialects.breeze.request import MAX_PAGE_SIZE, MAX_RANGE_DAYS, QueryBody
from rollcall.dialects.breeze.response import Answer as Rows
from rollcall_cli.openapi.operation import Answer, Operation
from rollcall_cli.openapi.schemas import name_of, reference

TAG = "Breeze"

_ROWS_OF_TYPES = "\n".join(f"| `{each.name}` | {each.description} |" for each in QUERY_TYPES)

QUERY = Operation(
    tag=TAG,
    summary="Any question about calls or leads",
    description=f"""Types of query on calls or on leads, with ten filters in any combination; all filters must hold.

| `query_type` | rows, in order |
|---|---|
{_ROWS_OF_TYPES}

`date_from` and `date_to` are about a call's `started_at` and a lead's `created_at`. The two are at
most {MAX_RANGE_DAYS} days apart; an open range has no limit. Filters by duration and sentiment do
not apply to leads. Payload values compare exactly, and a text never equals a number. A body has at
most {MAX_QUERY_BYTES:,} bytes, a page at most {MAX_PAGE_SIZE:,} rows; a page past the end is empty.""",
    body=QueryBody,
    answers={
        200: Answer("One page of rows.", Rows),
        400: Answer(
            "No query, an unknown type of query or filter, or a filter of the wrong JSON type.",
            Error,
        ),
        422: Answer(
            "A value that cannot be, or a question about more rows than one answer may read.",
            Invalid,
        ),
        500: Answer("Something failed here; the message names the request.", Error),
    },
    is_metered=True,
)


def refine(schemas: dict[str, Any]) -> None:
    """Tie the rows of an answer to its type of query."""
    schemas[name_of(TAG, Rows)]["oneOf"] = [
        {
            "title": each.name,
            "properties": {
                "query_type": {"const": each.name},
                "data": {"items": reference(TAG, each.row)},
            },
        }
        for each in QUERY_TYPES
    ]
