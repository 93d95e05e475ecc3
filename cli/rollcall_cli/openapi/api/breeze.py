"""The operation of Breeze's dialect."""

from __future__ import annotations

from typing import Any

from rollcall.api.guard import MAX_QUERY_BYTES
from rollcall.dialects.breeze.errors import Error, Invalid
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.dialects.breeze.request import MAX_HOURLY_DAYS, MAX_PAGE_SIZE, QueryBody
from rollcall.dialects.breeze.response import Answer as Rows
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation
from rollcall_cli.openapi.schemas import name_of, reference

TAG = "Breeze"
ABOUT = "Query in Breeze's format."

_ROWS_OF_TYPES = "\n".join(f"| `{each.name}` | {each.description} |" for each in QUERY_TYPES)

_QUERY = Operation(
    tag=TAG,
    summary="Query calls or leads",
    description=f"""One of several query types, with any combination of filters; all filters must match.

| `query_type` | rows, in order |
|---|---|
{_ROWS_OF_TYPES}

`date_from` and `date_to` filter by a call's `started_at` and a lead's `created_at`. Of an over-time
type by the hour they are at most {MAX_HOURLY_DAYS} days apart; no other range has a limit. Filters by
duration and sentiment do not apply to leads. Payload values are compared exactly, and a string never equals a number. A body has at most
{MAX_QUERY_BYTES:,} bytes, a page at most {MAX_PAGE_SIZE:,} rows; a page past the end is empty.""",
    body=QueryBody,
    answers={
        200: Answer("One page of rows.", Rows),
        400: Answer(
            "No query, an unknown query type or filter, or a filter of the wrong JSON type.",
            Error,
        ),
        422: Answer(
            "An invalid value, or a query that needs more rows than one answer may read.",
            Invalid,
        ),
        500: Answer("Internal error; `message` has the request's id.", Error),
        503: Answer(UNAVAILABLE, Error),
    },
    is_metered=True,
)

OPERATIONS = {"query_analytics": _QUERY}


def refine(schemas: dict[str, Any]) -> None:
    """Relate the rows of an answer to its query type."""
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
