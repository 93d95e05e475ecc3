"""CSV (RFC 4180) of an answer's rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, TextIO, TypeAlias

from rollcall.domain.time.calendar import MS_PER_DAY, day_text
from rollcall.domain.time.periods import Bounds
from rollcall.domain.time.zones import Zone
from rollcall.query.values import offset_ms

Cell: TypeAlias = str | int | float | Decimal | bool | None

# A spreadsheet would read a text that begins with one of these as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A header and rows with CRLF; null is an empty cell, and texts cannot become formulas."""
    text = io.StringIO()
    write_csv(text, header, rows)
    return text.getvalue()


def write_csv(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write what `to_csv` returns, row by row."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(map(_text, header))
    writer.writerows([_text(cell) for cell in row] for row in rows)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell
        case Decimal():
            return format(cell, "f")
    return str(cell)


def file_name(subject: str, bounds: Bounds, zone: Zone) -> str:
    """The name of a file: the subject and the local dates of its range, `all` where it is open."""
    first, last = "all", "all"
    if bounds.start_ms is not None:
        first = _date(bounds.start_ms, zone)
    if bounds.end_ms is not None:
        last = _date(bounds.end_ms - 1, zone)
    return f"rollcall-{subject}-{first}_{last}.csv"


def _date(instant_ms: int, zone: Zone) -> str:
    return day_text((instant_ms + offset_ms(zone, instant_ms)) // MS_PER_DAY)
