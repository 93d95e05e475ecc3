"""What is read from a file: rows, each with its record as it will be sent, or with its faults."""

from __future__ import annotations

from dataclasses import dataclass

from rollcall.mapping.fields import Fault
from rollcall_cli.importing.source import Position


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its first line, how many it spans, its end, its text, its record or faults.

    Where rows are joined, it stands for all of one record: `end` is that of the last, `rows` are the
    first lines of several, and the record depends on all that precedes the offset `bound`, whose
    digest `end` has.
    """

    line_number: int
    lines: int
    end: Position
    text: str
    record: bytes | tuple[Fault, ...]
    is_csv: bool = False
    rows: tuple[int, ...] = ()
    bound: int | None = None


def printable_text(content: bytes) -> str:
    """The text of a row, for the file of rejected rows."""
    return content.decode("utf-8", "replace")
