"""The record documents of `POST /v1/records`: a model for each record type, and the parser.

The models follow from the fields that domain/records.py declares. Attributes have the names of the
stored columns, aliases the names on the wire.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
)

from rollcall.api import strict_json
from rollcall.api.records import detail
from rollcall.api.records.faults import UNKNOWN, RecordFault, RefusedRecord, faults_of
from rollcall.api.records.fields import MOST_ENTRIES, one_of, type_of
from rollcall.domain.defaults import complete, defaulted
from rollcall.domain.facts import MAX_CLOCK_SKEW_MS, TOO_NEW, Change, detail_hash
from rollcall.domain.records import RECORD_TYPES, Column, Kind, Record, RecordType
from rollcall.domain.validation import MAX_DETAIL_BYTES
from rollcall.wire import Id, Instant

# The default of an optional field. It is not validated, so that null itself is refused.
_ABSENT: Final[Any] = None
_TYPE: Final = "The type of the record."
_MERGE: Final = (
    "Leaves the fields that are not there as they are; null takes a value away. A record that does not"
    " exist needs its required fields."
)
_MOVES: Final = "A later version may move the record."


def _not_too_new(updated_at_ms: int, info: ValidationInfo) -> int:
    """Refuse what is far in the future, where the context of the validation has the clock."""
    now_ms = (info.context or {}).get("now_ms")
    if now_ms is not None and updated_at_ms > now_ms + MAX_CLOCK_SKEW_MS:
        raise ValueError(TOO_NEW)
    return updated_at_ms


class _Document(BaseModel):
    """The fields of every record."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    type: str = Field(description=_TYPE)
    id: Id = Field(description="Your id of the record, unique within its type.")
    updated_at_ms: Annotated[Instant, AfterValidator(_not_too_new)] = Field(
        _ABSENT,
        alias="updated_at",
        description="When you changed it: an older version never replaces a newer one. Left out, it"
        " is the server's clock. At most 5 minutes in the future.",
    )

    def record(self) -> Record | None:
        """The record to store; None for a deletion."""
        record_type = RECORD_TYPES[self.type]
        return complete(record_type, self.values())

    def values(self) -> dict[str, Any]:
        """The values that were sent, by stored name; None where a merge takes one away."""
        columns = RECORD_TYPES[self.type].columns
        names = [column.name for column in columns if column.name in self.model_fields_set]
        values = {name: getattr(self, name) for name in names}
        if (text := self.detail_text()) is not None:
            values["detail"] = detail_hash(text)
        return values

    def detail_text(self) -> str | None:
        """The JSON text of what is stored beside the record; None if there is none."""
        return getattr(self, "detail", None)

    def defaulted(self) -> frozenset[str]:
        """The fields that were left out and have a default value."""
        return defaulted(RECORD_TYPES[self.type], self.values())


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
        description=f"{column.meaning} {_MOVES}" if is_time else column.meaning,
    )


@functools.cache  # made when the first merge arrives, because most functions start without one
def merge_model(type_name: str) -> type[_Document]:
    """The model of a merge into a record type: no field is required, and null takes a value away."""
    record_type = RECORD_TYPES[type_name]
    fields: Any = {
        column.name: (
            type_of(column) if column.is_sent else type_of(column) | None,
            Field(_ABSENT, alias=column.wire_name, description=column.meaning),
        )
        for column in record_type.columns
    }
    return create_model(
        f"{record_type.cls.__name__}Merge",
        __base__=_Document,
        __doc__=f"Sets some fields of a record of the type `{record_type.name}`, and leaves the others"
        " as they are.",
        type=(one_of((record_type.name,)), Field(description=_TYPE)),
        merge=(Literal[True], Field(description=_MERGE)),
        **fields,
    )


DOCUMENTS: Final[dict[str, type[_Document]]] = {
    name: _document(record_type) for name, record_type in RECORD_TYPES.items()
}


_MARKS: Final = ("deleted", "merge")
_COMMON: Final = ("type", "id", "updated_at", *_MARKS)
# The names of the fields of each type, in their order, and of the keys that an object may have.
_NAMES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    name: {
        "": (*_COMMON, *(column.wire_name for column in record_type.columns)),
        **{c.wire_name: c.choices for c in record_type.columns if c.kind is Kind.COUNTS},
        **{c.wire_name: detail.NAMES for c in record_type.columns if c.kind is Kind.DETAIL},
    }
    for name, record_type in RECORD_TYPES.items()
}


