"""Facts, and the rule that resolves an incoming version against the stored one.

A fact is the stored state of one (type, id): a live record, or the tombstone that a deletion
leaves. Conflict resolution is pure; the fact store writes the result, on condition that the stored
revision has not changed since it was read.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from rollcall.domain.records import RECORD_TYPES, PayloadValue, Record

MAX_CLOCK_SKEW_MS: Final = 5 * 60 * 1000
TOO_NEW: Final = "must not be more than 5 minutes in the future"
# Revisions have 64 bits; the limit leaves room for a higher revision than that of any row.
REV_LIMIT: Final = 2**62


@dataclass(slots=True)
class Change:
    """One incoming version of a fact; `record` is None for a deletion.

    `updated_at_ms` is None when the client left it out. `defaulted` names the fields of the record
    that the client left out and that have a default value.
    """

    type: str
    id: str
    updated_at_ms: int | None
    record: Record | None
    defaulted: frozenset[str] = frozenset()


@dataclass(slots=True)
class Fact:
    """The stored state of one (type, id). `record` is None for a tombstone.

    `time_ms` determines the ledger position and never changes. It is None for types whose time is
    optional, all of whose rows are at time 0, and for the tombstone of an id that never had a
    record. `defaulted` names the fields of the record that no client sent.
    """

    type: str
    id: str
    time_ms: int | None
    updated_at_ms: int
    rev: int
    record: Record | None
    defaulted: frozenset[str] = frozenset()

    @property
    def has_position(self) -> bool:
        """Whether the fact has a ledger position; a tombstone may have none."""
        return self.time_ms is not None or RECORD_TYPES[self.type].time_column is None


class StreamFact(NamedTuple):
    """A fact from the table's stream, and its organisation."""

    org_id: str
    fact: Fact


class Outcome(enum.Enum):
    """The result of one change."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    STALE = "stale"
    TIME_CHANGED = "time changed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and, when it is ACCEPTED, the fact to store."""

    outcome: Outcome
    fact: Fact | None = None


def payload_text(value: PayloadValue) -> str:
    """A string per payload value; only values of equal type and content have equal strings."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "s" + value
        case Decimal():  # pragma: no branch - mypy checks that every case is here
            return "n" + str(value)


def payload_value(text: str) -> PayloadValue:
    """The inverse of `payload_text`."""
    match text[:1]:
        case "s":
            return text[1:]
        case "n" if text != "null":
            return Decimal(text[1:])
    return {"null": None, "true": True, "false": False}[text]


def content_hash(record: Record | None) -> bytes:
    """A hash of the stored content, equal only for equal content; empty for a deletion."""
    if record is None:
        return b""
    content: dict[str, Any] = {}
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        if isinstance(value, Mapping):
            is_payload = name == "payload"
            value = {k: payload_text(v) if is_payload else v for k, v in value.items()}
        content[name] = value
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


def resolve(stored: Fact | None, change: Change, now_us: int) -> Verdict:
    """Resolve `change` against `stored`, at `now_us` (microseconds since 1970 UTC).

    The result does not depend on the order in which versions with distinct `updated_at` arrive.
    With equal `updated_at`, a deletion wins, then the higher content hash.
    """
    now_ms = now_us // 1000
    record_type = RECORD_TYPES[change.type]
    time_ms = record_type.time_ms(change.record) if change.record is not None else None
    if stored is None:
        return _accept(change, time_ms, now_ms, now_us)
    if stored.time_ms is not None:
        if time_ms is not None and time_ms != stored.time_ms:
            return Verdict(Outcome.TIME_CHANGED)
        time_ms = stored.time_ms
    outcome = _outcome(stored, change)
    if outcome is not Outcome.ACCEPTED:
        return Verdict(outcome)
    next_ms = max(now_ms, stored.updated_at_ms + 1)
    return _accept(change, time_ms, next_ms, max(stored.rev + 1, now_us))


def _outcome(stored: Fact, change: Change) -> Outcome:
    updated_at_ms = change.updated_at_ms
    if updated_at_ms is not None and updated_at_ms != stored.updated_at_ms:
        return Outcome.ACCEPTED if updated_at_ms > stored.updated_at_ms else Outcome.STALE
    stored_hash, new_hash = content_hash(stored.record), content_hash(change.record)
    if stored_hash == new_hash:
        return Outcome.UNCHANGED
    if updated_at_ms is None or change.record is None:
        return Outcome.ACCEPTED
    is_higher = stored.record is not None and new_hash > stored_hash
    return Outcome.ACCEPTED if is_higher else Outcome.STALE


def _accept(change: Change, time_ms: int | None, default_updated_at_ms: int, rev: int) -> Verdict:
    updated_at_ms = change.updated_at_ms
    fact = Fact(
        type=change.type,
        id=change.id,
        time_ms=time_ms,
        updated_at_ms=default_updated_at_ms if updated_at_ms is None else updated_at_ms,
        rev=rev,
        record=change.record,
        defaulted=change.defaulted,
    )
    return Verdict(Outcome.ACCEPTED, fact)
