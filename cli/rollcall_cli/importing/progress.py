"""The progress of an import, and the marks by which a later run finds how much of the file is as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from rollcall_cli.importing.source import Position, Source

_MOST_MARKS = 64


@dataclass(slots=True)
class Progress:
    """What has been acknowledged: the rows up to `offset`; their results.

    The bytes up to `bound` have this digest: those up to `offset`, and where rows are joined all that
    were read, because the rows of one call may be anywhere.
    """

    offset: int = 0
    lines: int = 0
    bound: int = 0
    digest: str = ""
    accepted: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    rejected_bytes: int = 0  # length of the file of rejected rows

    @property
    def records(self) -> int:
        """How many rows have been processed."""
        return self.accepted + self.unchanged + self.stale + self.rejected


@dataclass(slots=True)
class Trail:
    """The progress at up to 64 places of the file: the latest is last, the others `stride` batches apart."""

    marks: list[dict[str, Any]] = field(default_factory=list)
    stride: int = 1
    batches: int = 1  # from the mark before the last one to the last one

    def add(self, progress: Progress) -> None:
        """Remember the progress after one more batch."""
        if self.marks and self.batches < self.stride:
            self.marks[-1] = asdict(progress)
            self.batches += 1
            return
        self.marks.append(asdict(progress))
        self.batches = 1
        if len(self.marks) > _MOST_MARKS:
            self.marks = [*self.marks[:-1:2], self.marks[-1]]
            self.batches += self.stride
            self.stride *= 2

    def unchanged(self, opened: Callable[[], Source]) -> Progress | None:
        """The latest progress up to which the file has the bytes that it had; later marks are dropped.

        None if there is none.
        """
        kept = 0
        with opened() as source:
            position = Position.start()
            for mark in self.marks:
                reached = source.advance(position, mark["bound"], mark["lines"])
                if reached is None or reached.digest.hexdigest() != mark["digest"]:
                    break
                position = reached
                kept += 1
        del self.marks[kept:]
        return Progress(**self.marks[-1]) if kept else None
