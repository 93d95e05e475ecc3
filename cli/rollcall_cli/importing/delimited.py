"""Read delimited text: the delimiter and the names of the columns from the header, then rows of cells."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rollcall.mapping.fields import Fault
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.lines import MAX_RECORD_BYTES, Lines
from rollcall_cli.importing.rows import Row, printable_text
from rollcall_cli.importing.source import Position

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

Converts = Callable[[list[str]], "bytes | tuple[Fault, ...]"]

_SEPARATOR_LINE = "sep="


@dataclass(frozen=True, slots=True)
class Header:
    """The delimiter, the columns without empty ones at the end, and where the header ends."""

    delimiter: str
    columns: list[str]
    end: Position


def delimiter_named(name: str | None) -> str | None:
    """The delimiter of a `--delimiter`; None if none is named. Raises CommandError."""
    if name is None:
        return None
    delimiter = {"tab": "\t", "\\t": "\t"}.get(name, name)
    if (
        len(delimiter) != 1
        or not delimiter.isascii()
        or delimiter in '"\r\n'
        or delimiter.isalnum()
    ):
        raise CommandError(
            f"--delimiter: {name} is not one of , ; | tab or another single character"
        )
    return delimiter


def read_header(head: bytes, known: Collection[str], delimiter: str | None = None) -> Header:
    """The header of a file that begins with `head`.

    A line `sep=;` before it names the delimiter. Else it is that of , ; tab | which finds the most
    columns that are `known`, and then the most columns. Raises CommandError if there is no header.
    """
    lines = Lines([head], Position.start())
    first = _next_filled(lines)
    if first.lower().startswith(_SEPARATOR_LINE) and len(first) == len(_SEPARATOR_LINE) + 1:
        delimiter = delimiter or first[-1]
        first = ""
    elif delimiter is None:
        delimiter = max(DELIMITERS, key=lambda each: _promise(first, each, known))
    return Header(delimiter, *_columns(lines, first, delimiter))


def read_layout(head: bytes, layouts: Collection[list[str]], delimiter: str) -> Header:
    """The header of a file that has none: the layout with as many columns as the first row has cells.

    Raises CommandError if there is no such layout.
    """
    text = _next_filled(Lines([head], Position.start()))
    try:
        width = len(next(csv.reader([text], delimiter=delimiter), []))
    except csv.Error as error:
        raise CommandError(f"line 1 is not a row of CSV: {error}") from error
    for columns in layouts:
        if len(columns) == width:
            return Header(delimiter, list(columns), Position.start())
    widths = ", ".join(str(len(columns)) for columns in layouts)
    raise CommandError(f"the first row has {width} cells, and the map has layouts of {widths}")


def _next_filled(lines: Lines) -> str:
    for line in lines:
        text = line.decode("utf-8", "surrogateescape").strip("\r\n")
        if text.strip():
            return text
    return ""


def _promise(line: str, delimiter: str, known: Collection[str]) -> tuple[int, int]:
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return 0, 0
    return len(set(names) & set(known)), len(names)


def _columns(lines: Lines, first: str, delimiter: str) -> tuple[list[str], Position]:
    start = lines.position.lines
    more = (line.decode("utf-8", "surrogateescape") for line in lines)
    reader = csv.reader(_after(first, more), delimiter=delimiter, strict=True)
    try:
        cells = next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error as error:
        raise CommandError(f"line {max(start, 1)} is not a CSV header: {error}") from error
    columns = [cell.strip() for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise CommandError("the first line must name the columns")
    return columns, lines.position


def _after(first: str, more: Iterable[str]) -> Iterator[str]:
    if first:
        yield first + "\n"
    yield from more


def check_names(columns: list[str], used: Collection[str] | None = None) -> None:
    """Raises CommandError unless each column that is used has a name of its own; None: all are."""
    if used is None and "" in columns:
        raise CommandError(f"column {columns.index('') + 1} has no name")
    for name in columns if used is None else used:
        if columns.count(name) > 1:
            raise CommandError(f"the column {name} occurs twice")


def read_rows(lines: Lines, header: Header, convert: Converts) -> Iterator[Row]:
    """The rows of `lines`; blank ones are left out. At most one record is held in memory."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    taken = _Taken(lines)
    reader = csv.reader(taken, delimiter=header.delimiter, strict=True)
    width = len(header.columns)
    while True:
        taken.clear()
        first = lines.position.lines + 1
        record: bytes | tuple[Fault, ...]
        try:
            cells = next(reader, None)
        except (csv.Error, _TooLong) as error:
            record = (Fault("record", f"is not a row of CSV: {error}"),)
        else:
            if cells is None:
                return
            if not any(map(str.strip, cells)):
                continue
            record = convert(cells[:width]) if _fits(cells, width) else (_misfit(cells, width),)
        end = lines.position
        yield Row(first, end.lines - first + 1, end, taken.text(), record, is_csv=True)


def _fits(cells: list[str], width: int) -> bool:
    return len(cells) == width or (len(cells) > width and not any(map(str.strip, cells[width:])))


def _misfit(cells: list[str], width: int) -> Fault:
    return Fault("record", f"has {len(cells)} cells for {width} columns")


class _TooLong(Exception):
    """A record has more than MAX_RECORD_BYTES."""


@dataclass(slots=True)
class _Taken:
    """The lines that the CSV reader took for one record."""

    lines: Lines
    _taken: list[bytes] = field(default_factory=list)
    _size: int = 0

    def __iter__(self) -> _Taken:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self._size += len(line)
        if self._size > MAX_RECORD_BYTES:
            raise _TooLong("it has more than 2,000,000 bytes")
        self._taken.append(line)
        # Bytes that are not UTF-8 become lone surrogates, which the conversion refuses.
        return line.decode("utf-8", "surrogateescape")

    def clear(self) -> None:
        self._taken.clear()
        self._size = 0

    def text(self) -> str:
        return printable_text(b"".join(self._taken).strip(b"\r\n"))


def quote_line(row: Row) -> int:
    """The line on which the quote opens that spans the most lines of a row."""
    opened, best, longest = row.line_number, row.line_number, -1
    is_open = False
    for number, line in enumerate(row.text.encode().splitlines(), row.line_number):
        for _ in range(line.replace(b'""', b"").count(b'"')):
            if is_open and number - opened > longest:
                best, longest = opened, number - opened
            opened, is_open = number, not is_open
    if is_open and row.line_number + row.lines - 1 - opened > longest:
        best = opened
    return best
