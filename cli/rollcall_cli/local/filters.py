"""Lambda's event filter patterns: equality, `prefix` and `exists`; any other operator is an error.

Patterns are OR-ed, the keys inside one are AND-ed, the entries of a list are OR-ed. A pattern that
is not supported raises ValueError when it is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_MISSING = object()
_Matcher = Callable[[Any], bool]


class EventFilter:
    """Selects the stream records that reach the function; without patterns, all of them."""

    def __init__(self, patterns: Sequence[Mapping[str, Any]]) -> None:
        self._patterns = [_compile(pattern, "") for pattern in patterns]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether a record, in the shape of Lambda's event, is selected."""
        return not self._patterns or any(pattern(event) for pattern in self._patterns)


def _compile(pattern: Any, where: str) -> _Matcher:
    if isinstance(pattern, list):
        if not pattern:
            raise ValueError(f"filter pattern {where}: an empty list matches nothing")
        entries = [_compile_entry(entry, where) for entry in pattern]
        return lambda value: any(entry(value) for entry in entries)
    if not isinstance(pattern, dict):
        raise ValueError(f"filter pattern {where}: expected an object or a list")
    fields = {key: _compile(entry, f"{where}.{key}") for key, entry in pattern.items()}

    def matches(value: Any) -> bool:
        inner = value if isinstance(value, Mapping) else {}
        return all(matcher(inner.get(key, _MISSING)) for key, matcher in fields.items())

    return matches


def _compile_entry(entry: Any, where: str) -> _Matcher:
    if not isinstance(entry, dict):
        # The types must be equal too: in JSON, true is not 1.
        return lambda value: type(value) is type(entry) and value == entry
    if len(entry) != 1:
        raise ValueError(f"filter pattern {where}: one operator per entry, not {sorted(entry)}")
    ((operator, argument),) = entry.items()
    match operator, argument:
        case "prefix", str():
            return lambda value: isinstance(value, str) and value.startswith(argument)
        case "exists", bool():
            return lambda value: (value is not _MISSING) is argument
        case _:
            raise ValueError(f"filter pattern {where}: unknown operator {operator!r}")
