"""A ledger page: rows of one record type as columns, and its bytes.

    byte 0        format version (2)
    bytes 1–4     number of rows, u32
    bytes 5–8     size of the directory, u32
    directory     raw deflate of: per column u8 length, name, u8 encoding, u32 size
    columns       raw deflate each, in the directory's order

Each column is decompressed when it is first used, so a query about durations never decodes
payloads. A column in which every value is null is left out. Lists are columns of several values per
row. A payload key that many rows have is a column, `payload.<key>`; all others share the column
`payload` of pairs (`rollcall.ledger.payload_keys`), so that all work on a page takes time in
proportion to the number of its values.

Version 1 is still read: it has a column for every payload key, and lists as joined strings.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import payload_text, payload_value
from rollcall.domain.records import RECORD_TYPES, Kind, PayloadValue, Record, RecordType
from rollcall.domain.records import Column as RecordColumn
from rollcall.ledger.columns import (
    Indices,
    IntColumn,
    TextColumn,
    compress,
    decompress,
)
from rollcall.ledger.encoded import ENTRY, NOTHING, Encoded, PageColumns, places_of
from rollcall.ledger.nested import Column, ListColumn, PairColumn, Pairs
from rollcall.ledger.payload_keys import OWN_KEYS, arranged
from rollcall.ledger.positions import position

FORMAT_VERSION: Final = 2
_READ_VERSIONS: Final = (1, FORMAT_VERSION)

# Columns of pages of every type. `time` also holds the type's own time field.
ID: Final = "id"
REV: Final = "rev"
TIME: Final = "time"
TOMBSTONE: Final = "tombstone"

PAYLOAD: Final = "payload"
_OF_KEY: Final = f"{PAYLOAD}."
# The fields of each type but its time: looking them up is a third of making a row's cells.
_FIELDS: Final = {
    name: tuple((c.name, c.kind) for c in each.paged if c.name != each.time_column)
    for name, each in RECORD_TYPES.items()
}
_PAGED: Final = {name: each.paged for name, each in RECORD_TYPES.items()}
_HEADER: Final = struct.Struct("<BII")

Cell: TypeAlias = int | str | tuple[str, ...] | Pairs | None


@dataclass(slots=True)
class Row:
    """One fact in a ledger page; `record` is None for a tombstone.

    `left_behind` are the tombstones at the positions that the fact has left: they are applied in the
    transaction of the row, and stored as rows of their own.
    """

    id: str
    rev: int
    time_ms: int
    record: Record | None
    left_behind: tuple[Row, ...] = ()

    @property
    def position(self) -> str:
        """The row's position in the ledger."""
        return position(self.time_ms, self.id)


