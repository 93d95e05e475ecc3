"""Facts, and the rule that resolves an incoming change against the stored fact.

A fact is the stored state of one (type, id): a live record, or the tombstone that a deletion
leaves. It is the join of all accepted writes (rollcall.domain.merging), with the ledger position that
follows from it. Conflict resolution is pure; the fact store writes the result, on condition that the
stored revision has not changed since it was read.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from rollcall.domain.defaults import complete, defaulted
from rollcall.domain.errors import RefusedChange
from rollcall.domain.ids import IntegerId
from rollcall.domain.merging import NEVER, Key, State, join
from rollcall.domain.records import RECORD_TYPES, PayloadValue, Record, RecordType

MAX_CLOCK_SKEW_MS: Final = 5 * 60 * 1000
TOO_NEW: Final = "must not be more than 5 minutes in the future"
# Revisions have 64 bits; the limit leaves room for a higher revision than that of any row.
REV_LIMIT: Final = 2**62
# The times that a fact can leave behind; each is a page that its next move has to check.
MAX_LEFT_BEHIND: Final = 15
# Of the hash in a key, which a fact stores per merge: no two contents share as many.
KEY_BYTES: Final = 16


@dataclass(slots=True)
class Change:
    """One incoming write of a fact: a full document, a merge or, with neither, a deletion.

    `record` is the document, and `defaulted` names its fields that the client left out and that have
    a default value. `merge` has the fields that a merge sets, at least one, by stored name; None
    takes a value away. `detail` is the JSON text of the detail of either, which has its hash.
    `updated_at_ms` is None when the client left it out.
    """

    type: str
    id: str
    updated_at_ms: int | None
    record: Record | None
    defaulted: frozenset[str] = frozenset()
    merge: Mapping[str, Any] | None = None
    detail: str | None = field(default=None, repr=False)

    def without_detail(self) -> Change:
        """The same version of a record without a detail; a merge takes the stored one away."""
        if self.detail is None:
            return self
        record = None if self.record is None else without_detail(self.record)
        merge = self.merge and {**self.merge, "detail": None}
        return replace(self, record=record, merge=merge, detail=None)


@dataclass(frozen=True, slots=True)
class Merges:
    """What merges have set in a fact: `base` and `keys` are `base` and `merged` of its `State`.

    `withheld` has the values of a tombstone: merges that are newer than the deletion set them, and a
    record needs more than these.
    """

    base: Key
    keys: Mapping[str, Key]
    withheld: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Fact:
    """The stored state of one (type, id). `record` is None for a tombstone.

    `time_ms` determines the ledger position: it is the time of the record, or the last one that a
    tombstone had. It is None for types whose time is optional, all of whose rows are at time 0, and
    for the tombstone of an id that never had a record. `left_behind` has the other times at which
    the fact has been, ascending, each once, and `moved_rev` the revision of its last move; it is
    None if the fact never moved, or moved with this very revision. `defaulted` names the fields of
    the record that no client sent. `updated_at_ms` is that of the greatest write. `merges` is None
    unless a merge holds a field.
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
    merges: Merges | None = None

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
    def withheld(self) -> Mapping[str, Any]:
        """The values that a tombstone stores; empty for a live record."""
        return {} if self.merges is None else self.merges.withheld

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
    """An outcome, and the fact to store; None if there is nothing to store."""

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


def detail_hash(detail: str) -> str:
    """The hash of the JSON text of a detail, which the record has in its place."""
    return hashlib.sha256(detail.encode()).hexdigest()


def hash_of_detail(fact: Fact | None) -> str | None:
    """The hash of the detail of a fact, also of one that a tombstone withholds; None without one."""
    if fact is None:
        return None
    return getattr(fact.record, "detail", None) or fact.withheld.get("detail")


def without_detail(record: Record) -> Record:
    """The record as ledger pages hold it."""
    if getattr(record, "detail", None) is None:
        return record
    paged: Record = replace(record, detail=None)
    return paged


def content_hash(record: Record | None) -> bytes:
    """A hash of the stored content, equal only for equal content; empty for a deletion."""
    if record is None:
        return b""
    return _hash({name: getattr(record, name) for name in record.__dataclass_fields__})


def _hash(values: Mapping[str, Any]) -> bytes:
    content = dict(values)
    if payload := content.get("payload"):
        content["payload"] = {key: payload_text(value) for key, value in payload.items()}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


def state_of(fact: Fact) -> State:
    """The state that a fact stores. Without merges, its key follows from its content."""
    values = _values(fact.record, fact.defaulted)
    if fact.merges is None:
        return State(_document_key(fact.type, fact.record, fact.updated_at_ms), {}, values)
    return State(fact.merges.base, fact.merges.keys, {**values, **fact.merges.withheld})


