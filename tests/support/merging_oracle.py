"""Records as their writes make them: full documents, merges and deletions, folded one by one.

Written from docs/contract.md; it imports nothing of rollcall. Every answer is computed from the list of
all writes that were taken so far, so there is no state that could be wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support.oracle import (
    MOST_TIMES,
    TYPES,
    Fact,
    Oracle,
    identifier,
    instant,
    is_integer,
    progress,
    with_defaults,
)

STORED = {"sentiment": "sentiment_milli", "cost": "cost_micros"} | {
    name: f"{name}_ms" for name in ("started_at", "created_at", "occurred_at")
}


@dataclass(frozen=True)
class Write:
    """One write. `sets` has every field that it sets, with None for nothing."""

    kind: str
    sent_id: Any
    is_merge: bool
    is_deletion: bool
    key: tuple[int, bool, int, bytes]
    sets: dict[str, Any]


def write_of(document: dict[str, Any]) -> Write:
    """A valid document, with an `updated_at`, as a write."""
    kind = document["type"]
    checks = {**TYPES[kind].required, **TYPES[kind].optional}
    sent = {name: document[name] for name in checks if name in document}
    given = {n: None if v is None else checks[n](v, n) for n, v in sent.items()}
    given = {n: None if v in (frozenset(), {}) else v for n, v in given.items()}
    is_merge, is_deletion = "merge" in document, "deleted" in document
    sets = given if is_merge else dict.fromkeys(checks) | given
    content = sets if is_merge else with_defaults(kind, given) if not is_deletion else None
    at = instant(document["updated_at"], "updated_at")
    how_far = progress(kind, given) if given.get("status") else -1
    key = (at, is_deletion, how_far, _hash(content) if content is not None else b"")
    return Write(kind, document["id"], is_merge, is_deletion, key, sets)


def _hash(content: dict[str, Any]) -> bytes:
    """SHA-256 of the stored fields as compact JSON."""
    stored = {STORED.get(name, name): _stored(value) for name, value in content.items()}
    text = json.dumps(stored, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:16]


def _stored(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, dict):
        return {key: _entry(entry) for key, entry in value.items()}
    return value


def _entry(entry: Any) -> Any:
    """An entry of a payload, which is a pair of its kind and value, or a count of events."""
    match entry:
        case ("string", text):
            return f"s{text}"
        case ("number", Decimal() as number):
            return f"n{number}"
        case ("boolean", bool() as flag):
            return "true" if flag else "false"
        case ("null", None):
            return "null"
    return entry


@dataclass
class OneRecord:
    """The record of all writes that were taken, and the times at which it has been."""

    taken: list[Write] = field(default_factory=list)
    times: frozenset[int] = frozenset()

    @property
    def content(self) -> dict[str, Any] | None:
        """The fields of the record, defaults filled in; None when there is none."""
        return content_of(self.taken)

    @property
    def updated_at(self) -> int:
        return max(write.key for write in self.taken)[0]

    @property
    def came_as_integer(self) -> bool:
        _, is_integer_ = max((write.key, is_integer(write.sent_id)) for write in self.taken)
        return is_integer_

    def write(self, write: Write) -> str:
        """accepted, unchanged, stale, or `rejected: <field>`, which changes nothing."""
        if self.taken:
            if write.is_merge:
                holders = [_holder(self.taken, name).key for name in write.sets]
            else:
                documents = [w.key for w in self.taken if not w.is_merge]
                holders = [max(documents, default=_NOTHING.key)]
            if all(key > write.key for key in holders):
                return "unchanged" if self._restates(write) else "stale"
            if write.key in holders:
                self.taken.append(write)  # of two forms of one write, one is kept
                return "unchanged"
        content = content_of([*self.taken, write])
        if self._restates(write):
            self.taken.append(write)
            return "unchanged"
        if field_at_fault := self._fault(write, content):
            return f"rejected: {field_at_fault}"
        self.taken.append(write)
        time = TYPES[write.kind].time
        if content is not None and time is not None:
            self.times |= {content[time]}
        return "accepted"

    def _restates(self, write: Write) -> bool:
        """Whether a full document says what is stored, with the time that is stored."""
        if write.is_merge or write.is_deletion or not self.taken or self.content is None:
            return False
        return write.key[0] == self.updated_at and content_of([write]) == self.content

    def _fault(self, write: Write, content: dict[str, Any] | None) -> str | None:
        """The field of the record that would result and that breaks a rule."""
        if content is None:
            values = values_of([*self.taken, write])
            missing = (name for name in TYPES[write.kind].required if values[name] is None)
            return next(missing) if write.is_merge else None
        if write.kind == "call" and content["campaign_id"] and not content["direction"]:
            return "campaign_id"
        time = TYPES[write.kind].time
        is_too_often = time is not None and len(self.times | {content[time]}) > MOST_TIMES
        return time if is_too_often else None


_NOTHING = Write("", "", False, True, (-1, False, -1, b""), {})


def _holder(writes: Sequence[Write], name: str) -> Write:
    """The write that has set a field."""
    setters = [write for write in writes if name in write.sets]
    return max(setters, key=lambda w: (w.key, _form(w.sets[name])), default=_NOTHING)


def _form(value: Any) -> tuple[bool, ...]:
    """Of two forms of the same content, what was sent is above what is left to a default."""
    return () if value is None else (True,)


def values_of(writes: Sequence[Write]) -> dict[str, Any]:
    """What the greatest write of each field gave it."""
    kind = writes[0].kind
    names = [*TYPES[kind].required, *TYPES[kind].optional]
    return {name: _holder(writes, name).sets.get(name) for name in names}


def content_of(writes: Sequence[Write]) -> dict[str, Any] | None:
    """The record that some writes make, None if they make none."""
    if not writes:
        return None
    kind = writes[0].kind
    values = values_of(writes)
    is_whole = all(values[name] is not None for name in TYPES[kind].required)
    last = max((w for w in writes if not w.is_merge), key=lambda w: w.key, default=_NOTHING)
    merged = any(w.is_merge and _holder(writes, n) is w for w in writes for n in w.sets)
    if last.is_deletion and not (merged and is_whole):
        return None
    return with_defaults(kind, {name: value for name, value in values.items() if value is not None})


class MergingOracle(Oracle):
    """One organisation whose records may be merges. Each must be valid and have an `updated_at`."""

    def __init__(self) -> None:
        super().__init__()
        self._records: defaultdict[tuple[str, str], OneRecord] = defaultdict(OneRecord)

    def send(self, document: dict[str, Any]) -> str:
        """What becomes of one record, as `OneRecord.write` says."""
        write = write_of(document)
        key = write.kind, identifier(document["id"], "id")
        record = self._records[key]
        outcome = record.write(write)
        if record.taken:
            content, time_field = record.content, TYPES[write.kind].time
            time = content[time_field] if content and time_field else None
            self.facts[key] = Fact(record.updated_at, content, time, record.came_as_integer)
        return outcome
