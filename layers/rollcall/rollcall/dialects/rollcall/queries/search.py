"""`POST /v1/calls/search`: its body, and its answer as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rollcall.dialects.rollcall.documents import document_of
from rollcall.dialects.rollcall.queries.body import SearchBody, check_shape
from rollcall.dialects.rollcall.queries.cursor import Cursor, encode_cursor
from rollcall.dialects.rollcall.queries.faults import Faults
from rollcall.dialects.rollcall.queries.filters import parse_filters
from rollcall.dialects.rollcall.queries.limits import DEFAULT_CALLS
from rollcall.dialects.rollcall.queries.ranges import parse_bounds, parse_zone
from rollcall.dialects.rollcall.queries.request import parse_cursor
from rollcall.dialects.rollcall.queries.tables import Cell, file_name, to_csv
from rollcall.domain.errors import Fault, RefusedQuery
from rollcall.domain.facts import Fact
from rollcall.domain.time.calendar import format_instant
from rollcall.domain.time.periods import Bounds
from rollcall.ledger.positions import FIRST
from rollcall.query.datasets import DATASETS
from rollcall.query.fields import PAYLOAD_PREFIX
from rollcall.query.model import Selection
from rollcall.query.search import CallSearch, FoundCalls, Place

COLUMNS: Final = (
    "id",
    "started_at",
    "status",
    "disposition",
    "direction",
    "campaign_id",
    "space_token",
    "template_id",
    "merchant_id",
    "reseller_id",
    "lead_id",
    "provider",
    "outcome",
    "ended_reason",
    "language",
    "duration_seconds",
    "latency_ms",
    "sentiment",
    "cost",
    "attempt",
    "answered",
    "labels",
    "updated_at",
)
LABEL_SEPARATOR: Final = ";"

_CALLS: Final = DATASETS["calls"]


class SearchRequest(NamedTuple):
    """A valid search, its bounds, its body, and when its first page was read."""

    search: CallSearch
    bounds: Bounds
    body: Mapping[str, Any]
    now_ms: int


def parse_search(body: Any, org_id: str, now_ms: int) -> SearchRequest:
    """The search in a JSON body. Raises RefusedQuery with all faults."""
    if not isinstance(body, Mapping):
        raise RefusedQuery([Fault("", "must be an object", is_malformed=True)])
    faults = Faults()
    check_shape(SearchBody, body, faults)
    cursor = parse_cursor(body, org_id, now_ms, faults)
    zone = parse_zone(body, faults)
    bounds = parse_bounds(body, zone, cursor.now_ms, faults)
    filters = body.get("filters", [])
    conditions = parse_filters(filters if isinstance(filters, list) else [], _CALLS, faults)
    faults.refuse()
    if zone is None or bounds is None:
        raise TypeError("a range without faults has bounds")
    search = CallSearch(
        Selection(_CALLS.record_type, conditions, zone),
        bounds.period,
        is_newest_first=body.get("order", "newest") == "newest",
        after=_place(cursor),
        limit=body.get("limit", DEFAULT_CALLS),
        began_ms=cursor.now_ms,
    )
    return SearchRequest(search, bounds, body, cursor.now_ms)


def calls_body(request: SearchRequest, found: FoundCalls, org_id: str) -> dict[str, Any]:
    """The body of an answer; a client passes `next` as `cursor` to get the next page."""
    return {
        "calls": [_document(call) for call in found.calls],
        "next": next_page(request, found, org_id),
    }


def calls_csv(request: SearchRequest, found: FoundCalls) -> tuple[str, str]:
    """(CSV text, file name): a row per call, with a column per payload key of any of them."""
    documents = [_document(call) for call in found.calls]
    keys = sorted({key for document in documents for key in document.get("payload", {})})
    rows = [csv_row(document, keys) for document in documents]
    zone = request.search.selection.zone
    return to_csv(csv_header(keys), rows), file_name(_CALLS.name, request.bounds, zone)


def csv_header(keys: Sequence[str]) -> list[str]:
    """The columns of calls whose payloads have some keys."""
    return [*COLUMNS, *(f"{PAYLOAD_PREFIX}{key}" for key in keys)]


def csv_row(document: Mapping[str, Any], keys: Sequence[str]) -> list[Cell]:
    """The cells of a call, as `csv_header` names them."""
    cells: list[Cell] = []
    for name in COLUMNS:
        value = document.get(name)
        cells.append(LABEL_SEPARATOR.join(map(str, value)) if isinstance(value, list) else value)
    payload = document.get("payload", {})
    return [*cells, *(payload.get(key) for key in keys)]


def next_page(request: SearchRequest, found: FoundCalls, org_id: str) -> str | None:
    """The cursor of the next page; None on the last page."""
    if found.last is None:
        return None
    place = found.last.position + found.last.id
    return encode_cursor(Cursor(place, request.now_ms), org_id, request.body)


def _place(cursor: Cursor) -> Place | None:
    if not isinstance(cursor.place, str):
        return None
    return Place(cursor.place[: len(FIRST)], cursor.place[len(FIRST) :])


def _document(call: Fact) -> dict[str, Any]:
    return {**document_of(call), "updated_at": format_instant(call.updated_at_ms)}
