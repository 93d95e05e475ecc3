"""The state of a fact as a maximum per field: each field has the value of its greatest write.

A write is a full document, a deletion or a merge, and has a key; keys are totally ordered. A document
sets every field, a deletion sets every field to nothing, a merge sets the fields that it names. A
write is itself a state, and `join` of two states is their maximum per field. It is commutative,
associative and idempotent, so a state is the same for any order, any repetition and any grouping of
its writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from rollcall.domain.ids import IntegerId


class Key(NamedTuple):
    """The order of writes: of two that set a field, the one with the greater key wins.

    `progress` is how far the write's status is, and -1 if it has none. `content` is a hash of what
    the write sets, without the id of the record; empty for a deletion.
    """

    updated_at_ms: int
    is_deletion: bool
    progress: int
    content: bytes


# Less than the key of any write.
NEVER: Final = Key(-1, False, -1, b"")


@dataclass(frozen=True, slots=True)
class State:
    """What some writes have made of a fact.

    `base` is the key of the greatest document or deletion, NEVER if there is none. `merged` has the
    keys of the fields that a merge with a greater key has set. `values` has the fields that have a
    value, by stored name.
    """

    base: Key = NEVER
    merged: Mapping[str, Key] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    def key(self, name: str) -> Key:
        """The key of the write that set a field."""
        return self.merged.get(name, self.base)

    @property
    def is_document(self) -> bool:
        """Whether the greatest document or deletion is a document."""
        return self.base != NEVER and not self.base.is_deletion

    def has(self, write: State) -> bool:
        """Whether a write has been joined before, and has set some field since."""
        if not write.merged:
            return self.base == write.base
        return any(self.key(name) == key for name, key in write.merged.items())

    @property
    def greatest(self) -> Key:
        """The greatest key of all writes."""
        return max((self.base, *self.merged.values()))

    @property
    def forms(self) -> Mapping[str, tuple[bool, ...]]:
        """The form of each value: equal states may have ids that were sent as integers or not."""
        return {name: _form(value) for name, value in self.values.items()}


def join(one: State, other: State) -> State:
    """The state after the writes of both states."""
    if one.base != other.base and not one.merged and not other.merged:
        return max(one, other, key=lambda state: state.base)  # it has set every field
    base = max(one.base, other.base)
    merged: dict[str, Key] = {}
    values: dict[str, Any] = {}
    for name in one.merged.keys() | other.merged.keys() | one.values.keys() | other.values.keys():
        winner = max(one, other, key=lambda state: (state.key(name), _form(state.values.get(name))))
        if winner.key(name) > base:
            merged[name] = winner.key(name)
        if name in winner.values:
            values[name] = winner.values[name]
    return State(base, merged, values)


def _form(value: Any) -> tuple[bool, ...]:
    """Decides between two forms of the same content.

    A value that was sent is above one that is left to its default, and an id that was sent as an
    integer is above the same string.
    """
    if value is None:
        return ()
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(isinstance(part, IntegerId) for part in parts)
