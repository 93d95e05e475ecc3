"""The faults of a record: all of them at once, each with the field and the rule it breaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rollcall.nearest import nearest
from rollcall.wire import message_of

UNKNOWN: Final = "is not a known field"

# Longer than the name of any field, and of any key that a payload may have.
_MOST_CHARACTERS: Final = 128
_MOST_OF_PART: Final = 64
# Of pydantic's errors: the last part of the place of a key that is not allowed.
_KEY: Final = "[key]"


@dataclass(frozen=True, slots=True)
class RecordFault:
    """One fault. `field` is `payload.city` for a key of a payload, and `record` for the whole.

    `known` are the names to choose from, where the field is not one of them. The nearest is found
    when the message is read, because a hostile record has more unknown names than are listed.
    """

    field: str
    rule: str
    known: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The rule, as a phrase to follow the name of the field, and the nearest known name."""
        if not self.known:
            return self.rule
        return f"{self.rule}; did you mean {nearest(self.field, self.known)}?"


class RefusedRecord(ValueError):
    """A record has faults: at least one, in the order of its type's fields, unknown fields last."""

    def __init__(self, faults: Sequence[RecordFault]) -> None:
        super().__init__()
        self.faults = faults

    def __str__(self) -> str:
        return "; ".join(f"{fault.field} {fault.message}" for fault in self.faults)


def faults_of(error: ValidationError, known: Mapping[str, Sequence[str]]) -> list[RecordFault]:
    """The faults that a model found, fields in their order, then unknown ones in the order sent.

    `known` has the names of all fields under "", and those of the keys of an object under its name.
    """
    problems = error.errors(include_url=False, include_input=False)
    # The value of a key that is not allowed has no rule of its own.
    not_allowed = {problem["loc"][:-1] for problem in problems if problem["loc"][-1] == _KEY}
    return [_fault(each, known) for each in problems if each["loc"] not in not_allowed]


def _fault(problem: ErrorDetails, known: Mapping[str, Sequence[str]]) -> RecordFault:
    name, *inside = problem["loc"]
    rule = message_of(problem)
    match inside:
        case []:
            names = known[""] if problem["type"] == "extra_forbidden" else ()
            return RecordFault(shown(str(name)), rule, tuple(names))
        case [int(index), *_]:
            return RecordFault(str(name), f"entry {index} {rule}")
        case [key, int(index), *parts]:
            place = "".join(f": {str(part)[:_MOST_OF_PART]}" for part in parts)
            return RecordFault(f"{name}.{key}", f"entry {index}{place} {rule}")
    field = shown(f"{name}.{inside[0]}")
    is_key = inside[-1] == _KEY or problem["type"] == "extra_forbidden"
    if not is_key:
        return RecordFault(field, rule)
    if keys := known.get(str(name)):
        return RecordFault(field, UNKNOWN, tuple(f"{name}.{key}" for key in keys))
    return RecordFault(field, f"has a key that {rule.replace('must match', 'does not match')}")


def shown(field: str) -> str:
    """The name of a field, cut if it is longer than that of any field that could be meant."""
    return field if len(field) <= _MOST_CHARACTERS else f"{field[:_MOST_CHARACTERS]}…"
