"""Error messages for the problems that pydantic finds in a query."""

from __future__ import annotations

from typing import Any


def message_of(problem: Any) -> str:
    """The rule that was broken, as a phrase to follow the name of the field."""
    match problem["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known field"
        case "model_type":
            return "must be an object"
        case "value_error":
            return str(problem["ctx"]["error"])
    return str(problem["msg"])
