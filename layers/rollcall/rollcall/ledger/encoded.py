"""Columns as they are stored, each of which is decoded when it is first used."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Protocol

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.columns import Encoding, TextColumn, decompress
from rollcall.ledger.nested import Column, ListColumn, decode_column

# What a page's directory has of a column after its name: encoding and size.
ENTRY: Final = struct.Struct("<BI")


class Encoded(Protocol):
    """Columns as they are stored, to be decoded on first use."""

    @property
    def names(self) -> AbstractSet[str]:
        """The columns that have at least one value."""

    def column(self, name: str, count: int) -> Column:
        """One of `names`, of `count` rows. Raises CorruptItem."""


def places_of(directory: bytes, first: int) -> dict[str, tuple[int, int, int]]:
    """(encoding, first byte, end) of every column, the first of which begins at byte `first`."""
    places = {}
    offset, size = 0, len(directory)
    while offset < size:
        name_end = offset + 1 + directory[offset]
        encoding, length = ENTRY.unpack_from(directory, name_end)
        places[directory[offset + 1 : name_end].decode()] = (encoding, first, first + length)
        first += length
        offset = name_end + ENTRY.size
    return places


@dataclass(frozen=True, slots=True)
class PageColumns:
    """A page's bytes, the place of each column in them, and the lists that are joined strings."""

    places: Mapping[str, tuple[int, int, int]]
    data: bytes
    joined: frozenset[str] = frozenset()

    @property
    def names(self) -> AbstractSet[str]:
        return self.places.keys()

    def column(self, name: str, count: int) -> Column:
        code, first, end = self.places[name]
        column = decoded(name, code, self.data[first:end], count)
        if name in self.joined and isinstance(column, TextColumn):
            return ListColumn.of_joined(column)
        return column


NOTHING: Final = PageColumns({}, b"")


def decoded(name: str, code: int, body: bytes, count: int) -> Column:
    """A column of `count` rows from the number of its encoding and its compressed bytes.

    Raises CorruptItem on an unknown encoding or damaged bytes.
    """
    try:
        encoding = Encoding(code)
    except ValueError:
        raise CorruptItem(f"unknown column encoding {code}") from None
    raw = decompress(body)
    try:
        return decode_column(encoding, raw, count)
    except (ValueError, IndexError, struct.error) as error:
        raise CorruptItem(f"damaged column {name!r}: {error}") from error
