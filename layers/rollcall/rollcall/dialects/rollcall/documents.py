"""Records as clients send them: the inverse of the parser of `POST /v1/records`.

Pure: it reads no store and loads no parser, so that every route that returns records can use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from typing_extensions import TypedDict

from rollcall.domain.decimals import unscaled
from rollcall.domain.facts import Fact
from rollcall.domain.ids import id_as_sent
from rollcall.domain.records import RECORD_TYPES, Column, Format
from rollcall.domain.time.calendar import format_instant

RECORD_UNKNOWN: Final = "There is no such record."


class RecordFound(TypedDict):
    """A stored record."""

    record: dict[str, Any]
    """As `POST /v1/records` takes it; sent again, it is `unchanged`."""
    updated_at: str
    """The `updated_at` of the stored version."""
    counted: bool
    """Whether the figures hold this version yet."""


def record_body(
    fact: Fact, is_counted: bool, detail: Mapping[str, Any] | None = None
) -> RecordFound:
    """The body of an answer with one live fact, and its detail if it has one."""
    beside = {} if detail is None else {"detail": detail}
    return {
        "record": document_of(fact) | beside,
        "updated_at": format_instant(fact.updated_at_ms),
        "counted": is_counted,
    }


def document_of(fact: Fact) -> dict[str, Any]:
    """The document of a live fact, without `updated_at` and what is stored beside the fact.

    Parsed, it gives the same record again, unless the record has a detail.

    Fields are in the order in which they are declared, and those without a value are left out, as
    are empty lists and objects. Values are normalised: instants in UTC to the millisecond, numbers
    as rounded when stored (decimals exact), labels and payload keys sorted. Ids and references are
    integers if they were sent as integers, and what was not sent has no default value here.
    """
    document: dict[str, Any] = {"type": fact.type, "id": id_as_sent(fact.id)}
    for column in RECORD_TYPES[fact.type].paged:
        value = getattr(fact.record, column.name)
        if value not in (None, (), {}) and column.name not in fact.defaulted:
            document[column.wire_name] = _as_sent(column, value)
    return document


def _as_sent(column: Column, stored: Any) -> Any:
    """A stored value as JSON has it. A map out of the table has its keys in any order."""
    match column.format:
        case Format.INSTANT:
            return format_instant(stored)
        case Format.SENTIMENT:
            return unscaled(stored, 3)
        case Format.COST:
            return unscaled(stored, 6)
        case Format.ID:
            return id_as_sent(stored)
        case Format.IDS:
            return [id_as_sent(each) for each in stored]
        case Format.COUNTS:
            return {name: stored[name] for name in column.choices if name in stored}
        case Format.PAYLOAD:
            return dict(sorted(stored.items()))
    return stored
