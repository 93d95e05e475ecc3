"""A stored rollup, and the write that changes it.

Pure, and without numpy, which most functions that read rollups do without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rollcall.domain.measures import CALLS, RollupKey, breakdown_of
from rollcall.ledger import breakdowns

# The most bytes of a breakdown as it is stored; a larger one is spilled.
BREAKDOWN_LIMIT_BYTES: Final = 64 * 1024
_CLOSED_BYTES: Final = 2_000  # every closed measure, with the largest counts


@dataclass(frozen=True, slots=True)
class RollupPut:
    """Replace a rollup, if the stored item still has `version_read` (0: if there is none).

    `counts` are the closed measures, without zeros, and `breakdowns` the bytes of each open one
    that has values. `spilled` are those that are not counted: queries read them from the ledger.
    """

    key: RollupKey
    counts: Mapping[str, int]
    breakdowns: Mapping[str, bytes]
    spilled: frozenset[str]
    version_read: int

    @property
    def size(self) -> int:
        """The bytes of the measures, at most."""
        return _CLOSED_BYTES + sum(map(len, self.breakdowns.values()))


@dataclass(frozen=True, slots=True)
class RollupDelete:
    """Delete a rollup that becomes empty, if it still has `version_read`."""

    key: RollupKey
    version_read: int


RollupWrite: TypeAlias = RollupPut | RollupDelete


@dataclass(frozen=True, slots=True)
class StoredRollup:
    """A rollup as read, with the bytes of its breakdowns; version 0 if it is not stored.

    Versions are never reused, not even by a rollup that is created again after a deletion.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    breakdowns: Mapping[str, bytes] = field(default_factory=dict)
    spilled: frozenset[str] = frozenset()
    version: int = 0

    @property
    def measures(self) -> dict[str, int]:
        """All measures, closed and open. Raises CorruptItem if a breakdown is damaged."""
        measures = dict(self.counts)
        for breakdown, data in self.breakdowns.items():
            measures |= breakdowns.decode(breakdown, data)
        return measures


def write_rollup(key: RollupKey, delta: Mapping[str, int], stored: StoredRollup) -> RollupWrite:
    """The write that adds `delta` to a rollup that was read.

    Counts that reach zero are left out, and a rollup without counts is deleted. A breakdown that is
    too large is spilled: it is replaced by a permanent mark, and queries read it from the ledger, in
    full. Raises CorruptItem if a breakdown that changes is damaged.
    """
    changes: dict[str | None, dict[str, int]] = {}
    for name, amount in delta.items():
        changes.setdefault(breakdown_of(name), {})[name] = amount
    counts = _sum(stored.counts, changes.pop(None, {}))
    encoded, spilled = dict(stored.breakdowns), set(stored.spilled)
    for breakdown, added in changes.items():
        if breakdown is not None and breakdown not in spilled:
            data = _changed(breakdown, encoded.pop(breakdown, None), added)
            if len(data) > BREAKDOWN_LIMIT_BYTES:
                spilled.add(breakdown)
            elif data:
                encoded[breakdown] = data
    # Every call is in the closed measures too, so without them there are no calls, and the marks are
    # obsolete. Other families may have rows that only a spilled breakdown counted.
    is_marked = bool(spilled) and key.family != CALLS
    if stored.version and not (counts or encoded or is_marked):
        return RollupDelete(key, stored.version)
    return RollupPut(key, counts, encoded, frozenset(spilled), stored.version)


def _changed(breakdown: str, data: bytes | None, added: Mapping[str, int]) -> bytes:
    """The bytes of a breakdown after an addition; empty if no value is left."""
    counts = _sum({} if data is None else breakdowns.decode(breakdown, data), added)
    return breakdowns.encode(breakdown, counts) if counts else b""


def put_rollup(key: RollupKey, measures: Mapping[str, int], stored: StoredRollup) -> RollupWrite:
    """The write that makes a rollup that was read hold exactly `measures`, apart from what is spilled."""
    return write_rollup(key, measures, StoredRollup(spilled=stored.spilled, version=stored.version))


def _sum(counts: Mapping[str, int], added: Mapping[str, int]) -> dict[str, int]:
    """The sums that are not zero."""
    total = dict(counts)
    for name, amount in added.items():
        total[name] = total.get(name, 0) + amount
    return {name: count for name, count in total.items() if count}
