"""The record types and their fields, as they are stored.

This module is the only list of fields: the page codec takes its columns from it, and the fact store
its attributes. Values are already normalised (instants in milliseconds since 1970 UTC, rounded
numbers, references as strings, sets sorted); parsing and limits belong to the API.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from typing import Any, ClassVar, Final, Protocol, TypeAlias

CALL_STATUSES: Final = (
    "queued",
    "ringing",
    "in_progress",
    "completed",
    "failed",
    "busy",
    "no_answer",
    "canceled",
)
DISPOSITIONS: Final = (
    "need_retry",
    "wrong_country_code",
    "need_follow_up",
    "voicemail_left",
    "successful",
    "unsuccessful",
    "wrong_number",
    "completed",
    "unreachable",
    "error",
)
DIRECTIONS: Final = ("inbound", "outbound")
TASK_STATUSES: Final = ("pending", "running", "completed", "failed", "hold", "partially_completed")
LEAD_STATUSES: Final = ("BACKLOG", "PROCESSING", "RETRY", "FINISHED")
CALL_EVENTS: Final = (
    "take_message",
    "sms_sent",
    "call_transferred",
    "calendar_booked",
    "email_sent",
)
DEFAULT_LABEL_COLOR: Final = "#9e9e9e"

PayloadValue: TypeAlias = str | Decimal | bool | None


class Kind(enum.Enum):
    """The kind of values that a field has, which determines how they are stored."""

    INTEGER = "integer"  # int of at most 64 bits, or None
    FLAG = "flag"  # bool or None
    TEXT = "text"  # str or None, also where only some values are allowed
    ID = "id"  # a reference: str or None
    IDS = "ids"  # references: sorted tuple of distinct str
    COUNTS = "counts"  # mapping of str to int above zero
    PAYLOAD = "payload"  # mapping of str to PayloadValue


def _column(kind: Kind, choices: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"kind": kind, "choices": choices}


def _integer() -> Any:
    return field(default=None, metadata=_column(Kind.INTEGER))


def _text(choices: tuple[str, ...] = ()) -> Any:
    return field(default=None, metadata=_column(Kind.TEXT, choices))


def _id() -> Any:
    return field(default=None, metadata=_column(Kind.ID))


def _required(kind: Kind, choices: tuple[str, ...] = ()) -> Any:
    return field(metadata=_column(kind, choices))


class Record(Protocol):
    """Any record: a slotted dataclass whose fields carry a `Kind`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(slots=True, eq=True)
class Call:
    """One phone call or voice session.

    `sentiment_milli` is in thousandths, 0–1000; `cost_micros` in millionths of a currency unit.
    """

    started_at_ms: int = _required(Kind.INTEGER)
    status: str = _required(Kind.TEXT, CALL_STATUSES)
    answered: bool = _required(Kind.FLAG)
    attempt: int = _required(Kind.INTEGER)
    disposition: str | None = _text(DISPOSITIONS)
    direction: str | None = _text(DIRECTIONS)
    campaign_id: str | None = _id()
    space_token: str | None = _id()
    template_id: str | None = _id()
    merchant_id: str | None = _id()
    reseller_id: str | None = _id()
    lead_id: str | None = _id()
    provider: str | None = _text()
    outcome: str | None = _text()
    duration_seconds: int | None = _integer()
    sentiment_milli: int | None = _integer()
    cost_micros: int | None = _integer()
    labels: tuple[str, ...] = field(default=(), metadata=_column(Kind.IDS))
    events: Mapping[str, int] = field(
        default_factory=dict, metadata=_column(Kind.COUNTS, CALL_EVENTS)
    )
    payload: Mapping[str, PayloadValue] = field(
        default_factory=dict, metadata=_column(Kind.PAYLOAD)
    )


@dataclass(slots=True, eq=True)
class Task:
    """A unit of work given to an agent."""

    created_at_ms: int = _required(Kind.INTEGER)
    status: str = _required(Kind.TEXT, TASK_STATUSES)
    space_token: str | None = _id()


