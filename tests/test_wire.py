"""Ids, instants and numbers in JSON: strict about types, and described as they are checked."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rollcall.domain.validation import is_id
from rollcall.wire import ID_SCHEMA, INSTANT_SCHEMA, AsNumber, Id, Instant, message_of

ID: TypeAdapter[str] = TypeAdapter(Id)
INSTANT: TypeAdapter[int] = TypeAdapter(Instant)
NUMBER: TypeAdapter[Decimal] = TypeAdapter(Annotated[Decimal, Field(ge=0, le=9), AsNumber])


def refusal(adapter: TypeAdapter[Any], value: Any) -> str | None:
    """The message for a value that is refused; None for one that is accepted."""
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return message_of(error.errors(include_url=False, include_input=False)[0])
    return None


@pytest.mark.property
@given(st.text(max_size=140) | st.integers(-(10**130), 10**130))
def test_an_id_is_what_the_domain_takes(value: str | int) -> None:
    if refusal(ID, value) is None:
        assert ID.validate_python(value) == str(value)
        assert is_id(str(value))


@pytest.mark.property
@given(st.text(max_size=140))
@example("a\n")
def test_the_schema_of_an_id_takes_what_is_taken(text: str) -> None:
    schema = ID_SCHEMA["anyOf"][0]
    fits = schema["minLength"] <= len(text) <= schema["maxLength"]
    # ECMA-262, which JSON Schema means, has $ at the end alone; Python also before a last line feed.
    pattern = schema["pattern"].replace("$", r"\Z")
    assert (refusal(ID, text) is None) == bool(fits and re.search(pattern, text))


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, b"x"])
def test_nothing_is_coerced(value: Any) -> None:
    assert refusal(ID, value) == "must be a string or an integer"
    assert refusal(INSTANT, value) == "must be an RFC 3339 instant"
    assert refusal(NUMBER, value) == "must be a number"


@pytest.mark.parametrize(
    "text",
    ["2024-03-01T00:00:00Z", "2024-03-01T23:59:59.123456+05:30", "1970-01-01T00:00:00-00:00"],
)
def test_an_instant_fits_its_schema(text: str) -> None:
    assert refusal(INSTANT, text) is None
    assert re.search(INSTANT_SCHEMA["pattern"], text)


@pytest.mark.parametrize(
    "text",
    ["", "2024-03-01", "2024-03-01T00:00:00", "2024-03-01T24:00:00Z", "2024-03-01t00:00:00z",
     "2024-03-01T00:00:60Z", "2024-03-01T00:00:00+24:00"],
)  # fmt: skip
def test_what_is_no_instant_does_not_fit_its_schema(text: str) -> None:
    assert refusal(INSTANT, text) is not None
    assert not re.search(INSTANT_SCHEMA["pattern"], text)


def test_a_number_has_its_limits() -> None:
    assert NUMBER.validate_python(9) == NUMBER.validate_python(Decimal("9.0")) == 9
    assert refusal(NUMBER, -1) == "must be at least 0"
    assert refusal(NUMBER, Decimal("9.01")) == "must be at most 9"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=3)]
    names: list[str] = Field(default=[], max_length=1)
    pattern: Annotated[str, Field(pattern="^[a-z]$")] = "a"
    counts: dict[str, int] = Field(default={})


BODY: TypeAdapter[Body] = TypeAdapter(Body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "is required"),
        ({"name": "x", "other": 1}, "is not a known field"),
        ({"name": 5}, "must be a string"),
        ({"name": "long"}, "must have at most 3 characters"),
        ({"name": "x", "names": "y"}, "must be a list"),
        ({"name": "x", "names": ["y", "z"]}, "must have at most 1 entries"),
        ({"name": "x", "pattern": "A"}, "must match [a-z]"),
        ({"name": "x", "counts": []}, "must be an object"),
        ({"name": "x", "counts": {"k": "v"}}, "must be an integer"),
    ],
)
def test_a_message_names_the_rule(body: dict[str, Any], message: str) -> None:
    assert refusal(BODY, body) == message
