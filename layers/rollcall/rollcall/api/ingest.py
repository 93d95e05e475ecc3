"""`POST /v1/records` on the wire: the body in, the receipt out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from typing_extensions import TypedDict

from rollcall.api import strict_json
from rollcall.api.errors import BadRequest
from rollcall.api.guard import limit_body
from rollcall.api.http import Request, Response
from rollcall.api.records.documents import RefusedRecord, parse_record
from rollcall.domain.facts import Change
from rollcall.ingest.ingest import Receipt, Refusal

MAX_BODY_BYTES: Final = 2_097_152
MAX_RECORDS: Final = 500


class Rejection(TypedDict):
    """One record that was refused, and why."""

    index: int
    """Its place in the request, from 0."""
    id: str | int | float | None
    """A text or a number as it came, anything else as null."""
    field: str
    """Where the rule was broken: a field, or `record` for what is no object."""
    message: str


class Verdicts(TypedDict):
    """What became of each record."""

    accepted: int
    """Stored: new, or newer than what was there."""
    unchanged: int
    """There already, as sent; nothing was written."""
    stale: int
    """Older than what is stored; nothing was written."""
    rejected: list[Rejection]


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
        raise BadRequest(f'"records" must hold 1 to {MAX_RECORDS} records.')
    return documents


def parse_documents(documents: Sequence[Any]) -> tuple[list[tuple[int, Change]], list[Refusal]]:
    """The changes that may be made, and the refusals, each with its index."""
    changes: list[tuple[int, Change]] = []
    refusals: list[Refusal] = []
    for index, document in enumerate(documents):
        try:
            changes.append((index, parse_record(document)))
        except RefusedRecord as refused:
            refusals.append(Refusal(index, refused.field, str(refused)))
    return changes, refusals


def render(documents: Sequence[Any], refusals: Sequence[Refusal], receipt: Receipt) -> Response:
    """The answer: 200 when all are good, 207 when some are, 422 when none is."""
    rejected = sorted([*refusals, *receipt.refusals], key=lambda refusal: refusal.index)
    status = 200
    if rejected:
        status = 207 if len(rejected) < len(documents) else 422
    body: Verdicts = {
        "accepted": receipt.accepted,
        "unchanged": receipt.unchanged,
        "stale": receipt.stale,
        "rejected": [
            {
                "index": refusal.index,
                "id": _id_as_sent(documents[refusal.index]),
                "field": refusal.field,
                "message": refusal.message,
            }
            for refusal in rejected
        ],
    }
    return Response(status, strict_json.dumps(body))


def _id_as_sent(document: Any) -> Any:
    """The id of a document; None for what is neither a text nor a number, and may be of any size."""
    id_ = document.get("id") if isinstance(document, dict) else None
    return id_ if isinstance(id_, str | int | Decimal) and not isinstance(id_, bool) else None
