"""Read records from a file of JSON lines, which are passed on as they are, or of CSV.

A row that is not a record is yielded with its fault, so that it is reported and the next rows are
read. At most one record is held in memory.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rollcall.api import strict_json
from rollcall.domain.records import RECORD_TYPES, Format
from rollcall_cli.errors import CommandError

MAX_RECORD_BYTES = 2_000_000

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# The kinds of cells that are not text. The column's name gives the kind of a payload value.
_KINDS = {
    Format.ORDINAL: "number",
    Format.SECONDS: "number",
    Format.MILLISECONDS: "number",
    Format.SENTIMENT: "number",
    Format.COST: "number",
    Format.COUNTS: "number",
    Format.BOOLEAN: "boolean",
    Format.IDS: "list",
}
_FORMATS = {
    column.wire_name: column.format
    for record_type in RECORD_TYPES.values()
    for column in record_type.columns
} | {"deleted": Format.BOOLEAN}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is not sent: the field at fault (`record` for the whole) and a message."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: its first line, its end (line and byte), and its record or fault."""

    line_number: int
    end_line: int
    end_offset: int
    text: str
    record: bytes | Fault


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file has been read: complete rows, as bytes and as lines."""

    offset: int = 0
    lines: int = 0


def detect_format(path: Path, given: str | None) -> str:
    """`jsonl` or `csv`, as given or by the extension. Raises CommandError if neither is."""
    if given is not None:
        if given not in ("jsonl", "csv"):
            raise CommandError(f"--format: {given} is neither jsonl nor csv")
        return given
    match path.suffix.lower():
        case ".csv":
            return "csv"
        case ".jsonl" | ".ndjson" | ".json":
            return "jsonl"
    raise CommandError(f"the format of {path.name} is unknown; pass --format jsonl or --format csv")


def read_rows(
    file: BinaryIO, format: str, record_type: str | None, start: Position
) -> Iterator[Row]:
    """The rows after `start`; `record_type` is the type of records without one."""
    if format == "csv":
        return _csv_rows(file, record_type, start)
    return _json_rows(file, record_type, start)


# ------------------------------------------------------------------------------ JSON lines
def _json_rows(file: BinaryIO, record_type: str | None, start: Position) -> Iterator[Row]:
    file.seek(start.offset)
    offset, number = start.offset, start.lines
    # One byte over the limit shows that the line is longer.
    while line := file.readline(MAX_RECORD_BYTES + 1):
        number += 1
        offset += len(line)
        record: bytes | Fault
        if len(line) > MAX_RECORD_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(65_536)
                offset += len(line)
            yield Row(number, number, offset, "", Fault("record", "the line is too long"))
            continue
        content = (line.removeprefix(_BOM) if number == 1 else line).strip(b" \t\r\n")
        if content:
            record = _checked(content, record_type)
            yield Row(number, number, offset, content.decode("utf-8", "replace"), record)


def _checked(content: bytes, record_type: str | None) -> bytes | Fault:
    """The bytes if they are a strict JSON object; any other line would make its batch malformed."""
    try:
        value = strict_json.loads(content)
    except strict_json.MalformedJson as error:
        return Fault("record", str(error).replace("the body", "the line"))
    if not isinstance(value, dict):
        return Fault("record", "the line is not a JSON object")
    if record_type is None or "type" in value:
        return content
    head = b'{"type":' + json.dumps(record_type).encode()
    return head + (b"," if value else b"") + content[1:].lstrip(b" \t\r\n")


# ------------------------------------------------------------------------------------- CSV
def _csv_rows(file: BinaryIO, record_type: str | None, start: Position) -> Iterator[Row]:
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise CommandError(f"line 1 is not a CSV header: {error}") from error
    columns = _columns(header)
    if start.offset > lines.offset:
        lines.seek(start)
    while True:
        lines.taken.clear()
        first = lines.count + 1
        record: bytes | Fault
        try:
            cells = next(reader, None)
        except csv.Error as error:
            record = Fault("record", f"not a row of CSV: {error}")
        else:
            if cells is None:
                return
            if not cells:
                continue
            record = _converted(columns, cells, record_type)
        text = "".join(lines.taken).strip("\r\n")
        yield Row(first, lines.count, lines.offset, _printable(text), record)


class _Lines:
    """Lines of text for the CSV reader, with the bytes and lines read so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.offset = 0
        self.count = 0
        self.taken: list[str] = []
        file.seek(0)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_RECORD_BYTES)
        if not line:
            raise StopIteration
        content = line.removeprefix(_BOM) if self.offset == 0 else line
        self.offset += len(line)
        self.count += 1
        # Bytes that are not UTF-8 become lone surrogates, which the check of the record refuses.
        text = content.decode("utf-8", "surrogateescape")
        self.taken.append(text)
        return text

    def seek(self, position: Position) -> None:
        self._file.seek(position.offset)
        self.offset, self.count = position.offset, position.lines


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _columns(header: list[str] | None) -> list[str]:
    names = [name.strip() for name in header or []]
    if not any(names):
        raise CommandError("the first line must name the columns")
    if "" in names:
        raise CommandError(f"column {names.index('') + 1} has no name")
    for name in names:
        if names.count(name) > 1:
            raise CommandError(f"the column {name} occurs twice")
    return names


def _converted(columns: list[str], cells: list[str], record_type: str | None) -> bytes | Fault:
    if len(cells) != len(columns):
        return Fault("record", f"has {len(cells)} cells for {len(columns)} columns")
    # JSON text for each value, so that a number keeps its digits.
    fields: dict[str, str] = {}
    nested: dict[str, dict[str, str]] = {}
    for name, cell in zip(columns, cells, strict=True):
        if cell == "":
            continue
        group, dot, key = name.partition(".")
        kind = _kind(name)
        if group == "payload" and dot:
            key = key.removesuffix(":number").removesuffix(":boolean")
        value = _value(kind, cell)
        if value is None:
            return Fault(name, f"must be a {kind}")
        if dot and group in ("events", "payload"):
            nested.setdefault(group, {})[key] = value
        else:
            fields[name] = value
    if record_type is not None:
        fields.setdefault("type", json.dumps(record_type))
    for group, entries in nested.items():
        fields[group] = _object(entries)
    content = _object(fields).encode("utf-8", "surrogatepass")
    try:
        strict_json.loads(content)
    except strict_json.MalformedJson:
        return Fault("record", "the line is not UTF-8")
    return content


def _kind(column: str) -> str:
    name, dot, key = column.partition(".")
    format = _FORMATS.get(name)
    if format is Format.PAYLOAD and dot:
        # The type of a payload value cannot be inferred from its cell: 007 may be a name.
        return key.rpartition(":")[2] if key.endswith((":number", ":boolean")) else "text"
    if format is None or bool(dot) != (format is Format.COUNTS):
        return "text"
    return _KINDS.get(format, "text")


def _value(kind: str, cell: str) -> str | None:
    """The cell as JSON text, or None if it is not of that kind."""
    match kind:
        case "number":
            return cell.strip() if _NUMBER.fullmatch(cell.strip()) else None
        case "boolean":
            return cell.strip().lower() if cell.strip().lower() in ("true", "false") else None
        case "list":
            entries = [entry.strip() for entry in cell.split("|")]
            return json.dumps([entry for entry in entries if entry], ensure_ascii=False)
    return json.dumps(cell, ensure_ascii=False)


def _object(entries: dict[str, str]) -> str:
    pairs = (f"{json.dumps(k, ensure_ascii=False)}:{v}" for k, v in entries.items())
    return "{" + ",".join(pairs) + "}"