@dataclass(slots=True, eq=True)
class Lead:
    """A person to be called, with a status from BACKLOG to FINISHED."""

    created_at_ms: int = _required(Kind.INTEGER)
    status: str = _required(Kind.TEXT, LEAD_STATUSES)
    converted: bool | None = field(default=None, metadata=_column(Kind.FLAG))
    template_id: str | None = _id()
    merchant_id: str | None = _id()
    reseller_id: str | None = _id()
    payload: Mapping[str, PayloadValue] = field(
        default_factory=dict, metadata=_column(Kind.PAYLOAD)
    )


@dataclass(slots=True, eq=True)
class Space:
    """An Unpod space."""

    name: str | None = _text()
    created_at_ms: int | None = _integer()


@dataclass(slots=True, eq=True)
class Campaign:
    """An NLPearl inbound or outbound campaign."""

    direction: str = _required(Kind.TEXT, DIRECTIONS)
    name: str | None = _text()
    created_at_ms: int | None = _integer()


@dataclass(slots=True, eq=True)
class Workspace:
    """A Nexus workspace."""

    name: str | None = _text()
    created_at_ms: int | None = _integer()


@dataclass(slots=True, eq=True)
class Label:
    """A call label's name and CSS colour."""

    name: str = _required(Kind.TEXT)
    color: str = _required(Kind.TEXT)


@dataclass(slots=True, eq=True)
class Room:
    """A meeting room of a workspace."""

    workspace_id: str = _required(Kind.ID)
    created_at_ms: int = _required(Kind.INTEGER)
    name: str = _required(Kind.TEXT)
    display_name: str | None = _text()


@dataclass(slots=True, eq=True)
class BookingPage:
    """A page on which meetings are booked."""

    workspace_id: str = _required(Kind.ID)
    title: str = _required(Kind.TEXT)
    slug: str = _required(Kind.TEXT)
    created_at_ms: int | None = _integer()


@dataclass(slots=True, eq=True)
class Recording:
    """A recording made in a workspace."""

    workspace_id: str = _required(Kind.ID)
    created_at_ms: int = _required(Kind.INTEGER)
    room_id: str | None = _id()
    duration_seconds: int | None = _integer()


@dataclass(slots=True, eq=True)
class Contact:
    """A contact of a workspace."""

    workspace_id: str = _required(Kind.ID)
    created_at_ms: int = _required(Kind.INTEGER)


@dataclass(slots=True, eq=True)
class ContactEvent:
    """Something that a contact did: join a room, book a meeting, or an event of another type."""

    workspace_id: str = _required(Kind.ID)
    event_type: str = _required(Kind.TEXT)
    occurred_at_ms: int = _required(Kind.INTEGER)
    room_id: str | None = _id()
    booking_page_id: str | None = _id()


@dataclass(frozen=True, slots=True)
class Column:
    """One stored field of a record type."""

    name: str
    kind: Kind
    choices: tuple[str, ...]
    required: bool


def _columns(cls: type[Record]) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=f.name,
            kind=f.metadata["kind"],
            choices=f.metadata["choices"],
            required=f.default is MISSING and f.default_factory is MISSING,
        )
        for f in fields(cls)
    )


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type: its wire name, its class, and its time field, if it has one."""

    name: str
    cls: type[Any]
    time_column: str | None
    columns: tuple[Column, ...]

    @property
    def time_field(self) -> str | None:
        """The wire name of the time field; None where the type has none."""
        return self.time_column.removesuffix("_ms") if self.time_column else None

    def time_ms(self, record: Record) -> int | None:
        """The time of the record's position; None for types whose rows are all at time 0."""
        return getattr(record, self.time_column) if self.time_column else None


def _type(name: str, cls: type[Any], time_column: str | None = None) -> RecordType:
    return RecordType(name, cls, time_column, _columns(cls))


RECORD_TYPES: Final[dict[str, RecordType]] = {
    t.name: t
    for t in (
        _type("call", Call, "started_at_ms"),
        _type("task", Task, "created_at_ms"),
        _type("lead", Lead, "created_at_ms"),
        _type("space", Space),
        _type("campaign", Campaign),
        _type("workspace", Workspace),
        _type("label", Label),
        _type("room", Room, "created_at_ms"),
        _type("booking_page", BookingPage),
        _type("recording", Recording, "created_at_ms"),
        _type("contact", Contact, "created_at_ms"),
        _type("contact_event", ContactEvent, "occurred_at_ms"),
    )
}
