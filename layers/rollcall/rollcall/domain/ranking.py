"""The order of everything that is listed by how often it occurs."""

from __future__ import annotations

from collections.abc import Mapping


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """(value, count), the most frequent first, ties in the order of their code points."""
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
