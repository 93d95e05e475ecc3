"""The body of `POST /v1/records`, parsed into changes and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rollcall.api.errors import BadRequest
from rollcall.api.guard import limit_body
from rollcall.api.http import Request
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.api.records.listing import Listing
from rollcall.domain.facts import Change
from rollcall.ingest.ingest import Refusal

MAX_BODY_BYTES: Final = 2_097_152
MAX_RECORDS: Final = 500


def parse_body(request: Request) -> list[Any]:
    """The documents of a request.

    Raises ContentTooLarge, MalformedJson, or BadRequest when the body as a whole is malformed.
    """
    limit_body(request, MAX_BODY_BYTES)
    if request.query:
        raise BadRequest("This route takes no query parameters.")
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("records"), list):
        raise BadRequest('The body must be an object with a list "records".')
    unknown = next((key for key in body if key != "records"), None)
    if unknown is not None:
        raise BadRequest(f"The body has the unknown field {unknown[:64]!r}.")
    documents: list[Any] = body["records"]
    if not 1 <= len(documents) <= MAX_RECORDS:
        raise BadRequest(f'"records" must have 1 to {MAX_RECORDS} records.')
    return documents


def parse_documents(
    documents: Sequence[Any], now_ms: int | None = None
) -> tuple[list[tuple[int, Change]], list[Refusal]]:
    """The changes of valid records, and the refusals of others, each with its index.

    A record has a refusal for each of its faults, in the order of its fields, unless there are so
    many in the request that `Listing` leaves some out. With `now_ms`, an `updated_at` of more than
    5 minutes later is a fault.
    """
    changes: list[tuple[int, Change]] = []
    refusals: list[Refusal] = []
    listing = Listing(documents)
    for index, document in enumerate(documents):
        try:
            changes.append((index, parse_record(document, now_ms)))
        except RefusedRecord as refused:
            refusals += listing.refusals(index, refused.faults)
    return changes, refusals
