"""The values of record fields as they come in: checked against CONTRACT section 2, normalised.

Each type parses one JSON value into what is stored, and raises ValueError with the rule it broke.
Nothing is coerced: a text is not a number, 1.0 is not an integer, true is not 1, null is nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import tinycss2.color4
from pydantic import PlainValidator

from rollcall.domain.calendar import parse_instant
from rollcall.domain.limits import (
    EVENT_TYPE,
    MAX_AMOUNT,
    MAX_ID_LENGTH,
    MAX_INTEGER,
    MAX_LABELS,
    MAX_PAYLOAD_KEYS,
    PAYLOAD_KEY,
    check_id,
    check_text,
)
from rollcall.domain.numbers import canonical, scaled
from rollcall.domain.records import (
    CALL_EVENTS,
    CALL_STATUSES,
    DIRECTIONS,
    DISPOSITIONS,
    LEAD_STATUSES,
    TASK_STATUSES,
    PayloadValue,
)

Number: TypeAlias = int | Decimal


def parse_id(value: Any) -> str:
    """An id as text: 1–128 characters without control characters, or an integer of ≤ 128 digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        if len(str(abs(value))) > MAX_ID_LENGTH:
            raise ValueError(f"must be an integer of at most {MAX_ID_LENGTH} digits")
        return str(value)
    if not isinstance(value, str):
        raise ValueError("must be a text or an integer")
    return check_id(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return check_text(value)


def _nullable_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _instant(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 instant")
    return parse_instant(value)


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
    if tinycss2.color4.parse_color(color) is None:
        raise ValueError("must be a CSS colour")
    return color


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
    return {key: _payload_value(value[key]) for key in sorted(value)}


def _payload_value(value: Any) -> PayloadValue:
    match value:
        case None | bool():
            return value
        case str():
            return _text(value)
        case int() | Decimal():
            return payload_number(value)
    raise ValueError("must have values that are text, number, boolean or null")


def payload_number(value: Number) -> Decimal:
    """A payload number in its one form. Raises ValueError past 38 digits or 10^±100."""
    number = Decimal(value)
    out_of_reach = ValueError("must have numbers of a magnitude from 1e-100 to 1e100")
    if not number.is_finite() or (not number.is_zero() and abs(number.adjusted()) > 100):
        raise out_of_reach
    # The text may be long with zeros that carry nothing: "0" alone is of any length.
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > 38:
        raise ValueError("must have numbers of at most 38 significant digits")
    exact = canonical(number)
    if abs(exact) > Decimal("1e100"):
        raise out_of_reach
    return exact


Id = Annotated[str, PlainValidator(parse_id)]
Text = Annotated[str, PlainValidator(_text)]
NullableText = Annotated[str | None, PlainValidator(_nullable_text)]
Instant = Annotated[int, PlainValidator(_instant)]
Flag = Annotated[bool, PlainValidator(_flag)]
Attempt = Annotated[int, PlainValidator(_integer(1))]
Duration = Annotated[int, PlainValidator(_scaled(MAX_AMOUNT, 0))]
Sentiment = Annotated[int, PlainValidator(_scaled(1, 3))]
Cost = Annotated[int, PlainValidator(_scaled(MAX_AMOUNT, 6))]
CallStatus = Annotated[str, PlainValidator(_choice(CALL_STATUSES))]
Disposition = Annotated[str, PlainValidator(_choice(DISPOSITIONS))]
Direction = Annotated[str, PlainValidator(_choice(DIRECTIONS))]
TaskStatus = Annotated[str, PlainValidator(_choice(TASK_STATUSES, {"in_progress": "running"}))]
LeadStatus = Annotated[str, PlainValidator(_choice(LEAD_STATUSES))]
EventType = Annotated[str, PlainValidator(_event_type)]
Color = Annotated[str, PlainValidator(_color)]
Labels = Annotated[tuple[str, ...], PlainValidator(_labels)]
Events = Annotated[dict[str, int], PlainValidator(_events)]
Payload = Annotated[dict[str, PayloadValue], PlainValidator(_payload)]
