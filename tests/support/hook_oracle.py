"""The call that some events of a webhook make, by looking at all of them at once.

Written from docs/providers/README.md and docs/data-model.md; it imports nothing of rollcall. There is
no state: what the events say is computed from the whole set each time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

REQUIRED = ("started_at", "status")


@dataclass(frozen=True)
class Said:
    """What one delivery says of a call: JSON texts by the names of fields.

    `digest` is that of the body. Of two values of a field that of the greater (rank, time, digest) holds.
    """

    rank: int
    time_ms: int
    digest: str
    values: Mapping[str, str]

    @property
    def key(self) -> tuple[int, int, str]:
        return self.rank, self.time_ms, self.digest

    def __hash__(self) -> int:
        return hash(self.key)


def values_of(said: Collection[Said]) -> dict[str, str]:
    """The value of each field, as JSON."""
    found: dict[str, str] = {}
    for each in sorted(said, key=lambda each: each.key):
        found.update(each.values)
    return found


def document_of(call_id: str, said: Collection[Said]) -> dict[str, Any] | None:
    """The record of the call as a client would send it; None before its required fields are known."""
    values = values_of(said)
    if any(name not in values for name in REQUIRED):
        return None
    if "direction" not in values:
        values.pop("campaign_id", None)
    document: dict[str, Any] = {"type": "call", "id": call_id}
    for name, text in values.items():
        group, dot, key = name.partition(".")
        value = json.loads(text, parse_float=Decimal)
        if dot:
            document.setdefault(group, {})[key] = value
        else:
            document[name] = value
    latest_ms = max(each.time_ms for each in said)
    later_ms = len({each.key for each in said}) - 1
    document["updated_at"] = _written(latest_ms + later_ms)
    return document


def _written(milliseconds: int) -> str:
    at = dt.datetime.fromtimestamp(milliseconds // 1_000, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1_000:03d}Z"
