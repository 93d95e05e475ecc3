"""The record documents of `POST /v1/records`: a model for each record type, and the parser.

The models follow from the fields that domain/records.py declares. Attributes have the names of the
stored columns, aliases the names on the wire.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from rollcall.api.records.fields import one_of, type_of
from rollcall.domain.facts import Change
from rollcall.domain.records import RECORD_TYPES, Column, Record, RecordType
from rollcall.wire import Id, Instant, message_of

# The default of an optional field. It is not validated, so that null itself is refused.
_ABSENT: Final[Any] = None
_TYPE: Final = "The type of the record."
_FIXED: Final = "Fixed by the first accepted version: a correction needs a new id."


class RefusedRecord(ValueError):
    """A record breaks a rule; `field` names the field, the message the rule."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class _Document(BaseModel):
    """The fields of every record."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    type: str = Field(description=_TYPE)
    id: Id = Field(description="Your id of the record, unique within its type.")
    updated_at_ms: Instant = Field(
        _ABSENT,
        alias="updated_at",
        description="When you changed it: an older version never replaces a newer one. Left out, it"
        " is the server's clock. At most 5 minutes in the future.",
    )

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Self:
        """The document. Raises RefusedRecord with the first rule that it breaks."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name, *inside = first["loc"]
            raise RefusedRecord(str(name), message_of(first, inside)) from None

    def record(self) -> Record | None:
        """The record to store; None for a deletion."""
        record_type = RECORD_TYPES[self.type]
        values = {
            column.name: value
            for column in record_type.columns
            if (value := getattr(self, column.name)) is not None
        }
        for column in record_type.columns:
            if column.needs and column.name in values and column.needs not in values:
                raise RefusedRecord(column.wire_name, f"needs {column.needs}")
        if self.type == "call":
            values.setdefault("answered", _is_answered(values))
        record: Record = record_type.cls(**values)
        return record

    def defaulted(self) -> frozenset[str]:
        """The fields that were left out and have a default value."""
        columns = RECORD_TYPES[self.type].columns
        completed = {column.name for column in columns if column.is_completed}
        return frozenset(completed - self.model_fields_set)


def _is_answered(call: dict[str, Any]) -> bool:
    """Whether a person answered a call that does not say so itself."""
    return (
        call["status"] == "completed"
        and call.get("disposition") != "voicemail_left"
        and call.get("duration_seconds") != 0
    )


class Deletion(_Document):
    """A request to delete; no other field may come with it."""

    type: str = Field(description=_TYPE, json_schema_extra={"enum": list(RECORD_TYPES)})
    deleted: Literal[True] = Field(description="Deletes the record of this type and id.")

    def record(self) -> None:
        """A deletion stores none."""

    def defaulted(self) -> frozenset[str]:
        """A deletion has no fields."""
        return frozenset()


def _document(record_type: RecordType) -> type[_Document]:
    """The model of a record type."""
    needs = {column.wire_name: [column.needs] for column in record_type.columns if column.needs}
    fields: Any = {
        column.name: (type_of(column), _field(column, record_type))
        for column in record_type.columns
    }
    return create_model(
        f"{record_type.cls.__name__}Document",
        __base__=_Document,
        __doc__=record_type.cls.__doc__,
        __cls_kwargs__={"json_schema_extra": {"dependentRequired": needs}} if needs else None,
        type=(one_of((record_type.name,)), Field(description=_TYPE)),
        **fields,
    )


def _field(column: Column, record_type: RecordType) -> Any:
    is_time = column.name == record_type.time_column
    return Field(
        ... if column.is_sent else column.default,
        alias=column.wire_name,
        description=f"{column.meaning} {_FIXED}" if is_time else column.meaning,
    )


DOCUMENTS: Final[dict[str, type[_Document]]] = {
    name: _document(record_type) for name, record_type in RECORD_TYPES.items()
}


def parse_record(document: Any) -> Change:
    """The change that one record asks for. Raises RefusedRecord."""
    if not isinstance(document, dict):
        raise RefusedRecord("record", "must be an object")
    if "type" not in document:
        raise RefusedRecord("type", "is required")
    type_name = document["type"]
    if not isinstance(type_name, str) or type_name not in DOCUMENTS:
        raise RefusedRecord("type", f"must be one of {', '.join(DOCUMENTS)}")
    if "deleted" in document and document["deleted"] is not True:
        raise RefusedRecord("deleted", "must be true or absent")
    model = Deletion if "deleted" in document else DOCUMENTS[type_name]
    parsed = model.parse(document)
    return Change(
        type=type_name,
        id=parsed.id,
        updated_at_ms=parsed.updated_at_ms,
        record=parsed.record(),
        defaulted=parsed.defaulted(),
    )
