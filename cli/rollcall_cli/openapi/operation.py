"""The description of an operation: its texts, and the types of its request and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"
# When a function answers 503.
UNAVAILABLE = "Data cannot be reached in time; send the request again after `Retry-After` seconds."


@dataclass(frozen=True, slots=True)
class Answer:
    """A possible answer: when it is sent, and the type of its body (a TypedDict)."""

    description: str
    type: Any
    media_type: str = JSON_TYPE


@dataclass(frozen=True, slots=True)
class Parameter:
    """A header, a query parameter or a part of the path; path parameters are always required."""

    name: str
    place: str
    description: str
    required: bool = False
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One function of the API.

    `answers` are those of the function by status, including errors in its dialect; those of the
    gateway are added. `body` is the type of the request's body, if it has one. `is_metered` is
    whether its 200 has the X-Rollcall headers, `has_csv` whether it is offered as CSV too.
    """

    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    is_metered: bool = False
    has_csv: bool = False


def path_id(name: str, description: str) -> Parameter:
    """An id in the path."""
    return Parameter(
        name, "path", f"{description} Write a slash in it as `%2F`.", schema={"type": "string"}
    )
