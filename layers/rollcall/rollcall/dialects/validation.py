"""The words for what pydantic finds wrong with a question."""

from __future__ import annotations

from typing import Any


def message_of(problem: Any) -> str:
    """The rule that was broken, to stand behind the name of the field."""
    match problem["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not known here"
        case "model_type":
            return "must be an object"
        case "value_error":
            return str(problem["ctx"]["error"])
    return str(problem["msg"])
