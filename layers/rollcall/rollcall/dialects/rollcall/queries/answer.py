"""The answer to `POST /v1/query`, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rollcall.dialects.rollcall.queries.cursor import Cursor, encode_cursor
from rollcall.dialects.rollcall.queries.names import name_of
from rollcall.dialects.rollcall.queries.request import QueryRequest
from rollcall.dialects.rollcall.queries.tables import Cell, file_name, to_csv
from rollcall.domain.time.calendar import format_instant
from rollcall.domain.time.periods import Bounds
from rollcall.query.reports.query import Figures, QueryReport, RecordQuery, Row


def answer_body(request: QueryRequest, report: QueryReport, org_id: str) -> dict[str, Any]:
    """The body of an answer; a client passes `next` as `cursor` to get the next page."""
    query = request.query
    body: dict[str, Any] = {
        "rows": [_row(query, row) for row in report.rows],
        "totals": _measures(query, report.totals),
    }
    if report.previous_totals is not None:
        body["previous_totals"] = _measures(query, report.previous_totals)
    body |= {
        "total_rows": report.total_rows,
        "next": next_cursor(request, report, org_id),
        "period": _period(query, query.bounds),
    }
    if query.previous is not None:
        body["previous_period"] = _period(query, Bounds(*query.previous))
    return body


def answer_csv(request: QueryRequest, report: QueryReport) -> tuple[str, str]:
    """(CSV text, file name) of the rows of an answer."""
    query = request.query
    names = [measure.name for measure in query.measures]
    header = [*map(name_of, query.dimensions), *names]
    if query.previous is not None:
        header += [f"previous.{name}" for name in names]
    rows: Iterator[Sequence[Cell]] = (
        [*row.values, *row.measures, *(row.previous or ())] for row in report.rows
    )
    zone = query.selection.zone
    return to_csv(header, rows), file_name(query.dataset.name, query.bounds, zone)


def next_cursor(request: QueryRequest, report: QueryReport, org_id: str) -> str | None:
    """The cursor of the next page; None on the last page."""
    if report.next_row is None:
        return None
    return encode_cursor(Cursor(report.next_row, request.now_ms), org_id, request.body)


def _row(query: RecordQuery, row: Row) -> dict[str, Any]:
    names = map(name_of, query.dimensions)
    body: dict[str, Any] = dict(zip(names, row.values, strict=True))
    body |= _measures(query, row.measures)
    if row.is_others:
        body["others"] = True
    if row.is_complete is not None:
        body["complete"] = row.is_complete
    if row.previous is not None:
        body["previous"] = _measures(query, row.previous)
    return body


def _measures(query: RecordQuery, figures: Figures) -> dict[str, Any]:
    return {measure.name: figure for measure, figure in zip(query.measures, figures, strict=True)}


def _period(query: RecordQuery, bounds: Bounds) -> dict[str, str | None]:
    """The instants that a query covers, both inclusive; null where it is open."""
    return {
        "from": None if bounds.start_ms is None else format_instant(bounds.start_ms),
        "to": None if bounds.end_ms is None else format_instant(bounds.end_ms - 1),
        "timezone": query.selection.zone.name,
    }
