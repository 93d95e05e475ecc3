"""The record documents of `POST /v1/records`: what may be sent, and what it becomes.

Attributes carry the names of the stored columns, aliases the names on the wire, so that a document
turns into its record by taking the columns over.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rollcall.api.records import fields as f
from rollcall.domain.facts import Change
from rollcall.domain.records import DEFAULT_LABEL_COLOR, RECORD_TYPES, Record

NULLABLE: Final = frozenset({"display_name"})
_FILTER: Final = "Breeze filters by it."
_PAYLOAD: Final = "Values of your own, to filter by."
_NAME: Final = "Its name."
_CREATED: Final = "When it was created."
_WORKSPACE: Final = "The workspace that counts it."


def _fixed(meaning: str) -> str:
    """The description of the field that fixes a record's time."""
    return f"{meaning} Fixed by the first accepted version: a correction needs a new id."


class RefusedRecord(ValueError):
    """One record breaks a rule; `field` names where, the message which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class _Document(BaseModel):
    """What every record carries."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False, arbitrary_types_allowed=True)

    type: str = Field(description="The type of the record.")
    id: f.Id = Field(description="Your id of the record, unique within its type.")
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

    deleted: Literal[True] = Field(description="Deletes the record of this type and id.")

    def record(self) -> None:
        """A deletion stores none."""


class CallDocument(_Document):
    """A phone call or voice session."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"campaign_id": ["direction"]}}
    )

    started_at_ms: f.Instant = Field(
        alias="started_at", description=_fixed("When the call started.")
    )
    status: f.CallStatus = Field(description="The state of the call.")
    disposition: f.Disposition | None = Field(
        None,
        description="What the call ended with. `successful` is what success rates count, and NLPearl"
        " reports each.",
    )
    direction: f.Direction | None = Field(None, description="Who called: `inbound` calls come in.")
    campaign_id: f.Id | None = Field(
        None, description="The NLPearl campaign of the call, in that `direction`."
    )
    space_token: f.Id | None = Field(None, description="The Unpod space of the call.")
    template_id: f.Id | None = Field(None, description=f"The template of the call. {_FILTER}")
    merchant_id: f.Id | None = Field(None, description=f"The merchant of the call. {_FILTER}")
    reseller_id: f.Id | None = Field(None, description=f"The reseller of the call. {_FILTER}")
    lead_id: f.Id | None = Field(
        None, description="The lead that was called. NLPearl counts each lead once."
    )
    provider: f.Text | None = Field(
        None, description="The telephony or voice provider: `twilio`. Breeze groups by it."
    )
    outcome: f.Text | None = Field(
        None, description="What came of the call, in your own words. Breeze groups by it."
    )
    duration_seconds: f.Duration | None = Field(
        None,
        description="The length of the call in seconds, stored rounded to a whole one. Without it,"
        " averages leave the call out.",
    )
    sentiment_milli: f.Sentiment | None = Field(
        None,
        alias="sentiment",
        description="The sentiment of the call, from 0 (negative) to 1 (positive), stored rounded to"
        " three decimals.",
    )
    cost_micros: f.Cost | None = Field(
        None,
        alias="cost",
        description="The cost of the call in a currency of your choice, stored rounded to six"
        " decimals.",
    )
    attempt: f.Attempt = Field(1, description="Which attempt to reach the lead this is.")
    answered: f.Flag | None = Field(
        None,
        description="Whether a person answered, for the pickup rate. Left out: true when the status"
        " is `completed` and the disposition is not `voicemail_left`.",
    )
    labels: f.Labels = Field(
        (), description="Ids of the call's labels; order and repetition do not matter."
    )
    events: f.Events = Field(default_factory=dict)
    payload: f.Payload = Field(default_factory=dict, description=_PAYLOAD)

    def record(self) -> Record | None:
        """The call; whether it was answered is filled in where it was left out."""
        if self.campaign_id is not None and self.direction is None:
            raise RefusedRecord("campaign_id", "needs direction")
        if self.answered is None:
            self.answered = self.status == "completed" and self.disposition != "voicemail_left"
        return super().record()


class TaskDocument(_Document):
    """A unit of work given to an agent."""

    created_at_ms: f.Instant = Field(alias="created_at", description=_fixed(_CREATED))
    status: f.TaskStatus = Field(
        description="The state of the task. `in_progress` is read as `running`."
    )
    space_token: f.Id | None = Field(None, description="The Unpod space of the task.")


class LeadDocument(_Document):
    """A person or company to be called."""

    created_at_ms: f.Instant = Field(alias="created_at", description=_fixed(_CREATED))
    status: f.LeadStatus = Field(description="How far the lead has come, from first to last.")
    converted: f.Flag | None = Field(
        None, description="Whether the lead converted; it counts once the status is `FINISHED`."
    )
    template_id: f.Id | None = Field(None, description=f"The template of the lead. {_FILTER}")
    merchant_id: f.Id | None = Field(None, description=f"The merchant of the lead. {_FILTER}")
    reseller_id: f.Id | None = Field(None, description=f"The reseller of the lead. {_FILTER}")
    payload: f.Payload = Field(default_factory=dict, description=_PAYLOAD)


class _NamedDocument(_Document):
    name: f.Text | None = Field(None, description=_NAME)
    created_at_ms: f.Instant | None = Field(None, alias="created_at", description=_CREATED)


class SpaceDocument(_NamedDocument):
    """An Unpod space; a space that a call or a task names needs no record of its own."""


class WorkspaceDocument(_NamedDocument):
    """A Nexus workspace; one that another record names needs no record of its own."""


class CampaignDocument(_NamedDocument):
    """An NLPearl campaign; one that a call names needs no record of its own."""

    direction: f.Direction = Field(description="The direction of its calls.")


class LabelDocument(_Document):
    """The name and colour under which NLPearl's analytics show a label of calls."""

    name: f.Text = Field(description=_NAME)
    color: f.Color = DEFAULT_LABEL_COLOR


