"""The fields that queries name: by which they group rows, and on which conditions are set.

Each field is declared once. The parser of queries, the masks of conditions, the grouping of rows and
the schema of queries follow from the declaration.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollcall.domain.choices import CALL_EVENTS
from rollcall.domain.records import RECORD_TYPES, Column, Format, Kind
from rollcall.domain.validation import MAX_AMOUNT, MAX_INTEGER, PAYLOAD_KEY

PAYLOAD_PREFIX: Final = "payload."
EVENT_PREFIX: Final = "event."


class Type(enum.Enum):
    """The type of a field's values in conditions and in answers."""

    TEXT = "text"
    ID = "id"  # a text, which conditions may write as an integer
    NUMBER = "number"
    BOOLEAN = "boolean"
    PAYLOAD = "payload"  # a text, a number or a boolean


class Source(enum.Enum):
    """How a field's value is read from the columns of a row."""

    TEXT = enum.auto()
    LIST = enum.auto()  # several texts
    INTEGER = enum.auto()
    COUNT = enum.auto()  # an integer; null is 0
    FLAG = enum.auto()
    PAYLOAD = enum.auto()
    SENTIMENT_BAND = enum.auto()
    HOUR_OF_DAY = enum.auto()
    DAY_OF_WEEK = enum.auto()


class Op(enum.Enum):
    """The operators of conditions."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BETWEEN = "between"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"


_ANY: Final = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
_NUMBERS: Final = (Op.LT, Op.LTE, Op.GT, Op.GTE, Op.BETWEEN)
_TEXTS: Final = (Op.CONTAINS, Op.STARTS_WITH)
_NULLS: Final = (Op.IS_NULL, Op.NOT_NULL)

OPS: Final[Mapping[Type, tuple[Op, ...]]] = {
    Type.TEXT: (*_ANY, *_TEXTS, *_NULLS),
    Type.ID: (*_ANY, *_TEXTS, *_NULLS),
    Type.NUMBER: (*_ANY, *_NUMBERS, *_NULLS),
    Type.BOOLEAN: (*_ANY, *_NULLS),
    Type.PAYLOAD: (*_ANY, *_NUMBERS, *_TEXTS, *_NULLS),
}
NUMBER_OPS: Final = frozenset(_NUMBERS)
TEXT_OPS: Final = frozenset(_TEXTS)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataset.

    `column` is the stored column, and `places` the decimals that its integers have. A closed field
    has one of `choices`; the number of a field is from `least` to `most`.
    """

    name: str
    type: Type
    source: Source
    column: str
    places: int = 0
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = MAX_INTEGER
    is_dimension: bool = True

    def __hash__(self) -> int:
        """Equal fields have equal names; components are looked up by their fields often."""
        return hash(self.name)

    @property
    def ops(self) -> tuple[Op, ...]:
        """The operators of conditions on the field."""
        return OPS[self.type]


SENTIMENT_BANDS: Final = (
    "negative",
    "slightly_negative",
    "neutral",
    "slightly_positive",
    "positive",
)

_PLACES: Final[Mapping[Format, int]] = {Format.SENTIMENT: 3, Format.COST: 6}
_MOST: Final[Mapping[Format, int]] = {
    Format.SENTIMENT: 1,
    Format.COST: MAX_AMOUNT,
    Format.SECONDS: MAX_AMOUNT,
}


def _clock_fields(record_type: str) -> tuple[Field, ...]:
    column = RECORD_TYPES[record_type].time_column or ""
    return (
        Field("hour_of_day", Type.NUMBER, Source.HOUR_OF_DAY, column, most=23),
        Field("day_of_week", Type.NUMBER, Source.DAY_OF_WEEK, column, least=1, most=7),
    )


def fields_of(record_type: str) -> dict[str, Field]:
    """The fields of a record type by name, without those of its payload."""
    declared = RECORD_TYPES[record_type]
    fields = list(_clock_fields(record_type))
    for column in declared.paged:
        if column.name != declared.time_column:
            fields += _fields_of_column(column)
    return {field.name: field for field in fields}


def payload_field(name: str) -> Field | None:
    """The field `payload.<key>`; None if the name is none, or the key cannot be one."""
    key = name.removeprefix(PAYLOAD_PREFIX)
    return field_of_key(key) if key != name and PAYLOAD_KEY.fullmatch(key) else None


def field_of_key(key: str) -> Field:
    """The field of a payload key."""
    name = f"{PAYLOAD_PREFIX}{key}"
    return Field(name, Type.PAYLOAD, Source.PAYLOAD, name)


def _fields_of_column(column: Column) -> list[Field]:
    name, stored = column.wire_name, column.name
    match column.kind:
        case Kind.TEXT:
            return [Field(name, Type.TEXT, Source.TEXT, stored, choices=column.choices)]
        case Kind.ID:
            return [Field(name, Type.ID, Source.TEXT, stored)]
        case Kind.IDS:
            return [Field(name.removesuffix("s"), Type.ID, Source.LIST, stored)]
        case Kind.FLAG:
            return [Field(name, Type.BOOLEAN, Source.FLAG, stored)]
        case Kind.COUNTS:
            return [
                Field(
                    f"{EVENT_PREFIX}{event}", Type.NUMBER, Source.COUNT, f"{stored}.{event}",
                    is_dimension=False,
                )
                for event in CALL_EVENTS
            ]  # fmt: skip
        case Kind.PAYLOAD:
            return []
    is_ordinal = column.format is Format.ORDINAL
    number = Field(
        name,
        Type.NUMBER,
        Source.INTEGER,
        stored,
        places=_PLACES.get(column.format, 0),
        least=1 if is_ordinal else 0,
        most=_MOST.get(column.format, MAX_INTEGER),
        is_dimension=is_ordinal,
    )
    if column.format is not Format.SENTIMENT:
        return [number]
    band = Field(
        "sentiment_band", Type.TEXT, Source.SENTIMENT_BAND, stored, choices=SENTIMENT_BANDS
    )
    return [number, band]
