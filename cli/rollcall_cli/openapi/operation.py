"""What is said of an operation beyond its route: words, and the types that parse and answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that may come back: when it does, and its type (a TypedDict)."""

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

    `answers` are those of the function itself, by status, errors in its dialect included; what the
    gateway answers by itself is added to them. `body` is the type of the request's body, if it
    takes one. `is_metered`: whether its 200 carries the X-Rollcall headers.
    """

    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    is_metered: bool = False


def path_id(name: str, description: str) -> Parameter:
    """An id in the path."""
    return Parameter(
        name, "path", f"{description} `%2F` stands for a slash in it.", schema={"type": "string"}
    )
