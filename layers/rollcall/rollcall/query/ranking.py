"""The order of values by how often each occurs."""

from __future__ import annotations

from collections.abc import Mapping


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """(value, count) pairs, the most frequent first, ties by code point."""
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
