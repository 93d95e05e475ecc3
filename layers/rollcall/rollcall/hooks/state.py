"""What is known of one call: a function of the set of events seen, in any order.

Each field holds the value of the greatest event that gave it, by (rank, time, digest of the body); a
field that an event does not give keeps its value. So folding is commutative, associative and
idempotent. What is presumed of a call without an end holds until an event says that it ended, and
changes no field, so it commutes with every event too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from rollcall.domain.errors import CorruptItem
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import format_instant
from rollcall.domain.validation import MAX_DETAIL_BYTES
from rollcall.hooks.delivery import Unmappable
from rollcall.hooks.events import DETAIL, Event
from rollcall.mapping.fields import joined

# Enough that two of the events of a call never share one.
_DIGEST_CHARACTERS = 16
# 16 bytes for each in an item of at most 400 KB; a call has some dozens of events.
_MOST_EVENTS = 5_000
# Counts as an event, so that the record with what is presumed wins over the one before.
_PRESUMPTION = hashlib.sha256(b"the end of this call is presumed").hexdigest()[:_DIGEST_CHARACTERS]
_CALL = RECORD_TYPES["call"]


class Stamped(NamedTuple):
    """A value as JSON text, and the event that gave it."""

    rank: int
    time_ms: int
    digest: str
    value: str


@dataclass(frozen=True, slots=True)
class CallState:
    """The fields of a call, the digests of the events seen, and the latest time of any.

    `presumed` are values, as JSON texts, that hold while no event says that the call ended.
    """

    fields: Mapping[str, Stamped] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()
    latest_ms: int = 0
    presumed: Mapping[str, str] = field(default_factory=dict)

    def folded(self, event: Event) -> CallState:
        """The state with one event more. Raises Unmappable for a call with too many events."""
        digest, seen = event.digest[:_DIGEST_CHARACTERS], _digest(event)
        if seen not in self.digests and len(self.digests) >= _MOST_EVENTS:
            raise Unmappable(f"the call has more than {_MOST_EVENTS:,} events")
        fields = dict(self.fields)
        for name, value in event.values.items():
            stamped = Stamped(event.rank, event.time_ms, digest, value)
            fields[name] = max(fields.get(name, stamped), stamped)
        latest_ms = max(self.latest_ms, event.time_ms)
        return CallState(fields, self.digests | {seen}, latest_ms, self.presumed)

    def presuming(self, values: Mapping[str, str]) -> CallState:
        """The state with values, as JSON texts, for a call whose end never came."""
        return replace(self, digests=self.digests | {_PRESUMPTION}, presumed=dict(values))

    @property
    def has_ended(self) -> bool:
        """Whether an event says that the call ended."""
        status = self.value("status")
        return status is not None and status not in _CALL.early_statuses

    @property
    def open_since_ms(self) -> int | None:
        """The time of the last event, while no event says that the call ended."""
        return None if self.has_ended else self.latest_ms

    def value(self, name: str) -> Any:
        """The value of a field; None while no event gave one."""
        stamped = self.fields.get(name)
        return None if stamped is None else json.loads(stamped.value)

    def record(self, call_id: str) -> bytes | None:
        """The record of the call as JSON; None before its required fields are known.

        Its `updated_at` is the latest time of any event, and a millisecond later for each further
        event: more is known then, so the record must win over the one before. Of a detail that is too
        long as a whole, the longest parts are left out.
        """
        columns = {column.wire_name: column for column in _CALL.columns}
        values = {name: stamped.value for name, stamped in self.fields.items()}
        if not self.has_ended:
            values |= self.presumed
        if any(column.is_sent and name not in values for name, column in columns.items()):
            return None
        for name, column in columns.items():
            if column.needs is not None and column.needs not in values:
                values.pop(name, None)
        _fit_detail(values)
        updated_at_ms = self.latest_ms + len(self.digests) - 1
        head = {"type": '"call"', "id": json.dumps(call_id, ensure_ascii=False)}
        values = head | dict(sorted(values.items()))
        values["updated_at"] = f'"{format_instant(updated_at_ms)}"'
        record = joined(values)
        if isinstance(record, tuple):
            raise Unmappable("a text is not UTF-8")
        return record

    def to_text(self) -> str:
        """The state as JSON, equal for equal states."""
        fields = {name: list(stamped) for name, stamped in sorted(self.fields.items())}
        document = {"fields": fields, "digests": sorted(self.digests), "latest_ms": self.latest_ms}
        if self.presumed:
            document["presumed"] = dict(sorted(self.presumed.items()))
        return json.dumps(document, separators=(",", ":"))

    @staticmethod
    def of_text(text: str) -> CallState:
        """The inverse of `to_text`. Raises CorruptItem."""
        try:
            document: Any = json.loads(text)
            fields = {name: Stamped(*stamped) for name, stamped in document["fields"].items()}
            presumed = dict(document.get("presumed", {}))
            digests = frozenset(document["digests"])
            return CallState(fields, digests, document["latest_ms"], presumed)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptItem(f"not the state of a call: {error}") from None


def _digest(event: Event) -> str:
    """What identifies an event. A body that is signed again is another one: its time is another."""
    text = f"{event.rank} {event.time_ms} {event.digest}"
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def _fit_detail(values: dict[str, str]) -> None:
    """Remove the longest parts of the detail until it has a size that a record may have."""
    sizes = {
        name: len(f'"{name.removeprefix(DETAIL)}":{value},'.encode("utf-8", "surrogatepass"))
        for name, value in values.items()
        if name.startswith(DETAIL)
    }
    # Two braces, and no comma after the last part.
    while sizes and sum(sizes.values()) + 1 > MAX_DETAIL_BYTES:
        longest = max(sizes, key=lambda name: (sizes[name], name))
        del sizes[longest], values[longest]
