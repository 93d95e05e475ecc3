"""The record types and their fields, as they are stored and as they are sent.

A field is declared once, here: the page codec takes its columns from this module, the fact store its
attributes, the API its parser and JSON Schema, the command line its CSV import and docs/records.md.
Stored values are normalised: milliseconds since 1970 UTC, rounded numbers, sorted sets.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from rollcall.domain.choices import (
    CALL_EVENTS,
    CALL_STATUSES,
    DEFAULT_LABEL_COLOR,
    DIRECTIONS,
    DISPOSITIONS,
    LEAD_STATUSES,
    TASK_STATUSES,
)

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
    DETAIL = "detail"  # the hash of what is stored beside the fact, or None


class Format(enum.Enum):
    """How a field is sent; `kind` is how it is stored, `unit` the end of the stored name."""

    ID = "id", Kind.ID
    IDS = "ids", Kind.IDS
    TEXT = "text", Kind.TEXT
    TEXT_OR_NULL = "text or null", Kind.TEXT
    CHOICE = "choice", Kind.TEXT
    EVENT_TYPE = "event type", Kind.TEXT
    COLOR = "color", Kind.TEXT
    BOOLEAN = "boolean", Kind.FLAG
    ORDINAL = "ordinal", Kind.INTEGER  # from 1
    INSTANT = "instant", Kind.INTEGER, "_ms"
    SECONDS = "seconds", Kind.INTEGER  # rounded to whole ones
    MILLISECONDS = "milliseconds", Kind.INTEGER  # whole ones, from 0
    SENTIMENT = "sentiment", Kind.INTEGER, "_milli"  # 0 to 1, in thousandths
    COST = "cost", Kind.INTEGER, "_micros"  # in millionths of a currency unit
    COUNTS = "counts", Kind.COUNTS
    PAYLOAD = "payload", Kind.PAYLOAD
    DETAIL = "detail", Kind.DETAIL

    def __init__(self, _label: str, kind: Kind, unit: str = "") -> None:
        self.kind = kind
        self.unit = unit


def _required(
    format: Format,
    meaning: str,
    choices: tuple[str, ...] = (),
    synonyms: Mapping[str, str] | None = None,
) -> Any:
    """A field that must be sent. `synonyms` are further choices, and what each is read as."""
    declared = {"format": format, "meaning": meaning, "choices": choices}
    return field(metadata=declared | {"synonyms": synonyms or {}})


def _optional(
    format: Format, meaning: str, choices: tuple[str, ...] = (), needs: str | None = None
) -> Any:
    """A field that may be left out; `needs` names a field that must then come with it."""
    metadata: dict[str, Any] = {"format": format, "meaning": meaning, "choices": choices}
    metadata |= {"is_sent": False, "needs": needs}
    match format.kind:
        case Kind.IDS:
            return field(default=(), metadata=metadata)
        case Kind.COUNTS | Kind.PAYLOAD:
            return field(default_factory=dict, metadata=metadata)
    return field(default=None, metadata=metadata)


def _completed(format: Format, meaning: str, default: Any = None) -> Any:
    """A field that may be left out and that every record has: `default`, or what the API derives."""
    declared = {"format": format, "meaning": meaning, "default": default}
    return field(metadata=declared | {"is_sent": False}, kw_only=True)


_FILTER: Final = "Breeze filters by it."
_PAYLOAD: Final = "Values of your own, to filter by."
_NAME: Final = "Its name."
_CREATED: Final = "When it was created."
_WORKSPACE: Final = "The workspace that counts it."


class Record(Protocol):
    """Any record: a slotted dataclass of such fields."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(slots=True, eq=True)
