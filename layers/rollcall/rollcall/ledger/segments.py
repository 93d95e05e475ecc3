"""A segment: the rows of neighbouring pages at rest, stored for queries instead of for writes.

A segment has two parts with one version. *Values* has every column that a query counts by, and the
marks of tombstones, each column in bytes of its own, so that a query reads the columns that it names.
*Identities* has ids and revisions: half of all bytes, for writers and searches. The directory, a part of the values, names every column of both parts:

    deflated JSON: {"n": number of rows, "columns": {name: [encoding, CRC-32 of the bytes, zone]}}

A zone is null, [smallest, largest] of integers, or a list of the distinct texts if they are few; of
lists, those of their entries. It says nothing of rows without a value. Queries skip a segment whose
zones show that no row can match. The bytes of a column are those of a page.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.columns import NULL, IntColumn, TextColumn, compress, decompress
from rollcall.ledger.encoded import decoded
from rollcall.ledger.nested import Column, ListColumn
from rollcall.ledger.page import ID, REV, Rows
from rollcall.ledger.tree import Page

FORMAT_VERSION: Final = 1
IDENTITIES: Final = frozenset({ID, REV})
# A zone of texts has at most this many, and at most this many characters in all.
_MAX_TEXTS: Final = 16
_MAX_CHARACTERS: Final = 512

# The values of a column: from smallest to largest, or every text; None: any.
Zone: TypeAlias = tuple[int, int] | frozenset[str] | None


class ColumnNotRead(LookupError):
    """A column of a segment is used that was not read with it: an error of the reader."""


class Entry(NamedTuple):
    """What the directory says of a column: its encoding, the CRC-32 of its bytes, and its zone.

    The zone is as JSON has it: most queries read one zone of a directory, or none.
    """

    encoding: int
    checksum: int
    stored_zone: Any

    @property
    def zone(self) -> Zone:
        """The zone. Raises CorruptItem."""
        match self.stored_zone:
            case None:
                return None
            case [int(least), int(most)]:
                return least, most
            case [*texts] if all(isinstance(text, str) for text in texts):
                return frozenset(texts)
        raise CorruptItem("a zone is a pair of integers or a list of texts")


# `Entry` of three values, in a fraction of the time: every read of a segment makes one per column.
_entry: Final[Callable[[Iterable[Any]], Entry]] = partial(tuple.__new__, Entry)


@dataclass(frozen=True, slots=True)
class Directory:
    """The number of rows of a segment, and its columns; every other column is all null."""

    count: int
    columns: Mapping[str, Entry]

    def named(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that are columns with a value."""
        return self.columns.keys() & set(names)

    def encode(self) -> bytes:
        """The bytes of the directory; deterministic."""
        document = {"n": self.count, "columns": dict(sorted(self.columns.items()))}
        return compress(json.dumps(document, separators=(",", ":")).encode())

    @staticmethod
    def decode(data: bytes) -> Directory:
        """The directory that `encode` turned into these bytes. Raises CorruptItem, but not for zones."""
        try:
            document = json.loads(decompress(data))
            stored = document["columns"]
            lengths = set(map(len, stored.values()))
            columns = dict(zip(stored, map(_entry, stored.values()), strict=True))
            directory = Directory(int(document["n"]), columns)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise CorruptItem(f"damaged directory: {error}") from error
        if lengths - {len(Entry._fields)}:
            raise CorruptItem("damaged directory: a column has an encoding, a checksum and a zone")
        return directory


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A segment to store: its range, the number of its rows, and the bytes of its parts."""

    start: str
    end: str
    count: int
    directory: bytes
    values: Mapping[str, bytes]
    identities: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """The bytes of both parts together."""
        columns = (*self.values.values(), *self.identities.values())
        return len(self.directory) + sum(map(len, columns))


def encode(start: str, end: str, rows: Rows) -> EncodedSegment:
    """The segment that holds exactly `rows`; deterministic for equal rows in equal order."""
    entries: dict[str, Entry] = {}
    bodies: dict[str, bytes] = {}
    for name, column in rows.stored():
        encoding, raw = column.encode()
        bodies[name] = compress(raw)
        zone = zone_of(column)
        stored_zone = sorted(zone) if isinstance(zone, frozenset) else zone
        entries[name] = Entry(encoding, zlib.crc32(bodies[name]), stored_zone)
    return EncodedSegment(
        start,
        end,
        len(rows),
        Directory(len(rows), entries).encode(),
        {name: body for name, body in bodies.items() if name not in IDENTITIES},
        {name: body for name, body in bodies.items() if name in IDENTITIES},
    )


def joined(record_type: str, pages: Sequence[Page]) -> Rows:
    """The rows of neighbouring pages, in their order, tombstones included. Raises CorruptItem."""
    return Rows.joined(record_type, [page.rows for page in pages])


def rows_of(record_type: str, directory: Directory, bodies: Mapping[str, bytes], name: str) -> Rows:
    """The rows of a segment, with the columns of which `bodies` has the bytes.

    Any other column of the directory raises ColumnNotRead when it is used, and a damaged one
    CorruptItem, which names the segment.
    """
    return Rows(record_type, directory.count, {}, _Parts(directory, bodies, name))


@dataclass(frozen=True, slots=True)
class _Parts:
    """The columns of a segment that were read (`rollcall.ledger.encoded.Encoded`)."""

    directory: Directory
    bodies: Mapping[str, bytes]
    of: str

    @property
    def names(self) -> AbstractSet[str]:
        return self.directory.columns.keys()

    def column(self, name: str, count: int) -> Column:
        body = self.bodies.get(name)
        if body is None:
            raise ColumnNotRead(f"column {name!r} of {self.of} was not read")
        entry = self.directory.columns[name]
        if zlib.crc32(body) != entry.checksum:
            raise CorruptItem(f"damaged column {name!r} of {self.of}")
        return decoded(name, entry.encoding, body, count)


def zone_of(column: Column) -> Zone:
    """The zone of a column that has a value."""
    if isinstance(column, IntColumn):
        values = column.values[column.values != NULL]
        return int(values.min()), int(values.max())
    if isinstance(column, ListColumn):
        column = column.entries
    if not isinstance(column, TextColumn):
        return None  # pairs: a zone per key would be as large as the column
    codes = set(column.codes.tolist()) - {0}
    if len(codes) > _MAX_TEXTS:
        return None
    texts = frozenset(column.words[code - 1] for code in codes)
    return texts if sum(map(len, texts)) <= _MAX_CHARACTERS else None


def has_true_zones(directory: Directory, rows: Rows) -> bool:
    """Whether each zone of a directory is that of its column. Raises CorruptItem."""
    return all(
        (column := rows.column(name)) is not None and zone_of(column) == entry.zone
        for name, entry in directory.columns.items()
        if entry.zone is not None
    )
