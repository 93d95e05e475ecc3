"""Raw records, as `POST /v1/records` took them, brought to what queries see.

The plainest reading of the contract's rules for records: ids by their text, numbers rounded as they
are stored, instants to the millisecond, defaults filled in, and of all versions of an id the one that
wins. The records are taken to be valid. It imports nothing of `rollcall`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.oracle import exact, identifier, instant, payload_object, rounded

Content = dict[str, Any]

TIME = {
    "call": "started_at",
    "task": "created_at",
    "lead": "created_at",
    "room": "created_at",
    "recording": "created_at",
    "contact": "created_at",
    "contact_event": "occurred_at",
}
IDS = (
    "campaign_id space_token template_id merchant_id reseller_id lead_id "
    "workspace_id room_id booking_page_id"
).split()
PLACES = {"duration_seconds": 0, "sentiment": 3, "cost": 6}
"""The decimal places to which a number is stored."""

EARLY_STATUSES = {
    "call": ["queued", "ringing", "in_progress"],
    "task": ["pending", "running", "hold"],
    "lead": ["BACKLOG", "PROCESSING", "RETRY"],
}
"""The statuses that come before all others of their type, in order."""


class UndecidedTie(Exception):
    """Equal times, equal statuses, different content: the content hash would decide."""


@dataclass(frozen=True)
class Version:
    """One record as it is stored: `content` has every field that was given; None is a deletion."""

    type: str
    id: str
    sent_id: str | int
    updated_at: int | None
    content: Content | None
    shown: Content
    """The fields as a search shows them."""


def written(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def version_of(record: Mapping[str, Any]) -> Version:
    updated_at = record.get("updated_at")
    fields = {
        name: value
        for name, value in record.items()
        if name not in ("type", "id", "updated_at", "deleted", "detail")
    }
    type = record["type"]
    return Version(
        type,
        identifier(record["id"], "id"),
        record["id"],
        None if updated_at is None else instant(updated_at, "updated_at"),
        None if "deleted" in record else {n: stored(type, n, v) for n, v in fields.items()},
        {n: shown(n, v) for n, v in fields.items() if v not in ([], {})},
    )


def stored(type: str, name: str, value: Any) -> Any:
    """A field's value as it is filtered, grouped and summed."""
    if name.endswith("_at"):
        return instant(value, name)
    if name in IDS:
        return identifier(value, name)
    if name in PLACES:
        return Decimal(rounded(exact(value), PLACES[name])).scaleb(-PLACES[name])
    if name == "labels":
        return {identifier(label, name) for label in value}
    if name == "payload":
        return payload_object(value, name)
    if (type, name, value) == ("task", "status", "in_progress"):
        return "running"
    return value


def shown(name: str, value: Any) -> Any:
    """A field's value as a search gives it back: normalised, ids as they came."""
    if name.endswith("_at"):
        return written(instant(value, name))
    if name in PLACES:
        return stored("call", name, value)
    if name == "labels":
        by_text = {identifier(label, name): label for label in value}
        return [by_text[text] for text in sorted(by_text)]
    if name == "payload":
        return {key: entry for key, (_, entry) in payload_object(value, name).items()}
    return value


def winners(records: Iterable[Mapping[str, Any]], received_ms: int) -> dict[Any, Version]:
    """The version that wins of each (type, id); deletions are among them.

    `received_ms` is when the records without `updated_at` were received. Raises UndecidedTie.
    """
    facts: dict[tuple[str, str], Version] = {}
    for record in records:
        new = version_of(record)
        old = facts.get((new.type, new.id))
        if new.updated_at is None:
            if old is not None and old.content == new.content:
                continue
            time = received_ms
            if old is not None and old.updated_at is not None:
                time = max(time, old.updated_at + 1)
            new = Version(new.type, new.id, new.sent_id, time, new.content, new.shown)
        if old is None or wins(new, old):
            facts[new.type, new.id] = new
    return facts


def wins(new: Version, old: Version) -> bool:
    assert new.updated_at is not None
    assert old.updated_at is not None
    if new.updated_at != old.updated_at:
        return new.updated_at > old.updated_at
    if new.content == old.content:
        return False
    if new.content is None or old.content is None:
        return new.content is None
    if new.type in EARLY_STATUSES:
        ranks = [rank(new.type, content["status"]) for content in (new.content, old.content)]
        if ranks[0] != ranks[1]:
            return ranks[0] > ranks[1]
    raise UndecidedTie


def rank(type: str, status: str) -> int:
    early = EARLY_STATUSES[type]
    return early.index(status) if status in early else len(early)


def with_defaults(type: str, content: Content) -> Content:
    """The content with every default that the contract gives."""
    if type == "call":
        answered = (
            content["status"] == "completed"
            and content.get("disposition") != "voicemail_left"
            and content.get("duration_seconds") != 0
        )
        return {"attempt": 1, "answered": answered, **content}
    return content
