"""The values of record fields, checked against docs/contract.md#writing and normalised.

Each type parses one JSON value into what is stored, and raises ValueError with the rule it broke.
Nothing is coerced: a text is not a number, 1.0 is not an integer, true is not 1, null is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

import tinycss2.color4
from pydantic import PlainValidator, WithJsonSchema
from typing_extensions import TypeAliasType

from rollcall.domain.decimals import scaled
from rollcall.domain.records import (
    CALL_EVENTS,
    CALL_STATUSES,
    DIRECTIONS,
    DISPOSITIONS,
    LEAD_STATUSES,
    TASK_STATUSES,
    PayloadValue,
)
from rollcall.domain.validation import (
    EVENT_TYPE,
    ID_SCHEMA,
    INSTANT_SCHEMA,
    MAX_AMOUNT,
    MAX_INTEGER,
    MAX_LABELS,
    MAX_PAYLOAD_KEYS,
    MAX_TEXT_LENGTH,
    PAYLOAD_KEY,
    check_text,
    parse_id,
    parse_instant_text,
    parse_payload_value,
)

Number: TypeAlias = int | Decimal

# A hexadecimal colour, a name or one closed function. Clients put colours into their pages, so what a
# parser of CSS forgives (comments, escapes, an open bracket) is refused.
_COLOR: Final = re.compile(r" *(#[0-9A-Fa-f]+|[A-Za-z]+(\([A-Za-z0-9 ,./%+-]*\))?) *")
_TASK_SYNONYMS: Final = {"in_progress": "running"}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return check_text(value)


def _nullable_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _integer(least: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("must be an integer")
        if not least <= value <= MAX_INTEGER:
            raise ValueError(f"must be from {least} to {MAX_INTEGER}")
        return value

    return parse


def _number(value: Any, most: int) -> Number:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise ValueError("must be a number")
    if not 0 <= value <= most:
        raise ValueError(f"must be from 0 to {most}")
    return value


def _scaled(most: int, places: int) -> Callable[[Any], int]:
    return lambda value: scaled(_number(value, most), places)


def _choice(choices: tuple[str, ...], synonyms: dict[str, str] | None = None) -> Callable[..., str]:
    accepted = {**{choice: choice for choice in choices}, **(synonyms or {})}

    def parse(value: Any) -> str:
        if not isinstance(value, str) or value not in accepted:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return accepted[value]

    return parse


def _event_type(value: Any) -> str:
    if not isinstance(value, str) or not EVENT_TYPE.fullmatch(value):
        raise ValueError("must have 1 to 64 of a-z, 0-9 and _")
    return value


def _color(value: Any) -> str:
    color = _text(value)
    if not _COLOR.fullmatch(color) or not _is_color(color):
        raise ValueError("must be one CSS colour")
    return color


def _is_color(text: str) -> bool:
    try:
        return tinycss2.color4.parse_color(text) is not None
    except ValueError:  # of a function without arguments
        return False


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of label ids")
    if len(value) > MAX_LABELS:
        raise ValueError(f"must have at most {MAX_LABELS} entries")
    return tuple(sorted({parse_id(entry) for entry in value}))


def _events(value: Any) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError("must be an object of counts")
    unknown = next((key for key in value if key not in CALL_EVENTS), None)
    if unknown is not None:
        raise ValueError(f"must hold only {', '.join(CALL_EVENTS)}")
    count = _integer(0)
    counts = {key: count(value[key]) for key in CALL_EVENTS if key in value}
    return {key: number for key, number in counts.items() if number}


def _payload(value: Any) -> dict[str, PayloadValue]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    if len(value) > MAX_PAYLOAD_KEYS:
        raise ValueError(f"must have at most {MAX_PAYLOAD_KEYS} keys")
    for key in value:
        if not PAYLOAD_KEY.fullmatch(key):
            raise ValueError("must have keys of 1 to 64 letters, digits, '_', '.' and '-'")
    return {key: parse_payload_value(value[key]) for key in sorted(value)}


# ------------------------------------------------------------- what they are called in models
# Beside each parser stands what it accepts, as JSON Schema. What a schema cannot say, that an integer
# must not be written as 1.0 or that a date must exist, is in the description.

_TEXT_SCHEMA: Final = {"type": "string", "maxLength": MAX_TEXT_LENGTH}
_COUNT_SCHEMA: Final = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_PAYLOAD_SCHEMA: Final = {
    "description": "Values of your own, to filter by. Numbers have at most 38 significant digits"
    " and are 0 or of a magnitude from 1e-100 to 1e100; they compare exactly.",
    "type": "object",
    "maxProperties": MAX_PAYLOAD_KEYS,
    "propertyNames": {"pattern": f"^{PAYLOAD_KEY.pattern}$"},
    "additionalProperties": {
        "anyOf": [
            _TEXT_SCHEMA,
            {"type": "number", "minimum": -1e100, "maximum": 1e100},
            {"type": "boolean"},
            {"type": "null"},
        ]
    },
}


def _amount_schema(description: str, most: int = MAX_AMOUNT) -> dict[str, Any]:
    return {"description": description, "type": "number", "minimum": 0, "maximum": most}


def _choice_schema(choices: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(choices)}


Id = TypeAliasType("Id", Annotated[str, PlainValidator(parse_id), WithJsonSchema(ID_SCHEMA)])
Text = Annotated[str, PlainValidator(_text), WithJsonSchema(_TEXT_SCHEMA)]
NullableText = Annotated[
    str | None,
    PlainValidator(_nullable_text),
    WithJsonSchema({**_TEXT_SCHEMA, "type": ["string", "null"]}),
]
Instant = TypeAliasType(
    "Instant",
    Annotated[int, PlainValidator(parse_instant_text), WithJsonSchema(INSTANT_SCHEMA)],
)
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
Attempt = Annotated[
    int, PlainValidator(_integer(1)), WithJsonSchema({**_COUNT_SCHEMA, "minimum": 1})
]
Duration = Annotated[
    int,
    PlainValidator(_scaled(MAX_AMOUNT, 0)),
    WithJsonSchema(_amount_schema("Seconds, stored rounded to a whole one.")),
]
Sentiment = Annotated[
    int,
    PlainValidator(_scaled(1, 3)),
    WithJsonSchema(_amount_schema("From 0, bad, to 1, good; stored rounded to three decimals.", 1)),
]
Cost = Annotated[
    int,
    PlainValidator(_scaled(MAX_AMOUNT, 6)),
    WithJsonSchema(_amount_schema("In the currency of your choice, stored to six decimals.")),
]
CallStatus = Annotated[
    str, PlainValidator(_choice(CALL_STATUSES)), WithJsonSchema(_choice_schema(CALL_STATUSES))
]
Disposition = Annotated[
    str, PlainValidator(_choice(DISPOSITIONS)), WithJsonSchema(_choice_schema(DISPOSITIONS))
]
Direction = Annotated[
    str, PlainValidator(_choice(DIRECTIONS)), WithJsonSchema(_choice_schema(DIRECTIONS))
]
TaskStatus = Annotated[
    str,
    PlainValidator(_choice(TASK_STATUSES, _TASK_SYNONYMS)),
    WithJsonSchema(
        {
            **_choice_schema((*TASK_STATUSES, *_TASK_SYNONYMS)),
            "description": "`in_progress` is read as `running`.",
        }
    ),
]
LeadStatus = Annotated[
    str, PlainValidator(_choice(LEAD_STATUSES)), WithJsonSchema(_choice_schema(LEAD_STATUSES))
]
EventType = Annotated[
    str,
    PlainValidator(_event_type),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{EVENT_TYPE.pattern}$",
            "description": "`room_join`, `booking`, or a type of your own.",
        }
    ),
]
Color = Annotated[
    str,
    PlainValidator(_color),
    WithJsonSchema({**_TEXT_SCHEMA, "description": "A CSS colour: `#4d9de0`, `rebeccapurple`."}),
]
Labels = Annotated[
    tuple[str, ...],
    PlainValidator(_labels),
    WithJsonSchema(
        {
            "type": "array",
            "maxItems": MAX_LABELS,
            "items": ID_SCHEMA,
            "description": "Ids of labels; a set.",
        }
    ),
]
Events = Annotated[
    dict[str, int],
    PlainValidator(_events),
    WithJsonSchema(
        {
            "type": "object",
            "properties": dict.fromkeys(CALL_EVENTS, _COUNT_SCHEMA),
            "additionalProperties": False,
            "description": "How often each happened in the call.",
        }
    ),
]
Payload = TypeAliasType(
    "Payload",
    Annotated[dict[str, PayloadValue], PlainValidator(_payload), WithJsonSchema(_PAYLOAD_SCHEMA)],
)
