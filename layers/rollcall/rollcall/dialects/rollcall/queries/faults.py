"""Faults of a query: all of them at once, each with the JSON pointer of its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollcall.domain.errors import Fault, RefusedQuery
from rollcall.nearest import nearest_first

Path = Sequence[str | int]


class Faults:
    """Collects the faults of one query."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def malformed(self, path: Path, message: str) -> None:
        """Add a fault of shape: another JSON type, an unknown name, or a missing field."""
        self._found.append(Fault(_pointer(path), message, is_malformed=True))

    def out_of_range(self, path: Path, message: str) -> None:
        """Add a fault of a value: out of its range, too long, or too many."""
        self._found.append(Fault(_pointer(path), message, is_malformed=False))

    def unknown(self, path: Path, noun: str, name: str, known: Iterable[str]) -> None:
        """Add a name that is not known; the message lists those that are, the nearest first."""
        listed = ", ".join(nearest_first(name, known))
        self.malformed(path, f"{name[:64]!r} is not {noun}; known are {listed}")

    def has(self, *path: str | int) -> bool:
        """Whether there is a fault at a place or inside it."""
        pointer = _pointer(path)
        return any(
            fault.pointer == pointer or fault.pointer.startswith(f"{pointer}/")
            for fault in self._found
        )

    def refuse(self) -> None:
        """Raises RefusedQuery if there are faults."""
        if self._found:
            raise RefusedQuery(self._found)


def _pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