class Rows:
    """Rows of one record type as columns; immutable, and columns are decoded on first use."""

    def __init__(
        self,
        record_type: str,
        count: int,
        columns: dict[str, Column],
        encoded: Encoded | None = None,
    ) -> None:
        self._type: RecordType = RECORD_TYPES[record_type]
        self._count = count
        self._columns = columns
        self._encoded = encoded or NOTHING

    @staticmethod
    def empty(record_type: str) -> Rows:
        """No rows."""
        return Rows(record_type, 0, {})

    @staticmethod
    def joined(record_type: str, parts: Sequence[Rows]) -> Rows:
        """The rows of several parts, in their order, which must be that of time. Raises CorruptItem."""
        names = {name for rows in parts for name in rows.names}
        own = {name.removeprefix(_OF_KEY) for name in names if name.startswith(_OF_KEY)}
        count = sum(map(len, parts))
        columns: dict[str, Column] = {}
        for name in names:
            empty = _empty_column(RECORD_TYPES[record_type], name, 0)
            cells = chain.from_iterable(_cells_in(rows, name, own) for rows in parts)
            columns[name] = empty.changed(range(count), cells, count)
        return Rows(record_type, count, columns)

    def __len__(self) -> int:
        return self._count

    @property
    def names(self) -> set[str]:
        """The columns that have at least one value."""
        return self._columns.keys() | self._encoded.names

    def column(self, name: str) -> Column | None:
        """One column, or None where every value is null."""
        column = self._columns.get(name)
        if column is None and name in self._encoded.names:
            column = self._columns[name] = self._encoded.column(name, self._count)
        return column

    def integers(self, name: str) -> IntColumn:
        """A column of integers; all null if the page lacks it. Raises CorruptItem."""
        column = self.column(name)
        if column is None:
            return IntColumn.nulls(self._count)
        if not isinstance(column, IntColumn):
            raise CorruptItem(f"column {name!r} does not hold integers")
        return column

    def texts(self, name: str) -> TextColumn:
        """A column of strings; all null if the page lacks it. Raises CorruptItem.

        `payload.<key>` is a column of `payload_text`s, wherever the page has the key.
        """
        column = self.column(name)
        if column is None and name.startswith(_OF_KEY):
            column = self.pairs().of_key(name.removeprefix(_OF_KEY))
        if column is None:
            return TextColumn.nulls(self._count)
        if not isinstance(column, TextColumn):
            raise CorruptItem(f"column {name!r} does not hold strings")
        return column

    def lists(self, name: str) -> ListColumn:
        """A column of lists; all empty if the page lacks it. Raises CorruptItem."""
        column = self.column(name)
        if column is None:
            return ListColumn.nulls(self._count)
        if not isinstance(column, ListColumn):
            raise CorruptItem(f"column {name!r} does not hold lists")
        return column

    def pairs(self) -> PairColumn:
        """The payload keys that have no column of their own. Raises CorruptItem."""
        column = self.column(PAYLOAD)
        if column is None:
            return PairColumn.nulls(self._count)
        if not isinstance(column, PairColumn):
            raise CorruptItem(f"column {PAYLOAD!r} does not hold pairs")
        return column

    def ids(self) -> list[str]:
        """Every row's id."""
        return [text or "" for text in self.texts(ID).texts()]

    def positions(self) -> list[str]:
        """Every row's position."""
        times = self.integers(TIME).values.tolist()
        return [position(time, fact_id) for time, fact_id in zip(times, self.ids(), strict=True)]

    def row(self, index: int) -> Row:
        """One row, from all of its columns."""
        cells: dict[str, Cell] = {}
        for name in self.names:
            column = self.column(name)
            if column is not None:  # pragma: no branch - every name has a column
                value = column.get(index)
                if value is not None:
                    cells[name] = value
        return _row_of(self._type, cells)

    def __iter__(self) -> Any:
        return (self.row(index) for index in range(self._count))

    def take(self, indices: Indices) -> Rows:
        """The given rows, in the given order."""
        columns: dict[str, Column] = {}
        for name in self.names:
            column = self.column(name)
            taken = None if column is None else column.take(indices)
            if taken is not None and not taken.is_empty():
                columns[name] = taken
        return Rows(self._type.name, len(indices), columns)

    def with_rows(self, replaced: Mapping[int, Row], added: Sequence[Row]) -> Rows:
        """A copy with some rows replaced and others added, in order of time."""
        count = self._count + len(added)
        cells: dict[str, tuple[list[int], list[Cell]]] = {}
        names = self.names
        if replaced:
            # Values that the new version of a row lacks become null.
            cells = {name: ([*replaced], [None] * len(replaced)) for name in names}
        for index, row in (*replaced.items(), *enumerate(added, self._count)):
            for name, value in _cells_of(self._type, row, names).items():
                indices, values = cells.setdefault(name, ([], []))
                indices.append(index)
                values.append(value)
        columns: dict[str, Column] = {}
        for name in names | cells.keys():
            column = self.column(name)
            if column is None:
                column = _empty_column(self._type, name, self._count)
            columns[name] = column.changed(*cells.get(name, ([], [])), len(added))
        grown = Rows(self._type.name, count, columns)
        times = grown.integers(TIME).values
        if np.count_nonzero(times[1:] < times[:-1]):
            return grown.take(times.argsort(kind="stable"))
        return grown

    def stored(self) -> list[tuple[str, Column]]:
        """(name, column) of each column to store, by name: those with a value, payload keys arranged."""
        self._arrange_payload()
        columns = ((name, self.column(name)) for name in sorted(self.names))
        return [(name, each) for name, each in columns if each is not None and not each.is_empty()]

    def encode(self) -> bytes:
        """The page's bytes; deterministic for equal rows in equal order."""
        directory, bodies = [], []
        for name, column in self.stored():
            encoding, raw = column.encode()
            body = compress(raw)
            encoded_name = name.encode()
            directory.append(
                struct.pack("<B", len(encoded_name))
                + encoded_name
                + ENTRY.pack(encoding, len(body))
            )
            bodies.append(body)
        packed = compress(b"".join(directory))
        return b"".join([_HEADER.pack(FORMAT_VERSION, self._count, len(packed)), packed, *bodies])

    def _arrange_payload(self) -> None:
        """Move payload keys between columns of their own and the shared one; no value changes."""
        own = {name for name in self.names if name.startswith(_OF_KEY)}
        if len(own) <= OWN_KEYS and PAYLOAD not in self.names:
            return
        columns = {name.removeprefix(_OF_KEY): self.texts(name) for name in own}
        columns, shared = arranged(columns, self.pairs())
        others = ((name, self.column(name)) for name in self.names - own)
        self._columns = {name: column for name, column in others if column is not None}
        self._columns[PAYLOAD] = shared
        self._columns |= {f"{_OF_KEY}{key}": column for key, column in columns.items()}
        self._encoded = NOTHING

    @staticmethod
    def decode(record_type: str, data: bytes) -> Rows:
        """The rows that `encode` turned into these bytes.

        Raises CorruptItem on an unknown format version or damaged bytes.
        """
        if len(data) < _HEADER.size or data[0] not in _READ_VERSIONS:
            raise CorruptItem(f"unknown ledger page format {data[:1].hex() or '(no bytes)'}")
        version, count, directory_size = _HEADER.unpack_from(data)
        first = _HEADER.size + directory_size
        places = places_of(decompress(data[_HEADER.size : first]), first)
        if max((end for _, _, end in places.values()), default=first) != len(data):
            raise CorruptItem("ledger page is truncated or has trailing bytes")
        paged = RECORD_TYPES[record_type].paged if version == 1 else ()
        joined = frozenset(column.name for column in paged if column.kind is Kind.IDS)
        return Rows(record_type, count, {}, PageColumns(places, data, joined))


