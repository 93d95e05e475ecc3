"""Stored rollups in the oracle's neutral form: (family, scope, bucket, measure) → value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollcall.domain.measures import RollupKey

CLOSED = {"s.": "status", "d.": "disposition", "e.": "event"}
OPEN = {
    ("calls", "o"): "outcome",
    ("calls", "p"): "provider",
    ("calls", "l"): "label",
    ("calls", "t"): "duration",
    ("workspace", "e"): "event_type",
    ("workspace", "r"): "room",
    ("workspace", "b"): "page",
}
# What a name alone counts has the same name in the oracle.
PLAIN = re.compile(r"[a-z_]{3,}")


def neutral(rollups: Iterable[tuple[RollupKey, Mapping[str, int]]]) -> dict[Any, int]:
    """Every measure that is not zero. A name that is not listed stands for itself.

    What each record type has of its own, as in the family `known.call`, is added up.
    """
    totals: Counter[Any] = Counter()
    for key, measures in rollups:
        scope = (key.scope[0].lower(), *key.scope[1:])
        family = key.family.partition(".")[0]
        for name, value in measures.items():
            totals[family, scope, key.bucket, measure(family, name)] += value
    return {name: value for name, value in totals.items() if value}


def measure(family: str, name: str) -> Any:
    """The neutral form of a measure's name."""
    return _open(family, name) if name[1:2] in ("", "=") else _closed(name)


def _closed(name: str) -> Any:
    if PLAIN.fullmatch(name):
        return name
    if name[1:2] == ".":
        return CLOSED.get(name[:2], name[:2]), name[2:]
    kind, value = name[0], name[1:]
    match kind:
        case "h":
            return "hour", int(value)
        case "a":
            return "attempt", value
        case "w":
            return "attempt_successes", value
        case "m":
            return "sentiment", int(value)
    return kind, value


def _open(family: str, name: str) -> Any:
    breakdown, equals, value = name.partition("=")
    meaning = OPEN[family, breakdown]
    if not equals:
        return meaning, None
    return meaning, int(value) if meaning == "duration" else value
