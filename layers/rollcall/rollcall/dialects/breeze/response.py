"""The body of Breeze's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from typing_extensions import TypedDict

from rollcall.dialects.breeze.query_type import OverTimeType, TallyType
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.dialects.breeze.request import BreezeRequest
from rollcall.query.reports.breeze import OverTime
from rollcall.query.results import Tally

if TYPE_CHECKING:
    Row: TypeAlias = Mapping[str, Any]
else:  # the JSON Schema of an answer lists the row of every type
    Row = Union[tuple(each.row for each in QUERY_TYPES)]  # noqa: UP007


class Answer(TypedDict):
    """One page of rows; `total` counts the rows of all pages."""

    query_type: str
    data: Sequence[Row]
    total: int
    page: int
    page_size: int


def answer_body(request: BreezeRequest, found: Tally | OverTime) -> Answer:
    """The answer to a request, from what was measured for its query."""
    rows, total = _page(request, found)
    return {
        "query_type": request.query_type.name,
        "data": rows,
        "total": total,
        "page": request.page,
        "page_size": request.page_size,
    }


def _page(request: BreezeRequest, found: Tally | OverTime) -> tuple[list[Row], int]:
    """(the rows of the requested page, the number of all rows)."""
    first, count = request.first_row, request.page_size
    match request.query_type, found:
        case TallyType(rows=rows_of), Tally():
            rows: list[Row] = rows_of(found)
            return rows[first : first + count], len(rows)
        case OverTimeType(row_of=row_of), OverTime(series=series, timeline=timeline):
            if timeline is None:
                return [], 0
            # A range can have millions of buckets, so no rows but those of the page are made.
            buckets = timeline.slice(first, count)
            return [row_of(bucket, *series.at(bucket.key)) for bucket in buckets], len(timeline)
    raise TypeError(f"{request.query_type.name} has no rows for a {type(found).__name__}")