class RoomDocument(_Document):
    """A meeting room of a Nexus workspace."""

    workspace_id: f.Id = Field(description=_WORKSPACE)
    created_at_ms: f.Instant = Field(alias="created_at", description=_fixed(_CREATED))
    name: f.Text = Field(description=_NAME)
    display_name: f.NullableText = Field(None, description="The name to show, if there is another.")


class BookingPageDocument(_Document):
    """A page of a Nexus workspace on which meetings are booked."""

    workspace_id: f.Id = Field(description=_WORKSPACE)
    title: f.Text = Field(description="Its title.")
    slug: f.Text = Field(description="Its part of the address.")
    created_at_ms: f.Instant | None = Field(None, alias="created_at", description=_CREATED)


class RecordingDocument(_Document):
    """A recording made in a Nexus workspace."""

    workspace_id: f.Id = Field(description=_WORKSPACE)
    created_at_ms: f.Instant = Field(alias="created_at", description=_fixed(_CREATED))
    room_id: f.Id | None = Field(None, description="The room that was recorded.")
    duration_seconds: f.Duration | None = Field(
        None, description="Its length in seconds, stored rounded to a whole one."
    )


class ContactDocument(_Document):
    """A contact of a Nexus workspace."""

    workspace_id: f.Id = Field(description=_WORKSPACE)
    created_at_ms: f.Instant = Field(alias="created_at", description=_fixed(_CREATED))


class ContactEventDocument(_Document):
    """Something a contact of a Nexus workspace did."""

    workspace_id: f.Id = Field(description=_WORKSPACE)
    event_type: f.EventType
    occurred_at_ms: f.Instant = Field(alias="occurred_at", description=_fixed("When it happened."))
    room_id: f.Id | None = Field(None, description="The room that was joined.")
    booking_page_id: f.Id | None = Field(None, description="The page that was booked on.")


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