def parse_record(document: Any, now_ms: int | None = None) -> Change:
    """The change that one record asks for. Raises RefusedRecord with all faults of the record.

    With `now_ms`, an `updated_at` of more than 5 minutes later is a fault. Of a record without a
    known type, only the fields that every type has are checked.
    """
    if not isinstance(document, dict):
        raise RefusedRecord([RecordFault("record", "must be an object")])
    faults = _type_faults(document)
    type_name: str = "" if faults else document["type"]
    document, wrong = _without_wrong_marks(document)
    faults += wrong
    model = _model(type_name, document)
    if type_name and model is not Deletion:
        faults += _of_several_fields(document, RECORD_TYPES[type_name])
    try:
        parsed = model.model_validate(document, context={"now_ms": now_ms})
    except ValidationError as error:
        faults += _of_model(error, type_name, model)
        raise RefusedRecord(_in_order(faults, type_name)) from None
    if faults:
        raise RefusedRecord(_in_order(faults, type_name))
    if "merge" in document:
        return Change(
            type=type_name,
            id=parsed.id,
            updated_at_ms=parsed.updated_at_ms,
            record=None,
            merge=parsed.values(),
            detail=parsed.detail_text(),
        )
    return Change(
        type=type_name,
        id=parsed.id,
        updated_at_ms=parsed.updated_at_ms,
        record=parsed.record(),
        defaulted=parsed.defaulted(),
        detail=parsed.detail_text(),
    )


def _type_faults(document: Mapping[str, Any]) -> list[RecordFault]:
    """That there is no type, or none that is known."""
    type_name = document.get("type")
    if isinstance(type_name, str) and type_name in DOCUMENTS:
        return []
    missing = "type" not in document
    rule = "is required" if missing else f"must be one of {', '.join(DOCUMENTS)}"
    return [RecordFault("type", rule)]


def _without_wrong_marks(document: dict[str, Any]) -> tuple[dict[str, Any], list[RecordFault]]:
    """The document without the marks that are not true, and a fault of each."""
    wrong = [mark for mark in _MARKS if mark in document and document[mark] is not True]
    rest = {name: value for name, value in document.items() if name not in wrong}
    return rest, [RecordFault(mark, "must be true or absent") for mark in wrong]


def _model(type_name: str, document: Mapping[str, Any]) -> type[_Document]:
    """The model of a document, whose marks are true; without a type that of what all types have."""
    if "deleted" in document:
        return Deletion
    if type_name and "merge" in document:
        return merge_model(type_name)
    return DOCUMENTS.get(type_name, _Document)


def _of_model(error: ValidationError, type_name: str, model: type[_Document]) -> list[RecordFault]:
    """The faults that the model of a type found, or the one of all types if there is no type."""
    if not type_name:
        found = faults_of(error, {"": _COMMON})
        return [each for each in found if each.field in _COMMON[1:] and each.rule != UNKNOWN]
    names = _NAMES[type_name]
    if model is not Deletion:
        return faults_of(error, names)
    return [
        RecordFault(each.field, "must be left out of a deletion")
        if each.rule == UNKNOWN and each.field in names[""]
        else each
        for each in faults_of(error, {"": _COMMON})
    ]


def _of_several_fields(
    document: Mapping[str, Any], record_type: RecordType
) -> Iterator[RecordFault]:
    """The faults that a model does not find beside those of single values.

    What the fields of a merge need may be stored, so that is checked on the record that results.
    """
    is_whole = "merge" not in document
    if not is_whole and document.keys() <= set(_COMMON):
        yield RecordFault("merge", "needs a field to set")
    for column in record_type.columns:
        value = document.get(column.wire_name)
        if is_whole and column.needs and value is not None and column.needs not in document:
            yield RecordFault(column.wire_name, f"needs {column.needs}")
        yield from _of_size(column, value)


def _of_size(column: Column, value: Any) -> Iterator[RecordFault]:
    """That a value has too many entries or bytes."""
    most = MOST_ENTRIES.get(column.kind)
    if most is not None and isinstance(value, list | dict) and len(value) > most:
        yield RecordFault(column.wire_name, f"must have at most {most} entries")
    if column.kind is Kind.DETAIL and isinstance(value, dict):
        size = len(strict_json.dumps(value).encode())
        if size > MAX_DETAIL_BYTES:
            rule = f"must have at most {MAX_DETAIL_BYTES} bytes as compact JSON"
            yield RecordFault(column.wire_name, rule)


def _in_order(faults: Sequence[RecordFault], type_name: str) -> list[RecordFault]:
    """Faults in the order of the fields, those of a whole field before those inside it."""
    names = _NAMES[type_name][""] if type_name else _COMMON
    places = {name: place for place, name in enumerate(names)}

    def place(fault: RecordFault) -> tuple[int, bool]:
        name, inside, _ = fault.field.partition(".")
        return places.get(name, len(places)), bool(inside)

    return sorted(faults, key=place)
