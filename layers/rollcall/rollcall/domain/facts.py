"""Facts, and the rule that decides what an incoming version does to the stored one.

A fact is the stored state of one (type, id): a live record, or the tombstone that a deletion
leaves. Judging is pure; writing the verdict under the condition that the stored revision is still
the one that was judged is the fact store's business.
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
# Revisions have 64 bits; past this one, no fact could be sure to outbid a row.
REV_LIMIT: Final = 2**62


@dataclass(slots=True)
class Change:
    """One incoming version of a fact; `record` is None for a deletion.

    `updated_at_ms` is None when the client left it to the server.
    """

    type: str
    id: str
    id_is_integer: bool
    updated_at_ms: int | None
    record: Record | None


@dataclass(slots=True)
class Fact:
    """The stored state of one (type, id). `record` is None for a tombstone.

    `time_ms` fixes the ledger position for ever. It is None for the types whose time is optional,
    which all sit at time 0, and for the tombstone of an id that was never seen alive.
    """

    type: str
    id: str
    id_is_integer: bool
    time_ms: int | None
    updated_at_ms: int
    rev: int
    record: Record | None

    @property
    def has_position(self) -> bool:
        """Whether the fact has a place in the ledger (a deletion of an id never seen has none)."""
        return self.time_ms is not None or RECORD_TYPES[self.type].time_column is None


class StreamFact(NamedTuple):
    """A fact out of the table's stream, and whose it is."""

    org_id: str
    fact: Fact


class Outcome(enum.Enum):
    """What became of one change."""

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
    """One text per payload value; equal texts mean equal values, and types never mix."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "s" + value
        case Decimal():
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
    """A hash of what is stored: equal contents, and only they, have equal hashes."""
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
    """Decide what `change` does to `stored`, by CONTRACT section 2, at `now_us` (µs since 1970).

    The result does not depend on the order in which versions with distinct `updated_at` arrive;
    on equal `updated_at` a deletion wins, then the higher content hash.
    """
    now_ms = now_us // 1000
    record_type = RECORD_TYPES[change.type]
    time_ms = record_type.time_ms(change.record) if change.record is not None else None
    if stored is None:
        updated_at_ms = now_ms if change.updated_at_ms is None else change.updated_at_ms
        return _accept(change, time_ms, updated_at_ms, now_us)

    if stored.time_ms is not None:
        if time_ms is not None and time_ms != stored.time_ms:
            return Verdict(Outcome.TIME_CHANGED)
        time_ms = stored.time_ms

    stored_hash, new_hash = content_hash(stored.record), content_hash(change.record)
    if change.updated_at_ms is None:
        if stored_hash == new_hash:
            return Verdict(Outcome.UNCHANGED)
        updated_at_ms = max(now_ms, stored.updated_at_ms + 1)
    else:
        updated_at_ms = change.updated_at_ms
        if updated_at_ms < stored.updated_at_ms:
            return Verdict(Outcome.STALE)
        if updated_at_ms == stored.updated_at_ms:
            if stored_hash == new_hash:
                return Verdict(Outcome.UNCHANGED)
            new_wins = change.record is None or (
                stored.record is not None and new_hash > stored_hash
            )
            if not new_wins:
                return Verdict(Outcome.STALE)
    return _accept(change, time_ms, updated_at_ms, max(stored.rev + 1, now_us))


def _accept(change: Change, time_ms: int | None, updated_at_ms: int, rev: int) -> Verdict:
    fact = Fact(
        type=change.type,
        id=change.id,
        id_is_integer=change.id_is_integer,
        time_ms=time_ms,
        updated_at_ms=updated_at_ms,
        rev=rev,
        record=change.record,
    )
    return Verdict(Outcome.ACCEPTED, fact)
