"""The body of Breeze's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from typing_extensions import TypedDict

from rollcall.dialects.breeze.query_type import CountsType, OverTimeType, TotalsType
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.dialects.breeze.request import BreezeRequest
from rollcall.query.reports.breeze import BreezeReport

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


def answer_body(request: BreezeRequest, report: BreezeReport) -> Answer:
    """The answer to a request, from the report on its query."""
    rows, total = _page(request, report)
    return {
        "query_type": request.query_type.name,
        "data": rows,
        "total": total,
        "page": request.page,
        "page_size": request.page_size,
    }


def _page(request: BreezeRequest, report: BreezeReport) -> tuple[list[Row], int]:
    """(the rows of the requested page, the number of all rows)."""
    first, count = request.first_row, request.page_size
    rows: list[Row]
    match request.query_type:
        case TotalsType(rows=rows_of):
            rows = rows_of(report.groups.whole())
        case CountsType(rows=rows_of):
            rows = rows_of(report.groups.by_value())
        case OverTimeType(components=components, row_of=row_of):
            if report.timeline is None:
                return [], 0
            # A range can have millions of buckets, so no rows but those of the page are made.
            buckets = list(report.timeline.slice(first, count))
            amounts = [report.groups.by_value(component) for component in components]
            rows = [row_of(each, *(a.get(each.key, 0) for a in amounts)) for each in buckets]
            return rows, len(report.timeline)
    return rows[first : first + count], len(rows)
