"""CSV whose columns are named after the fields of records: which names are known, and cells as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from rollcall.api import strict_json
from rollcall.domain.records import Format
from rollcall.mapping.fields import (
    MARKS,
    PAYLOAD_KINDS,
    Fault,
    field_names,
    formats_of,
    is_field,
    joined,
    nearest,
    without_kind,
)
from rollcall.mapping.transcripts import turns_of
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.checking import all_faults
from rollcall_cli.text import printable

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

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
_TRANSCRIPT = "detail.transcript"
_MOST_LISTED = 20


class UnknownColumns(CommandError):
    """Columns that no field takes, each with what it may mean."""

    def __init__(self, head: str, columns: Sequence[tuple[str, str]], advice: str) -> None:
        listed = [f"{printable(name)}: {hint}" for name, hint in columns[:_MOST_LISTED]]
        if len(columns) > _MOST_LISTED:
            listed.append(f"and {len(columns) - _MOST_LISTED} more")
        self._lines = [head, *listed, advice]
        super().__init__("; ".join(self._lines))

    @property
    def lines(self) -> Sequence[str]:
        return self._lines


def check_columns(file_name: str, columns: Sequence[str], record_type: str | None) -> None:
    """Raises UnknownColumns unless each column is a field of the record type.

    Raises CommandError for two columns of one payload key, and if there is no id or no type.
    """
    names = field_names(record_type)
    unknown = [name for name in columns if not is_field(name, names)]
    if not unknown:
        _check_keys(file_name, columns)
        _check_required(file_name, columns, record_type)
        return
    raise UnknownColumns(
        f"{file_name}: {len(unknown)} of {len(columns)} columns name no field of a record;"
        " nothing was sent",
        [(name, f"nearest are {nearest(name, names)}") for name in unknown],
        "--map FILE.toml maps columns to fields and leaves others out, --suggest-map FILE.toml writes"
        " a first map, and docs/records.md lists the fields",
    )


def _check_keys(file_name: str, columns: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for name in columns:
        field = without_kind(name) if name.startswith("payload.") else name
        if (other := first.setdefault(field, name)) != name:
            raise CommandError(
                f"{file_name}: the columns {printable(other)} and {printable(name)} are both"
                f" {printable(field)}; nothing was sent"
            )


def _check_required(file_name: str, columns: Sequence[str], record_type: str | None) -> None:
    if "id" not in columns:
        raise CommandError(f"{file_name} has no column id; nothing was sent")
    if "type" not in columns and record_type is None:
        raise CommandError(
            f"{file_name} has no column type; --type sets the type of its records; nothing was sent"
        )


class Columns:
    """Converts rows of cells to records; `record_type` is the type of records without one."""

    def __init__(self, columns: Sequence[str], record_type: str | None) -> None:
        formats = formats_of(None) | dict.fromkeys(MARKS, Format.BOOLEAN)
        self._columns = [(name, _kind(name, formats)) for name in columns]
        self._record_type = record_type

    def convert(self, cells: Sequence[str]) -> bytes | tuple[Fault, ...]:
        """The record of a row; an empty cell is an absent field."""
        values: dict[str, str] = {}
        faults = []
        for (name, kind), cell in zip(self._columns, cells, strict=True):
            if not cell:
                continue
            value = _value(kind, cell)
            if value is None:
                faults.append(Fault(name, f"must be a {kind}"))
            else:
                values[name] = value
        if self._record_type is not None:
            values.setdefault("type", json.dumps(self._record_type))
        return all_faults(faults, values) if faults else joined(values)


def _kind(column: str, formats: dict[str, Format]) -> str:
    if column == _TRANSCRIPT:
        return "transcript"
    name, dot, key = column.partition(".")
    format = formats.get(name)
    if format is Format.PAYLOAD and dot:
        # The type of a payload value cannot be inferred from its cell: 007 may be a name.
        return key.rpartition(":")[2] if key.endswith(PAYLOAD_KINDS) else "text"
    if format is None or bool(dot) != (format is Format.COUNTS):
        return "text"
    return _KINDS.get(format, "text")


def _value(kind: str, cell: str) -> str | None:
    """The cell as JSON text, or None if it is not of that kind."""
    match kind:
        case "number":
            return cell.strip() if NUMBER.fullmatch(cell.strip()) else None
        case "boolean":
            return cell.strip().lower() if cell.strip().lower() in ("true", "false") else None
        case "transcript":
            return strict_json.dumps(turns_of(cell))
        case "list":
            entries = [entry.strip() for entry in cell.split("|")]
            return json.dumps([entry for entry in entries if entry], ensure_ascii=False)
    return json.dumps(cell, ensure_ascii=False)
