"""Pages as releases with format version 1 wrote them: a column per payload key, and joined lists.

The columns themselves are encoded as they still are.
"""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rollcall.domain.facts import payload_text
from rollcall.domain.records import RECORD_TYPES, Kind
from rollcall.ledger.columns import IntColumn, TextColumn, compress
from rollcall.ledger.page import Row

WRITTEN = Path(__file__).with_name("pages_of_version_1.json")


def written() -> dict[str, bytes]:
    """Pages that the last release of version 1 wrote, by the name of their rows."""
    return {name: b64decode(data) for name, data in json.loads(WRITTEN.read_text("utf-8")).items()}


def encode(type_name: str, rows: Sequence[Row]) -> bytes:
    """The bytes of rows that are in the order of time."""
    cells = [dict(_cells(type_name, row)) for row in rows]
    directory, bodies = b"", []
    for name in sorted({name for of_row in cells for name in of_row}):
        values = [of_row.get(name) for of_row in cells]
        kind: Any = TextColumn if any(isinstance(value, str) for value in values) else IntColumn
        encoding, raw = kind.nulls(len(rows)).changed(range(len(rows)), values, 0).encode()
        bodies.append(compress(raw))
        directory += struct.pack("<B", len(name)) + name.encode()
        directory += struct.pack("<BI", encoding, len(bodies[-1]))
    packed = compress(directory)
    return b"".join([struct.pack("<BII", 1, len(rows), len(packed)), packed, *bodies])


def _cells(type_name: str, row: Row) -> Iterator[tuple[str, int | str]]:
    record_type = RECORD_TYPES[type_name]
    yield from (("id", row.id), ("rev", row.rev), ("time", row.time_ms))
    if row.record is None:
        yield "tombstone", 1
        return
    for column in record_type.paged:
        name, value = column.name, getattr(row.record, column.name)
        if value is None or name == record_type.time_column:
            continue
        if column.kind is Kind.IDS:
            if value:
                yield name, "\x1f".join(value)
        elif column.kind is Kind.COUNTS:
            yield from ((f"{name}.{key}", count) for key, count in value.items())
        elif column.kind is Kind.PAYLOAD:
            yield from ((f"{name}.{key}", payload_text(entry)) for key, entry in value.items())
        else:
            yield name, int(value) if column.kind is Kind.FLAG else value
