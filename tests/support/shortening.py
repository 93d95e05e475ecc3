"""Answers whose lists are longer than an example shows."""

from __future__ import annotations

from typing import Any


def shortened(answer: Any, shown: Any) -> Any:
    """The answer with only those entries of its lists that the example shows, in their order."""
    if isinstance(answer, dict) and isinstance(shown, dict):
        return {name: shortened(value, shown.get(name)) for name, value in answer.items()}
    if not (isinstance(answer, list) and isinstance(shown, list)):
        return answer
    found: list[Any] = []
    for entry in answer:
        if len(found) < len(shown):
            candidate = shortened(entry, shown[len(found)])
            if candidate == shown[len(found)]:
                found.append(candidate)
    return found
