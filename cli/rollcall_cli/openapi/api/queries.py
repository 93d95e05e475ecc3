"""The operations of Rollcall's own query language: queries, searches, and the schema of both."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypeAliasType, TypedDict

from rollcall.api.guard import MAX_QUERY_BYTES
from rollcall.api.records.documents import DOCUMENTS
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, Problem, QueryProblem
from rollcall.dialects.rollcall.queries.body import QueryBody, SearchBody
from rollcall.dialects.rollcall.queries.limits import MAX_CALLS, MAX_ROWS
from rollcall.dialects.rollcall.queries.schema import Schema
from rollcall.domain.errors import MAX_GROUPS
from rollcall_cli.openapi.api import records
from rollcall_cli.openapi.operation import UNAVAILABLE, Answer, Operation
from rollcall_cli.openapi.schemas import name_of, reference

TAG = "Queries"
ABOUT = "Query any measure by any dimension, and read the calls behind a number."

# The names in a row are those of the query, so no type describes them; `refine` does.
Row = TypeAliasType("Row", dict[str, Any])
Figures = TypeAliasType("Figures", dict[str, float | None])
Call = TypeAliasType("Call", dict[str, Any])

Period = TypedDict("Period", {"from": str | None, "to": str | None, "timezone": str})
Period.__doc__ = "The first and last instants of a query, both inclusive; null where it is open."


class Rows(TypedDict):
    """One page of the rows of a query."""

    rows: list[Row]
    totals: Figures
    """Over all rows of the query, on all pages."""
    previous_totals: NotRequired[Figures]
    """Of the period to compare with."""
    total_rows: int
    """Rows on all pages."""
    next: str | None
    """The `cursor` of the next page; null on the last."""
    period: Period
    previous_period: NotRequired[Period]


class Calls(TypedDict):
    """One page of calls."""

    calls: list[Call]
    next: str | None
    """The `cursor` of the next page; null on the last."""


def _refusals(too_much: str) -> dict[int, Answer]:
    """The errors of a query and of a search."""
    return {
        400: Answer(
            "Malformed JSON, or a value of the wrong JSON type, an unknown name or a damaged cursor;"
            " `errors` has all faults.",
            QueryProblem,
            PROBLEM_TYPE,
        ),
        406: Answer(
            "`Accept` allows neither `application/json` nor `text/csv`.", Problem, PROBLEM_TYPE
        ),
        422: Answer(f"A value out of range, or {too_much}.", QueryProblem, PROBLEM_TYPE),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
        503: Answer(UNAVAILABLE, Problem, PROBLEM_TYPE),
    }


_QUERY = Operation(
    tag=TAG,
    summary="Query measures by dimensions",
    description=f"""Measures of calls, leads, tasks or contact events, by up to three dimensions, of the \
records that match. `GET /v1/schema` lists every name.

Without dimensions there is one row. With a time bucket as the only dimension, every bucket of the range
has a row. `compare` adds `previous` to each row. A body has at most {MAX_QUERY_BYTES:,} bytes, a page at \
most {MAX_ROWS:,} rows.

With `Accept: text/csv` the answer is the page's rows as CSV: dimensions, measures and
`previous.<measure>`; null is an empty cell.""",
    body=QueryBody,
    answers={
        200: Answer("One page of rows.", Rows),
        **_refusals(
            f"more than {MAX_GROUPS:,} rows on all pages, or more ledger rows than one answer may read"
        ),
    },
    is_metered=True,
    has_csv=True,
)

_SEARCH = Operation(
    tag=TAG,
    summary="Search calls",
    description=f"""The calls that a query with the same `filters` and period counts, newest or oldest \
first: at most {MAX_CALLS} on a page. Each is as `POST /v1/records` takes it, without `detail`, plus \
`updated_at`.

While calls are written, none comes twice, and none that was there throughout is left out.

With `Accept: text/csv` the answer is the page's calls as CSV, with a column `payload.<key>` for every
payload key on the page.""",
    body=SearchBody,
    answers={
        200: Answer("One page of calls.", Calls),
        **_refusals("more ledger rows than one answer may read"),
    },
    is_metered=True,
    has_csv=True,
)

_SCHEMA = Operation(
    tag=TAG,
    summary="Everything that queries may name",
    description="Datasets with their measures, dimensions, and fields with operators; named periods,"
    " comparisons and limits. The same for every organisation; `<key>` stands for any payload key.",
    answers={
        200: Answer("The names and limits.", Schema),
        400: Answer(
            "The request has a query string, and this route takes none.", Problem, PROBLEM_TYPE
        ),
        500: Answer("Internal error; `detail` has the request's id.", Problem, PROBLEM_TYPE),
    },
)

OPERATIONS = {"query_records": _QUERY, "search_calls": _SEARCH, "get_schema": _SCHEMA}


def refine(schemas: dict[str, Any]) -> None:
    """Describe a row, whose names are those of the query, and a call by its document."""
    schemas[name_of(TAG, Row)] = {
        "title": "Row",
        "description": "The dimensions in the order of the query, then its measures.",
        "type": "object",
        "properties": {
            "previous": {
                **reference(TAG, Figures),
                "description": "The measures of the period to compare with.",
            },
            "others": {
                "const": True,
                "description": "Only in the row of all that is past `limit`.",
            },
            "complete": {
                "const": False,
                "description": "Only in the row of the time bucket that is not over.",
            },
        },
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }
    schemas[name_of(TAG, Call)] = reference(records.TAG, DOCUMENTS["call"])
