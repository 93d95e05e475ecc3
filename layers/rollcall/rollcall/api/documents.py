"""The record documents of `POST /v1/records`: what may be sent, and what it becomes.

Attributes carry the names of the stored columns, aliases the names on the wire, so that a document
turns into its record by taking the columns over.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollcall.api import fields as f
from rollcall.domain.facts import Change
from rollcall.domain.records import DEFAULT_LABEL_COLOR, RECORD_TYPES, Record

NULLABLE: Final = frozenset({"display_name"})
FIXED_TIME: Final = (
    "Belongs to the identity: the first accepted version fixes it. To correct it, delete the record"
    " and send it with a new id."
)


class RefusedRecord(ValueError):
    """One record breaks a rule; `field` names where, the message which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class _Document(BaseModel):
    """What every record carries."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False, arbitrary_types_allowed=True)

    type: str
    id: f.Id
    updated_at_ms: f.Instant | None = Field(
        None,
        alias="updated_at",
        description="When you changed it: an older version never replaces a newer one. Left out, it"
        " is the server's clock. At most 5 minutes in the future.",
    )

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Self:
        """The document, or RefusedRecord for the first rule it breaks."""
        for name, value in document.items():
            # An optional field may be left out; null would be a value, and it has no meaning.
            if value is None and name not in NULLABLE:
                raise RefusedRecord(name, "must not be null")
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise RefusedRecord(str(first["loc"][0]), _message(first)) from None

    def record(self) -> Record | None:
        """The record to store."""
        record_type = RECORD_TYPES[self.type]
        values = {column.name: getattr(self, column.name) for column in record_type.columns}
        record: Record = record_type.cls(**values)
        return record


def _message(error: Any) -> str:
    match error["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a field of this record type"
        case "value_error":
            return str(error["ctx"]["error"])
    return str(error["msg"])


class Deletion(_Document):
    """A request to delete; no other field may come with it."""

    deleted: Literal[True]

    def record(self) -> None:
        """A deletion stores none."""


class CallDocument(_Document):
    """A `call`."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"campaign_id": ["direction"]}}
    )

    started_at_ms: f.Instant = Field(alias="started_at", description=FIXED_TIME)
    status: f.CallStatus
    disposition: f.Disposition | None = None
    direction: f.Direction | None = None
    campaign_id: f.Id | None = Field(None, description="Needs `direction`.")
    space_token: f.Id | None = None
    template_id: f.Id | None = None
    merchant_id: f.Id | None = None
    reseller_id: f.Id | None = None
    lead_id: f.Id | None = None
    provider: f.Text | None = None
    outcome: f.Text | None = None
    duration_seconds: f.Duration | None = None
    sentiment_milli: f.Sentiment | None = Field(None, alias="sentiment")
    cost_micros: f.Cost | None = Field(None, alias="cost")
    attempt: f.Attempt = 1
    answered: f.Flag | None = Field(
        None,
        description="Left out: true when the status is `completed` and the disposition is not"
        " `voicemail_left`.",
    )
    labels: f.Labels = ()
    events: f.Events = Field(default_factory=dict)
    payload: f.Payload = Field(default_factory=dict)

    def record(self) -> Record | None:
        """The call; whether it was answered is filled in where it was left out."""
        if self.campaign_id is not None and self.direction is None:
            raise RefusedRecord("campaign_id", "needs direction")
        if self.answered is None:
            self.answered = self.status == "completed" and self.disposition != "voicemail_left"
        return super().record()


class TaskDocument(_Document):
    """A `task`."""

    created_at_ms: f.Instant = Field(alias="created_at", description=FIXED_TIME)
    status: f.TaskStatus
    space_token: f.Id | None = None


class LeadDocument(_Document):
    """A `lead`."""

    created_at_ms: f.Instant = Field(alias="created_at", description=FIXED_TIME)
    status: f.LeadStatus
    converted: f.Flag | None = None
    template_id: f.Id | None = None
    merchant_id: f.Id | None = None
    reseller_id: f.Id | None = None
    payload: f.Payload = Field(default_factory=dict)


class _NamedDocument(_Document):
    name: f.Text | None = None
    created_at_ms: f.Instant | None = Field(None, alias="created_at")


class SpaceDocument(_NamedDocument):
    """A `space`."""


class WorkspaceDocument(_NamedDocument):
    """A `workspace`."""


class CampaignDocument(_NamedDocument):
    """A `campaign`."""

    direction: f.Direction


class LabelDocument(_Document):
    """A `label`."""

    name: f.Text
    color: f.Color = DEFAULT_LABEL_COLOR


class RoomDocument(_Document):
    """A `room`."""

    workspace_id: f.Id
    created_at_ms: f.Instant = Field(alias="created_at", description=FIXED_TIME)
    name: f.Text
    display_name: f.NullableText = None


class BookingPageDocument(_Document):
    """A `booking_page`."""

    workspace_id: f.Id
    title: f.Text
    slug: f.Text
    created_at_ms: f.Instant | None = Field(None, alias="created_at")


class RecordingDocument(_Document):
    """A `recording`."""

    workspace_id: f.Id
    created_at_ms: f.Instant = Field(alias="created_at", description=FIXED_TIME)
    room_id: f.Id | None = None
    duration_seconds: f.Duration | None = None


class ContactDocument(_Document):
    """A `contact`."""

    workspace_id: f.Id
    created_at_ms: f.Instant = Field(alias="created_at", description=FIXED_TIME)


class ContactEventDocument(_Document):
    """A `contact_event`."""

    workspace_id: f.Id
    event_type: f.EventType
    occurred_at_ms: f.Instant = Field(alias="occurred_at", description=FIXED_TIME)
    room_id: f.Id | None = None
    booking_page_id: f.Id | None = None


DOCUMENTS: Final[dict[str, type[_Document]]] = {
    "call": CallDocument,
    "task": TaskDocument,
    "lead": LeadDocument,
    "space": SpaceDocument,
    "campaign": CampaignDocument,
    "workspace": WorkspaceDocument,
    "label": LabelDocument,
    "room": RoomDocument,
    "booking_page": BookingPageDocument,
    "recording": RecordingDocument,
    "contact": ContactDocument,
    "contact_event": ContactEventDocument,
}


def parse_record(document: Any) -> Change:
    """The change that one record asks for. Raises RefusedRecord."""
    if not isinstance(document, dict):
        raise RefusedRecord("record", "must be an object")
    type_name = document.get("type")
    if type_name is None and "type" not in document:
        raise RefusedRecord("type", "is required")
    if not isinstance(type_name, str) or type_name not in DOCUMENTS:
        raise RefusedRecord("type", f"must be one of {', '.join(DOCUMENTS)}")
    if "deleted" in document and document["deleted"] is not True:
        raise RefusedRecord("deleted", "must be true or absent")
    model = Deletion if "deleted" in document else DOCUMENTS[type_name]
    parsed = model.parse(document)
    return Change(
        type=type_name,
        id=parsed.id,
        id_is_integer=not isinstance(document["id"], str),
        updated_at_ms=parsed.updated_at_ms,
        record=parsed.record(),
    )
