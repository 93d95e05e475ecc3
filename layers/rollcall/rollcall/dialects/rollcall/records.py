"""The body of an answer to `POST /v1/records`: the result of each record."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from typing_extensions import TypedDict

from rollcall.ingest.ingest import Receipt, Refusal


class Rejection(TypedDict):
    """One fault of a record that was refused; a record has an entry for each of its faults."""

    index: int
    """The place of the record in the request, from 0."""
    id: str | int | float | None
    """A string or a number as it was sent, anything else as null."""
    field: str
    """The field that breaks a rule: `payload.city` for a key of a payload, `record` for the whole."""
    message: str
    """The rule, and the nearest known name of an unknown field."""


class Verdicts(TypedDict):
    """The results of all records."""

    accepted: int
    """Stored: new, or newer than the stored version."""
    unchanged: int
    """Stored already, as sent; nothing was written."""
    stale: int
    """Older than the stored version; nothing was written."""
    rejected: list[Rejection]
    """All faults of the others, by record, and in the order of the record's fields."""


def verdicts_body(
    documents: Sequence[Any], refusals: Sequence[Refusal], receipt: Receipt
) -> tuple[int, Verdicts]:
    """The status and the body: 200 if all records are valid, 207 if some are, 422 if none is.

    The faults of one record stay in their order.
    """
    rejected = sorted([*refusals, *receipt.refusals], key=lambda refusal: refusal.index)
    status = 200
    if rejected:
        valid = receipt.accepted + receipt.unchanged + receipt.stale
        status = 207 if valid else 422
    return status, {
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


def _id_as_sent(document: Any) -> Any:
    """The id of a document; None if it is neither a string nor a number, and may be of any size."""
    id_ = document.get("id") if isinstance(document, dict) else None
    return id_ if isinstance(id_, str | int | Decimal) and not isinstance(id_, bool) else None
