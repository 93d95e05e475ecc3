"""Records with many payload keys and labels of their own."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.support.query_data import PAYLOAD, PAYLOAD_KEYS

# A payload has at most 32 keys.
_OWN_KEYS = 32 - len(PAYLOAD_KEYS)


def widened(record: Any, number: int, random: Random) -> Any:
    """The record with payload keys and labels of its own; most records have the first key."""
    if record["type"] not in ("call", "lead") or "deleted" in record:
        return record
    payload = {PAYLOAD_KEYS[0]: random.choice(PAYLOAD)} if random.random() < 0.9 else {}
    payload |= record.get("payload", {})
    payload |= {f"own.{number}.{key}": f"value {key}" for key in range(_OWN_KEYS)}
    wide = {**record, "payload": payload}
    if record["type"] == "call":
        wide["labels"] = [*record.get("labels", []), *(f"l{number}.{n}" for n in range(20))]
    return wide
