"""What the document says of Breeze's dialect."""

from __future__ import annotations

from typing import Any, get_args

from rollcall.api.guard import MAX_QUERY_BYTES
from rollcall.dialects.breeze.errors import Error, Invalid
from rollcall.dialects.breeze.request import MAX_PAGE_SIZE, MAX_RANGE_DAYS, QueryBody
from rollcall.dialects.breeze.response import Answer as Rows
from rollcall.dialects.breeze.response import Row
from rollcall.query.reports.breeze import QueryType
from rollcall_cli.openapi.operation import Answer, Operation
from rollcall_cli.openapi.schemas import name_of, reference

TAG = "Breeze"

# The row of each type of query, by the name that opens its docstring.
ROWS: dict[QueryType, Any] = {
    query_type: row
    for query_type in QueryType
    for row in get_args(Row)
    if (row.__doc__ or "").startswith(f"`{query_type.value}`")
}

QUERY = Operation(
    tag=TAG,
    summary="Any question about calls or leads",
    description=f"""Twelve types of query, ten filters, any combination of them; all filters must hold.

| `query_type` | rows, in order |
|---|---|
| `call_count` | one: how many |
| `call_duration` | one: average, shortest, longest and sum, in seconds, of calls that have a duration |
| `outcome_distribution` | by outcome, `N/A` where there is none; the most frequent first |
| `sentiment_distribution` | five bands, always |
| `status_distribution` | leads by status, always four |
| `calls_over_time` | by bucket of `granularity`, the empty ones too |
| `avg_duration_over_time` | by bucket; null where no call has a duration |
| `top_outcomes` | by outcome, calls without one left out; the most frequent first |
| `retry_analysis` | by number of the attempt, 1 to 9, then `10+` |
| `provider_breakdown` | by provider, `N/A` where there is none; the most frequent first |
| `hourly_heatmap` | by hour of the day, always 24 |
| `conversion_funnel` | leads that have come as far as each of four stages |

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
            "title": query_type.value,
            "properties": {
                "query_type": {"const": query_type.value},
                "data": {"items": reference(TAG, row)},
            },
        }
        for query_type, row in ROWS.items()
    ]
