"""The types of record fields in JSON: each checks a value and turns it into what is stored.

Types are strict: a string is not a number, 1.0 is not an integer, true is not 1, and null is refused
(docs/contract.md#writing).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Literal

import tinycss2.color4
from pydantic import AfterValidator, Field, PlainValidator, StringConstraints
from typing_extensions import TypeAliasType

from rollcall.api.records.detail import StoredDetail
from rollcall.domain.decimals import scaled
from rollcall.domain.records import Column, Format, Kind, PayloadValue
from rollcall.domain.validation import (
    EVENT_TYPE,
    MAX_AMOUNT,
    MAX_INTEGER,
    MAX_LABELS,
    MAX_PAYLOAD_KEYS,
    MAX_TEXT_LENGTH,
    PAYLOAD_KEY,
    parse_payload_value,
)
from rollcall.wire import AsNumber, Id, Instant

# A hexadecimal colour, a name or one closed function. Clients put colours into their pages, so what a
# parser of CSS forgives (comments, escapes, an open bracket) is refused.
_COLOR: Final = re.compile(r" *(#[0-9A-Fa-f]+|[A-Za-z]+(\([A-Za-z0-9 ,./%+-]*\))?) *")


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text) or not _is_color(text):
        raise ValueError("must be one CSS colour")
    return text


def _is_color(text: str) -> bool:
    try:
        return tinycss2.color4.parse_color(text) is not None
    except ValueError:  # of a function without arguments
        return False


def _set(ids: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(ids)))


def _sorted(payload: dict[str, PayloadValue]) -> dict[str, PayloadValue]:
    return dict(sorted(payload.items()))


Text = Annotated[str, StringConstraints(strict=True, max_length=MAX_TEXT_LENGTH)]
EventType = Annotated[str, StringConstraints(strict=True, pattern=f"^{EVENT_TYPE.pattern}$")]
Color = Annotated[Text, AfterValidator(_color)]
Boolean = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
Ordinal = Annotated[int, Field(strict=True, ge=1, le=MAX_INTEGER)]
# Infinite is what a number is whose exponent no Decimal holds; the limit refuses it.
_Amount = Annotated[Decimal, Field(ge=0, le=MAX_AMOUNT, allow_inf_nan=True), AsNumber]
_Share = Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=True), AsNumber]
Seconds = Annotated[_Amount, AfterValidator(partial(scaled, places=0))]
Sentiment = Annotated[_Share, AfterValidator(partial(scaled, places=3))]
Cost = Annotated[_Amount, AfterValidator(partial(scaled, places=6))]
Ids = Annotated[
    list[Id], Field(strict=True, json_schema_extra={"maxItems": MAX_LABELS}), AfterValidator(_set)
]
_PayloadKey = Annotated[str, StringConstraints(pattern=f"^{PAYLOAD_KEY.pattern}$")]
_PayloadNumber = Annotated[Decimal, Field(ge=-1e100, le=1e100)]
_PayloadValue = Annotated[
    Any,
    PlainValidator(parse_payload_value, json_schema_input_type=Text | _PayloadNumber | bool | None),
]
Payload = TypeAliasType(
    "Payload",
    Annotated[
        dict[_PayloadKey, _PayloadValue],
        Field(
            strict=True,
            json_schema_extra={"maxProperties": MAX_PAYLOAD_KEYS},
            description="Values of your own, to filter by. Numbers have at most 38 significant"
            " digits and are 0 or of a magnitude from 1e-100 to 1e100; they compare exactly.",
        ),
        AfterValidator(_sorted),
    ],
)

# How many entries a value may have. The types do not check it: pydantic would report either that there
# are too many or what is wrong with some.
MOST_ENTRIES: Final[Mapping[Kind, int]] = {Kind.IDS: MAX_LABELS, Kind.PAYLOAD: MAX_PAYLOAD_KEYS}

_TYPES: Final[Mapping[Format, Any]] = {
    Format.ID: Id,
    Format.IDS: Ids,
    Format.TEXT: Text,
    Format.TEXT_OR_NULL: Text | None,
    Format.EVENT_TYPE: EventType,
    Format.COLOR: Color,
    Format.BOOLEAN: Boolean,
    Format.ORDINAL: Ordinal,
    Format.INSTANT: Instant,
    Format.SECONDS: Seconds,
    Format.MILLISECONDS: Count,
    Format.SENTIMENT: Sentiment,
    Format.COST: Cost,
    Format.PAYLOAD: Payload,
    Format.DETAIL: StoredDetail,
}


def type_of(column: Column) -> Any:
    """The pydantic type of a field."""
    match column.format:
        case Format.CHOICE:
            return _choice(column.choices, column.synonyms)
        case Format.COUNTS:
            return _counts(column.choices)
    return _TYPES[column.format]


def one_of(choices: tuple[str, ...]) -> Any:
    """The type of a string that is one of `choices`."""
    literal: Any = Literal
    return literal[choices]


def _choice(choices: tuple[str, ...], synonyms: Mapping[str, str]) -> Any:
    if not synonyms:
        return one_of(choices)
    read = AfterValidator(lambda value: synonyms.get(value, value))
    return Annotated[one_of((*choices, *synonyms)), read]


def _counts(names: tuple[str, ...]) -> Any:
    def above_zero(counts: dict[str, int]) -> dict[str, int]:
        return {name: counts[name] for name in names if counts.get(name)}

    by_name: Any = dict
    return Annotated[by_name[one_of(names), Count], Field(strict=True), AfterValidator(above_zero)]