def resolve(stored: Fact | None, change: Change, now_us: int) -> Verdict:
    """Resolve `change` against `stored`, at `now_us` (microseconds since 1970 UTC).

    The new fact is the join of the stored one and the change, so it does not depend on the order in
    which changes arrive. An UNCHANGED change has one too if later changes must be compared with it:
    it has another form, or is a document that says what merges have made of the record.
    Raises RefusedChange when the change would take effect and break a rule.
    """
    now_ms = now_us // 1000
    if stored is None:
        write = state_of_write(change, now_ms)
        return Verdict(Outcome.ACCEPTED, _fact(None, change, change.id, write, now_us))
    before = state_of(stored)
    if change.updated_at_ms is None and _repeats(change, stored, before):
        return Verdict(Outcome.UNCHANGED)
    write = state_of_write(change, max(now_ms, stored.updated_at_ms + 1))
    after = join(before, write)
    is_again = before.has(write) or _restates(change, stored)
    if after == before and not is_again:
        return Verdict(Outcome.STALE)
    id_ = _newest_id((before.greatest, stored.id), (write.greatest, change.id))
    if after == before and after.forms == before.forms and type(id_) is type(stored.id):
        return Verdict(Outcome.UNCHANGED)
    fact = _fact(stored, change, id_, after, now_us)
    return Verdict(Outcome.UNCHANGED if is_again else Outcome.ACCEPTED, fact)


def _newest_id(*written: tuple[Key, str]) -> str:
    """The id as the greatest write has it, of two the one that was sent as an integer."""
    return max(written, key=lambda pair: (pair[0], isinstance(pair[1], IntegerId)))[1]


def _values(record: Record | None, not_sent: frozenset[str]) -> dict[str, Any]:
    """The values of a record that a client sent."""
    if record is None:
        return {}
    names = [name for name in record.__dataclass_fields__ if name not in not_sent]
    return _present({name: getattr(record, name) for name in names})


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that have no value, which may also be an empty set or object."""
    return {name: value for name, value in values.items() if value not in (None, (), {})}


def _document_key(type_name: str, record: Record | None, updated_at_ms: int) -> Key:
    """The key of a full document, or of a deletion."""
    if record is None:
        return Key(updated_at_ms, True, NEVER.progress, b"")
    progress = _progress(type_name, getattr(record, "status", None))
    return Key(updated_at_ms, False, progress, content_hash(record)[:KEY_BYTES])


def _progress(type_name: str, status: str | None) -> int:
    return NEVER.progress if status is None else RECORD_TYPES[type_name].progress(status)


def state_of_write(change: Change, default_updated_at_ms: int) -> State:
    """The state that a change alone makes, at the default time if it has none."""
    updated_at_ms = change.updated_at_ms
    if updated_at_ms is None:
        updated_at_ms = default_updated_at_ms
    if change.merge is None:
        key = _document_key(change.type, change.record, updated_at_ms)
        return State(key, {}, _values(change.record, change.defaulted))
    values = _present(change.merge)
    progress = _progress(change.type, values.get("status"))
    content = _hash({name: values.get(name) for name in change.merge})[:KEY_BYTES]
    key = Key(updated_at_ms, False, progress, content)
    return State(NEVER, dict.fromkeys(change.merge, key), values)


def _repeats(change: Change, stored: Fact, before: State) -> bool:
    """Whether a change without `updated_at` says what is stored."""
    if change.merge is None:
        return not stored.withheld and content_hash(change.record) == content_hash(stored.record)
    said = _present(change.merge)
    is_said = {name: said.get(name) for name in change.merge}
    is_stored = {name: before.values.get(name) for name in change.merge}
    return stored.record is not None and _hash(is_said) == _hash(is_stored)


def _restates(change: Change, stored: Fact) -> bool:
    """Whether a document has the content and the `updated_at` that are stored."""
    return (
        change.record is not None
        and change.updated_at_ms == stored.updated_at_ms
        and content_hash(change.record) == content_hash(stored.record)
    )


def _fact(stored: Fact | None, change: Change, id_: str, state: State, now_us: int) -> Fact:
    """The fact that has `state`, after a change. Raises RefusedChange."""
    record_type = RECORD_TYPES[change.type]
    missing = [
        column.wire_name
        for column in record_type.columns
        if column.is_sent and column.name not in state.values
    ]
    record = None
    if state.is_document or (state.merged and not missing):
        _check_needs(record_type, state.values)
        record = complete(record_type, state.values)
    elif change.merge is not None:
        rest = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        message = f"{change.type} {change.id} is not known; a merge cannot create it without {rest}"
        raise RefusedChange(missing[0], message)
    time_ms, left_behind = _place(stored, record_type, record)
    withheld = state.values if record is None else {}
    return Fact(
        type=change.type,
        id=id_,
        time_ms=time_ms,
        updated_at_ms=state.greatest.updated_at_ms,
        rev=now_us if stored is None else max(stored.rev + 1, now_us),
        record=record,
        defaulted=frozenset() if record is None else defaulted(record_type, state.values),
        left_behind=left_behind,
        moved_rev=_moved_rev(stored, left_behind),
        merges=Merges(state.base, state.merged, withheld) if state.merged else None,
    )


def _check_needs(record_type: RecordType, values: Mapping[str, Any]) -> None:
    for column in record_type.columns:
        if column.needs and column.name in values and column.needs not in values:
            raise RefusedChange(column.wire_name, f"needs {column.needs}")


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
