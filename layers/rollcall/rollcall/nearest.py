"""Known names by their likeness to one that is not known, for messages."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

# No known name is longer, and the time of a comparison grows with the length.
_MOST_CHARACTERS: Final = 64


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """Known names, the most similar first; equally similar ones in their order."""

    def distance(other: str) -> float:
        return -SequenceMatcher(None, name[:_MOST_CHARACTERS].lower(), other.lower()).ratio()

    return sorted(known, key=distance)


@functools.lru_cache(maxsize=4_096)  # the records of a request mostly have the same wrong names
def nearest(name: str, known: tuple[str, ...]) -> str:
    """The most similar of the known names, of which there is at least one."""
    return nearest_first(name, known)[0]
