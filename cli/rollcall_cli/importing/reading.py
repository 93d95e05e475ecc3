"""From a file to rows: which format it has, what its header says, and where reading begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rollcall.domain.records import RECORD_TYPES
from rollcall.mapping.fields import field_names
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.columns import Columns, check_columns
from rollcall_cli.importing.delimited import (
    DELIMITERS,
    Header,
    check_names,
    read_header,
    read_layout,
)
from rollcall_cli.importing.delimited import read_rows as read_delimited
from rollcall_cli.importing.documents import Documents
from rollcall_cli.importing.encodings import UTF_8
from rollcall_cli.importing.joining.calls import Calls
from rollcall_cli.importing.joining.rows import joined_rows
from rollcall_cli.importing.json_values import Shape, read_lines, read_values, shape_of
from rollcall_cli.importing.lines import Lines
from rollcall_cli.importing.mapping.header import check_columns as check_mapped
from rollcall_cli.importing.mapping.map_file import NamedMap, zone_option
from rollcall_cli.importing.mapping.mapper import RowMapper
from rollcall_cli.importing.rows import Row
from rollcall_cli.importing.source import Position, Source

FORMATS = ("csv", "json", "jsonl")

_BY_EXTENSION = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is read. `format` is csv, json (in any shape), or jsonl (one value for each line).

    Without a `mapping` its columns and keys are the fields of records. `timezone` is that of times
    without one, and takes the place of the mapping's.
    """

    format: str | None = None
    record_type: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    mapping: NamedMap | None = None
    timezone: str | None = None


class Reading:
    """What is known of a file from its name and its beginning; `notes` are what was detected.

    Raises CommandError if the header names anything that is no field.
    """

    def __init__(self, source: Source, path: Path, options: Options) -> None:
        self._source = source
        self._options = options
        self._mapper = _mapper(options)
        self.notes: list[str] = []
        if source.encoding != UTF_8 and options.encoding is None:
            self.notes.append(f"{source.name} is read as {source.encoding}; --encoding overrides")
        if self._mapper and self._mapper.join:
            self.notes.append(
                f"all rows of {source.name} are read first, to join those of each call"
            )
        format = options.format or _format(path, source.head, options.mapping)
        self._header = self._csv_header() if format == "csv" else None
        self._shape = Shape("lines")
        if format == "json":
            self._shape = shape_of(source.head)

    @property
    def columns(self) -> dict[str, str]:
        """The column of each field, where a map says it."""
        return self._mapper.columns if self._mapper else {}

    @property
    def unclear_times(self) -> int:
        """How many local times so far occur twice or never."""
        return self._mapper.settings.unclear if self._mapper else 0

    def rows(
        self, offset: int, lines: int, wants_to_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Row]:
        """The rows after a position, or all of them. Raises CommandError if the file ends before it.

        Where the map joins rows, all are read now, and those whose last row ends after the position
        are returned; raises Interrupted if `wants_to_stop` ends that.
        """
        if self._mapper and self._mapper.join:
            calls = Calls(self._mapper.join, self._mapper.settings)
            position = self._position(0, 0)
            return joined_rows(
                self._rows(position), position, calls, sent=offset, wants_to_stop=wants_to_stop
            )
        return self._rows(self._position(offset, lines))

    def _position(self, offset: int, lines: int) -> Position:
        begin = self._header.end if self._header else Position.start()
        first = max(begin.offset, self._shape.start)
        if offset <= first:
            offset = first
            lines = begin.lines or self._source.head[:first].count(b"\n")
        position = self._source.advance(Position.start(), offset, lines)
        if position is None:
            raise CommandError(f"{self._source.name} has become shorter while it was read")
        return position

    def _rows(self, position: Position) -> Iterator[Row]:
        chunks, record_type = self._source.chunks(), self._options.record_type
        if self._header is not None:
            convert_cells = (
                self._mapper.convert_cells
                if self._mapper
                else Columns(self._header.columns, record_type).convert
            )
            return read_delimited(Lines(chunks, position), self._header, convert_cells)
        convert = self._mapper.convert_json if self._mapper else Documents(record_type).convert
        if self._shape.kind == "lines":
            return read_lines(Lines(chunks, position), convert)
        return read_values(chunks, position, convert, self._shape.kind)

    def _csv_header(self) -> Header:
        name, options = self._source.name, self._options
        chosen = options.mapping.map if options.mapping else None
        delimiter = options.delimiter or (chosen.delimiter if chosen else None)
        if chosen and chosen.layouts:
            header = read_layout(self._source.head, chosen.layouts, delimiter or ",")
        else:
            known = chosen.reads if chosen else field_names(options.record_type)
            header = read_header(self._source.head, known, delimiter)
        if delimiter is None and header.delimiter != ",":
            named = DELIMITERS.get(header.delimiter, repr(header.delimiter))
            self.notes.append(
                f"the columns of {name} are separated by {named}; --delimiter overrides"
            )
        if self._mapper and options.mapping:
            check_names(header.columns, options.mapping.map.reads)
            self.notes += check_mapped(name, header.columns, options.mapping)
            self._mapper.bind(header.columns)
        else:
            check_names(header.columns)
            check_columns(name, header.columns, options.record_type)
        return header


def _format(path: Path, head: bytes, mapping: NamedMap | None) -> str:
    """The format of the map, else that of the file. A map of JSON reads JSON lines as such."""
    by_file = format_of(path, head)
    by_map = mapping.map.format if mapping else None
    return by_file if by_map is None or (by_map, by_file) == ("json", "jsonl") else by_map


def _mapper(options: Options) -> RowMapper | None:
    if options.mapping is None:
        return None
    zone = zone_option(options.timezone or options.mapping.map.timezone)
    if zone is None and options.mapping.map.join:
        raise CommandError(
            f"{options.mapping.name} joins the rows of a call by their local times: pass --timezone,"
            " such as Europe/Berlin; or pass --legs, which makes each row a call"
        )
    return RowMapper(options.mapping, zone)


def checked_format(given: str | None) -> str | None:
    """The `--format`. Raises CommandError if it is none."""
    if given is not None and given not in FORMATS:
        raise CommandError(f"--format: {given} is not one of {', '.join(FORMATS)}")
    return given


def checked_type(given: str | None) -> str | None:
    """The `--type`. Raises CommandError if it is none."""
    if given is not None and given not in RECORD_TYPES:
        raise CommandError(f"--type: {given} is not one of {', '.join(RECORD_TYPES)}")
    return given


def format_of(path: Path, head: bytes) -> str:
    """The format by the extension before a .gz, else by the first character."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    by_name = _BY_EXTENSION.get(name.suffix.lower())
    return by_name or ("json" if head.lstrip()[:1] in (b"{", b"[") else "csv")
