"""What the API and the dialects share: ids, instants and numbers in JSON, and error messages.

The types check the JSON type of a value strictly: nothing is coerced. pydantic describes each in JSON
Schema by its constraints. Ids and instants have parsers of their own, for rules that no constraint
expresses, and so carry their schemas.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError
from typing_extensions import TypeAliasType

from rollcall.domain.validation import MAX_ID_LENGTH, parse_id, parse_instant_text

ID_SCHEMA: Final[dict[str, Any]] = {
    "description": "An id, or a reference to one: a string, or an integer of at most 128 digits."
    " Both are compared as strings; an id sent as an integer is returned as an integer.",
    "anyOf": [
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_ID_LENGTH,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
        },
        {"type": "integer"},
    ],
}
INSTANT_SCHEMA: Final[dict[str, Any]] = {
    "description": "An RFC 3339 instant with an offset or `Z`, in the years 1970 to 9998 (UTC)."
    " Digits below the millisecond are cut off. `T` and `Z` are upper-case; leap seconds are"
    " refused.",
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
}


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise PydanticCustomError("id_type", "must be a string or an integer")
    return parse_id(value)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("number_type", "must be a number")
    return Decimal(value)


Id = TypeAliasType("Id", Annotated[str, PlainValidator(_id), WithJsonSchema(ID_SCHEMA)])
Instant = TypeAliasType(
    "Instant", Annotated[int, PlainValidator(parse_instant_text), WithJsonSchema(INSTANT_SCHEMA)]
)
# Put behind the limits of a Decimal, so that it comes before them: pydantic runs the last one first.
AsNumber: Final = BeforeValidator(_number)

# Messages for pydantic's errors, to follow the name of the field; `{…}` are of the error's context.
_MESSAGES: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "value_error": "{error}",
}


def message_of(problem: ErrorDetails) -> str:
    """The rule that was broken, as a phrase to follow the name of the field."""
    context = problem.get("ctx", {})
    if "pattern" in context:
        context["pattern"] = context["pattern"].strip("^$")
    text = _MESSAGES.get(problem["type"])
    return problem["msg"] if text is None else text.format_map(context)
