"""Stored rollups made from measures."""

from __future__ import annotations

from collections.abc import Mapping

from rollcall.domain.measures import breakdown_of
from rollcall.ledger import breakdowns
from rollcall.ledger.rollups import StoredRollup


def stored_of(
    measures: Mapping[str, int], spilled: frozenset[str] = frozenset(), version: int = 1
) -> StoredRollup:
    """A rollup as it is stored: without zeros, and without counts of what is spilled."""
    closed = {name: n for name, n in measures.items() if n and breakdown_of(name) is None}
    opened: dict[str, dict[str, int]] = {}
    for name, count in measures.items():
        letter = breakdown_of(name)
        if count and letter is not None and letter not in spilled:
            opened.setdefault(letter, {})[name] = count
    encoded = {letter: breakdowns.encode(letter, values) for letter, values in opened.items()}
    return StoredRollup(closed, encoded, spilled, version)