def _cells_in(rows: Rows, name: str, own: Collection[str]) -> list[Cell]:
    """A column's cells, where the payload keys in `own` have columns of their own."""
    column: Column | None
    if name == PAYLOAD:
        column = rows.pairs().without(own)
    elif name.startswith(_OF_KEY):
        column = rows.texts(name)
    else:
        column = rows.column(name)
    return [None] * len(rows) if column is None else list(map(column.get, range(len(rows))))


def _empty_column(record_type: RecordType, name: str, count: int) -> Column:
    if name in (REV, TIME, TOMBSTONE) or name.startswith("events."):
        return IntColumn.nulls(count)
    if name == ID or name.startswith(_OF_KEY):
        return TextColumn.nulls(count)
    match next(c.kind for c in record_type.paged if c.name == name):
        case Kind.INTEGER | Kind.FLAG:
            return IntColumn.nulls(count)
        case Kind.IDS:
            return ListColumn.nulls(count)
        case Kind.PAYLOAD:
            return PairColumn.nulls(count)
    return TextColumn.nulls(count)


def _cells_of(record_type: RecordType, row: Row, names: Collection[str]) -> dict[str, Cell]:
    """The cells of a row that is merged into a page whose columns have these names."""
    cells: dict[str, Cell] = {ID: row.id, REV: row.rev, TIME: row.time_ms}
    if row.record is None:
        cells[TOMBSTONE] = 1
        return cells
    for name, kind in _FIELDS[record_type.name]:
        value = getattr(row.record, name)
        if value is None:
            continue
        match kind:
            case Kind.INTEGER | Kind.TEXT | Kind.ID:
                cells[name] = value
            case Kind.FLAG:
                cells[name] = int(value)
            case Kind.IDS:
                if value:
                    cells[name] = value
            case Kind.COUNTS:
                cells |= {f"{name}.{key}": count for key, count in value.items()}
            case Kind.PAYLOAD:  # pragma: no branch - pages have no other kind
                cells |= _payload_cells(value, names)
    return cells


def _payload_cells(payload: Mapping[str, PayloadValue], names: Collection[str]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    shared = []
    for key in sorted(payload):
        name, text = f"{_OF_KEY}{key}", payload_text(payload[key])
        if name in names:
            cells[name] = text
        else:
            shared.append((key, text))
    return cells | {PAYLOAD: tuple(shared)} if shared else cells


def _row_of(record_type: RecordType, cells: Mapping[str, Any]) -> Row:
    time_ms = cells[TIME]
    if TOMBSTONE in cells:
        return Row(cells[ID], cells[REV], time_ms, None)
    values = {
        column.name: time_ms if column.name == record_type.time_column else _value_of(column, cells)
        for column in _PAGED[record_type.name]
    }
    return Row(cells[ID], cells[REV], time_ms, record_type.cls(**values))


def _value_of(column: RecordColumn, cells: Mapping[str, Any]) -> Any:
    name, prefix = column.name, f"{column.name}."
    match column.kind:
        case Kind.INTEGER | Kind.TEXT | Kind.ID:
            return cells.get(name)
        case Kind.FLAG:
            return bool(cells[name]) if name in cells else None
        case Kind.IDS:
            return cells.get(name, ())
        case Kind.COUNTS:
            return {key: cells[prefix + key] for key in column.choices if prefix + key in cells}
        case Kind.PAYLOAD:  # pragma: no branch - pages have no other kind
            own = ((n.removeprefix(prefix), t) for n, t in cells.items() if n.startswith(prefix))
            return {k: payload_value(t) for k, t in sorted((*own, *cells.get(name, ())))}