class Call:
    """A phone call or voice session."""

    started_at_ms: int = _required(Format.INSTANT, "When the call started.")
    status: str = _required(Format.CHOICE, "The state of the call.", CALL_STATUSES)
    disposition: str | None = _optional(
        Format.CHOICE,
        "What the call ended with. `successful` is what success rates count, and NLPearl"
        " reports each.",
        DISPOSITIONS,
    )
    direction: str | None = _optional(
        Format.CHOICE, "Who called: `inbound` calls come in.", DIRECTIONS
    )
    campaign_id: str | None = _optional(
        Format.ID, "The NLPearl campaign of the call, in that `direction`.", needs="direction"
    )
    space_token: str | None = _optional(Format.ID, "The Unpod space of the call.")
    template_id: str | None = _optional(Format.ID, f"The template of the call. {_FILTER}")
    merchant_id: str | None = _optional(Format.ID, f"The merchant of the call. {_FILTER}")
    reseller_id: str | None = _optional(Format.ID, f"The reseller of the call. {_FILTER}")
    lead_id: str | None = _optional(
        Format.ID, "The lead that was called. NLPearl counts each lead once."
    )
    provider: str | None = _optional(Format.TEXT, "The provider: `twilio`. Breeze groups by it.")
    outcome: str | None = _optional(
        Format.TEXT, "What came of the call, in your own words. Breeze groups by it."
    )
    ended_reason: str | None = _optional(
        Format.TEXT, "Why the call ended, in the words of the provider: `customer-hung-up`."
    )
    language: str | None = _optional(Format.TEXT, "The language of the call: `de`, `en-GB`.")
    duration_seconds: int | None = _optional(
        Format.SECONDS,
        "The length of the call in seconds, stored rounded to a whole one. Without it,"
        " averages leave the call out.",
    )
    latency_ms: int | None = _optional(
        Format.MILLISECONDS,
        "The typical response time of the voice agent in this call, in whole milliseconds.",
    )
    sentiment_milli: int | None = _optional(
        Format.SENTIMENT,
        "The sentiment of the call, from 0 (negative) to 1 (positive), stored rounded to"
        " three decimals.",
    )
    cost_micros: int | None = _optional(
        Format.COST,
        "The cost of the call in a currency of your choice, stored rounded to six decimals.",
    )
    attempt: int = _completed(Format.ORDINAL, "Which attempt to reach the lead this is.", default=1)
    answered: bool = _completed(
        Format.BOOLEAN,
        "Whether a person answered, for the pickup rate. Left out: true when the status"
        " is `completed`, the disposition is not `voicemail_left` and the duration is not 0.",
    )
    labels: tuple[str, ...] = _optional(
        Format.IDS, "Ids of the call's labels; order and repetition do not matter."
    )
    events: Mapping[str, int] = _optional(
        Format.COUNTS, "How often each happened in the call.", CALL_EVENTS
    )
    payload: Mapping[str, PayloadValue] = _optional(Format.PAYLOAD, _PAYLOAD)
    detail: str | None = _optional(
        Format.DETAIL,
        "What was said, and where it can be heard. It is stored beside the call: no query and no"
        " search reads it.",
    )


@dataclass(slots=True, eq=True)
class Task:
    """A unit of work given to an agent."""

    created_at_ms: int = _required(Format.INSTANT, _CREATED)
    status: str = _required(
        Format.CHOICE,
        "The state of the task. `in_progress` is read as `running`.",
        TASK_STATUSES,
        synonyms={"in_progress": "running"},
    )
    space_token: str | None = _optional(Format.ID, "The Unpod space of the task.")


@dataclass(slots=True, eq=True)
class Lead:
    """A person or company to be called."""

    created_at_ms: int = _required(Format.INSTANT, _CREATED)
    status: str = _required(
        Format.CHOICE, "How far the lead has come, from first to last.", LEAD_STATUSES
    )
    converted: bool | None = _optional(
        Format.BOOLEAN, "Whether the lead converted; it counts once the status is `FINISHED`."
    )
    template_id: str | None = _optional(Format.ID, f"The template of the lead. {_FILTER}")
    merchant_id: str | None = _optional(Format.ID, f"The merchant of the lead. {_FILTER}")
    reseller_id: str | None = _optional(Format.ID, f"The reseller of the lead. {_FILTER}")
    payload: Mapping[str, PayloadValue] = _optional(Format.PAYLOAD, _PAYLOAD)


@dataclass(slots=True, eq=True)
class Space:
    """An Unpod space; a space that a call or a task names needs no record of its own."""

    name: str | None = _optional(Format.TEXT, _NAME)
    created_at_ms: int | None = _optional(Format.INSTANT, _CREATED)


@dataclass(slots=True, eq=True)
class Campaign:
    """An NLPearl campaign; one that a call names needs no record of its own."""

    direction: str = _required(Format.CHOICE, "The direction of its calls.", DIRECTIONS)
    name: str | None = _optional(Format.TEXT, _NAME)
    created_at_ms: int | None = _optional(Format.INSTANT, _CREATED)


@dataclass(slots=True, eq=True)
class Workspace:
    """A Nexus workspace; one that another record names needs no record of its own."""

    name: str | None = _optional(Format.TEXT, _NAME)
    created_at_ms: int | None = _optional(Format.INSTANT, _CREATED)


