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
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from rollcall.domain.errors import RefusedChange
from rollcall.domain.records import RECORD_TYPES, PayloadValue, Record, RecordType

MAX_CLOCK_SKEW_MS: Final = 5 * 60 * 1000
TOO_NEW: Final = "must not be more than 5 minutes in the future"
# Revisions have 64 bits; the limit leaves room for a higher revision than that of any row.
REV_LIMIT: Final = 2**62
# The times that a fact can leave behind; each is a page that its next move has to check.
MAX_LEFT_BEHIND: Final = 15


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

    `time_ms` determines the ledger position: it is the time of the record, or the last one that a
    tombstone had. It is None for types whose time is optional, all of whose rows are at time 0, and
    for the tombstone of an id that never had a record. `left_behind` has the other times at which
    the fact has been, ascending, each once, and `moved_rev` the revision of its last move; it is
    None if the fact never moved, or moved with this very revision. `defaulted` names the fields of
    the record that no client sent.
    """

    type: str
    id: str
    time_ms: int | None
    updated_at_ms: int
    rev: int
    record: Record | None
    defaulted: frozenset[str] = frozenset()
    left_behind: tuple[int, ...] = ()
    moved_rev: int | None = None

    @property
    def last_move(self) -> int:
        """The revision of the last move of a fact that moved.

        Every version at a time that the fact has left has a lower one.
        """
        return self.moved_rev or self.rev

    @property
    def times(self) -> tuple[int, ...]:
        """Every time at which the fact has been, the present one first; none without a position."""
        present = 0 if self.time_ms is None else self.time_ms
        return (present, *self.left_behind) if self.has_position else ()

    def with_rev(self, rev: int) -> Fact:
        """The same fact with a higher revision; that is no move."""
        return replace(self, rev=rev, moved_rev=self.last_move if self.left_behind else None)

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
    With equal `updated_at`, a deletion wins, then the higher content hash. Raises RefusedChange when
    the change would win and move the fact to one time too many.
    """
    now_ms = now_us // 1000
    if stored is None:
        return _accept(None, change, now_ms, now_us)
    outcome = _outcome(stored, change)
    if outcome is not Outcome.ACCEPTED:
        return Verdict(outcome)
    next_ms = max(now_ms, stored.updated_at_ms + 1)
    return _accept(stored, change, next_ms, max(stored.rev + 1, now_us))


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


def _accept(stored: Fact | None, change: Change, default_updated_at_ms: int, rev: int) -> Verdict:
    time_ms, left_behind = _place(stored, RECORD_TYPES[change.type], change.record)
    updated_at_ms = change.updated_at_ms
    fact = Fact(
        type=change.type,
        id=change.id,
        time_ms=time_ms,
        updated_at_ms=default_updated_at_ms if updated_at_ms is None else updated_at_ms,
        rev=rev,
        record=change.record,
        defaulted=change.defaulted,
        left_behind=left_behind,
        moved_rev=_moved_rev(stored, left_behind),
    )
    return Verdict(Outcome.ACCEPTED, fact)


def _place(
    stored: Fact | None, record_type: RecordType, record: Record | None
) -> tuple[int | None, tuple[int, ...]]:
    """The time of a fact that becomes `record`, and the times that it has left behind then.

    A deletion stays where the record was. A time to which the fact returns is not left behind.
    Raises RefusedChange.
    """
    time_ms = record_type.time_ms(record) if record is not None else None
    if stored is None or stored.time_ms is None:
        return time_ms, ()
    if time_ms is None or time_ms == stored.time_ms:
        return stored.time_ms, stored.left_behind
    left_behind = {stored.time_ms, *stored.left_behind} - {time_ms}
    if len(left_behind) > MAX_LEFT_BEHIND:
        field = record_type.time_field or "record"
        raise RefusedChange(field, f"{field} has changed too often")
    return time_ms, tuple(sorted(left_behind))


def _moved_rev(stored: Fact | None, left_behind: tuple[int, ...]) -> int | None:
    """The `moved_rev` of the version that follows `stored`: a move changes what is left behind."""
    if stored is None or not left_behind or left_behind != stored.left_behind:
        return None
    return stored.last_move