@dataclass(slots=True, eq=True)
class Label:
    """The name and colour under which NLPearl's analytics show a label of calls."""

    name: str = _required(Format.TEXT, _NAME)
    color: str = _completed(
        Format.COLOR, "A CSS colour: `#4d9de0`, `rebeccapurple`.", default=DEFAULT_LABEL_COLOR
    )


@dataclass(slots=True, eq=True)
class Room:
    """A meeting room of a Nexus workspace."""

    workspace_id: str = _required(Format.ID, _WORKSPACE)
    created_at_ms: int = _required(Format.INSTANT, _CREATED)
    name: str = _required(Format.TEXT, _NAME)
    display_name: str | None = _optional(
        Format.TEXT_OR_NULL, "The name to show, if there is another."
    )


@dataclass(slots=True, eq=True)
class BookingPage:
    """A page of a Nexus workspace on which meetings are booked."""

    workspace_id: str = _required(Format.ID, _WORKSPACE)
    title: str = _required(Format.TEXT, "Its title.")
    slug: str = _required(Format.TEXT, "Its part of the address.")
    created_at_ms: int | None = _optional(Format.INSTANT, _CREATED)


@dataclass(slots=True, eq=True)
class Recording:
    """A recording made in a Nexus workspace."""

    workspace_id: str = _required(Format.ID, _WORKSPACE)
    created_at_ms: int = _required(Format.INSTANT, _CREATED)
    room_id: str | None = _optional(Format.ID, "The room that was recorded.")
    duration_seconds: int | None = _optional(
        Format.SECONDS, "Its length in seconds, stored rounded to a whole one."
    )


@dataclass(slots=True, eq=True)
class Contact:
    """A contact of a Nexus workspace."""

    workspace_id: str = _required(Format.ID, _WORKSPACE)
    created_at_ms: int = _required(Format.INSTANT, _CREATED)


@dataclass(slots=True, eq=True)
class ContactEvent:
    """Something a contact of a Nexus workspace did."""

    workspace_id: str = _required(Format.ID, _WORKSPACE)
    event_type: str = _required(Format.EVENT_TYPE, "`room_join`, `booking`, or a type of your own.")
    occurred_at_ms: int = _required(Format.INSTANT, "When it happened.")
    room_id: str | None = _optional(Format.ID, "The room that was joined.")
    booking_page_id: str | None = _optional(Format.ID, "The page that was booked on.")


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record type, by its stored name; `required` in storage, `is_sent` on the wire."""

    name: str
    required: bool
    format: Format
    meaning: str
    choices: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    is_sent: bool = True
    needs: str | None = None
    default: Any = None

    @property
    def kind(self) -> Kind:
        """How its values are stored."""
        return self.format.kind

    @property
    def is_completed(self) -> bool:
        """Whether every record has a value, also when none is sent."""
        return self.required and not self.is_sent

    @property
    def wire_name(self) -> str:
        """The name under which it is sent."""
        return self.name.removesuffix(self.format.unit)


def _columns(cls: type[Record]) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=f.name,
            required=f.default is MISSING and f.default_factory is MISSING,
            **f.metadata,
        )
        for f in fields(cls)
    )


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type: its wire name, its class, and its time field, if it has one.

    `early_statuses` are the statuses that another follows, first to last; all others are ends.
    """

    name: str
    cls: type[Any]
    time_column: str | None
    columns: tuple[Column, ...]
    early_statuses: tuple[str, ...] = ()

    @property
    def paged(self) -> tuple[Column, ...]:
        """The columns of its ledger pages: all but what is stored beside the fact."""
        return tuple(column for column in self.columns if column.kind is not Kind.DETAIL)

    @property
    def time_field(self) -> str | None:
        """The wire name of the time field; None where the type has none."""
        return self.time_column.removesuffix("_ms") if self.time_column else None

    def time_ms(self, record: Record) -> int | None:
        """The time of the record's position; None for types whose rows are all at time 0."""
        return getattr(record, self.time_column) if self.time_column else None

    def progress(self, status: str) -> int:
        """How far a record with this status is, from 0."""
        is_early = status in self.early_statuses
        return self.early_statuses.index(status) if is_early else len(self.early_statuses)


def _type(name: str, cls: type[Any], time_column: str | None = None, *early: str) -> RecordType:
    return RecordType(name, cls, time_column, _columns(cls), early)


RECORD_TYPES: Final[dict[str, RecordType]] = {
    t.name: t
    for t in (
        _type("call", Call, "started_at_ms", "queued", "ringing", "in_progress"),
        _type("task", Task, "created_at_ms", "pending", "running", "hold"),
        _type("lead", Lead, "created_at_ms", "BACKLOG", "PROCESSING", "RETRY"),
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
