"""Columns whose rows have several values each: lists of strings, and pairs of a key and a string.

The values of all rows are one flat column, so every operation takes time in proportion to the number
of values, not to the number of distinct ones times the number of rows. Both kinds are immutable.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.columns import (
    Encoding,
    Indices,
    Int64s,
    IntColumn,
    TextColumn,
    decode_flat,
    pack_offsets,
    unpack_offsets,
)

Pairs: TypeAlias = tuple[tuple[str, str], ...]

# The separator of the joined lists of format version 1: ids contain no control characters.
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class ListColumn:
    """Lists of strings: row i has the entries from `bounds[i]` to just before `bounds[i + 1]`.

    An empty list is null. No entry is null.
    """

    bounds: Int64s
    entries: TextColumn

    @staticmethod
    def nulls(count: int) -> ListColumn:
        """A column of empty lists."""
        return ListColumn(np.zeros(count + 1, dtype=np.int64), TextColumn.nulls(0))

    @staticmethod
    def of_joined(column: TextColumn) -> ListColumn:
        """The lists that format version 1 stores as one string per row."""
        joined = column.texts()
        lists = [None if text is None else text.split(_SEPARATOR) for text in joined]
        return ListColumn.nulls(len(lists)).changed(range(len(lists)), lists, 0)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def lengths(self) -> Int64s:
        """The number of entries of each row."""
        return self.bounds[1:] - self.bounds[:-1]

    def get(self, row: int) -> tuple[str, ...] | None:
        """The entries of one row; None for an empty list."""
        codes = self.entries.codes[self.bounds[row] : self.bounds[row + 1]].tolist()
        return tuple(self.entries.words[code - 1] for code in codes) or None

    def take(self, rows: Indices) -> ListColumn:
        """The given rows, in the given order."""
        return _gathered(self.entries, self.bounds[rows], self.lengths[rows])

    def is_empty(self) -> bool:
        """Whether every list is empty."""
        return not len(self.entries)

    def changed(self, rows: Sequence[int], lists: Iterable[Any], added: int) -> ListColumn:
        """A copy with `added` more rows and `lists` in `rows`; of lists for one row, the last."""
        new = [entries or () for entries in lists]
        flat = [entry for entries in new for entry in entries]
        lengths_of_new = np.fromiter(map(len, new), dtype=np.int64, count=len(new))
        known = len(self.entries)
        starts, lengths = np.zeros((2, len(self) + added), dtype=np.int64)
        starts[: len(self)], lengths[: len(self)] = self.bounds[:-1], self.lengths
        starts[rows] = known + np.cumsum(lengths_of_new) - lengths_of_new
        lengths[rows] = lengths_of_new
        grown = self.entries.changed(range(known, known + len(flat)), flat, len(flat))
        return _gathered(grown, starts, lengths)

    def encode(self) -> tuple[Encoding, bytes]:
        """(encoding, bytes before compression)."""
        return Encoding.LISTS, _sized(pack_offsets(self.lengths)) + _flat(self.entries)


def _gathered(entries: TextColumn, starts: Int64s, lengths: Int64s) -> ListColumn:
    """Lists of so many entries from each start on."""
    bounds = _bounds(lengths)
    places = np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], lengths)
    return ListColumn(bounds, entries.take(places))


@dataclass(frozen=True, slots=True)
class PairColumn:
    """Pairs of a key and a value, ordered by key within a row; the keys of a row are distinct.

    `keys` and `values` have equal bounds.
    """

    keys: ListColumn
    values: ListColumn

    @staticmethod
    def nulls(count: int) -> PairColumn:
        """A column without pairs."""
        return PairColumn(ListColumn.nulls(count), ListColumn.nulls(count))

    @staticmethod
    def of(count: int, rows: Indices, keys: TextColumn, values: TextColumn) -> PairColumn:
        """A column of `count` rows; pair i is of row `rows[i]`."""
        rank = np.zeros(len(keys.words) + 1, dtype=np.int64)
        order_of_words = sorted(range(len(keys.words)), key=keys.words.__getitem__)
        rank[np.array(order_of_words, dtype=np.intp) + 1] = np.arange(len(keys.words))
        order = np.lexsort((rank[keys.codes], rows))
        bounds = _bounds(np.bincount(rows, minlength=count))
        return PairColumn(
            ListColumn(bounds, keys.take(order)), ListColumn(bounds, values.take(order))
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def rows(self) -> Indices:
        """The row of each pair."""
        return np.repeat(np.arange(len(self)), self.keys.lengths)

    def get(self, row: int) -> Pairs | None:
        """The pairs of one row; None if it has none."""
        keys, values = self.keys.get(row), self.values.get(row)
        return None if keys is None or values is None else tuple(zip(keys, values, strict=True))

    def take(self, rows: Indices) -> PairColumn:
        """The given rows, in the given order."""
        return PairColumn(self.keys.take(rows), self.values.take(rows))

    def is_empty(self) -> bool:
        """Whether there are no pairs."""
        return self.keys.is_empty()

    def changed(self, rows: Sequence[int], pairs: Iterable[Any], added: int) -> PairColumn:
        """A copy with `added` more rows and `pairs` in `rows`; of those for one row, the last."""
        new = [each or () for each in pairs]
        keys = [[key for key, _ in each] for each in new]
        values = [[value for _, value in each] for each in new]
        return PairColumn(
            self.keys.changed(rows, keys, added), self.values.changed(rows, values, added)
        )

    def counts(self) -> dict[str, int]:
        """The number of rows that have each key."""
        column = self.keys.entries
        counts = np.bincount(column.codes, minlength=len(column.words) + 1)[1:].tolist()
        return {key: count for key, count in zip(column.words, counts, strict=True) if count}

    def of_key(self, key: str) -> TextColumn | None:
        """The values of one key as a column; None if no row has it."""
        return self.of_keys([key]).get(key)

    def of_keys(self, keys: Iterable[str]) -> dict[str, TextColumn]:
        """The values of each of some keys as a column, of those that a row has."""
        column, values = self.keys.entries, self.values.entries
        is_wanted = np.zeros(len(column.words) + 1, dtype=np.bool_)
        wanted = frozenset(keys)
        is_wanted[1:] = [word in wanted for word in column.words]
        places = np.flatnonzero(is_wanted[column.codes])
        places = places[np.argsort(column.codes[places], kind="stable")]
        codes, rows = column.codes[places], self.rows[places]
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        found: dict[str, TextColumn] = {}
        for start, end in pairwise([*starts.tolist(), len(codes)]):
            present = values.take(places[start:end])
            of_rows = np.zeros(len(self), dtype=np.int32)
            of_rows[rows[start:end]] = present.codes
            found[column.words[codes[start] - 1]] = TextColumn(present.words, of_rows)
        return found

    def without(self, keys: Iterable[str]) -> PairColumn:
        """The pairs of all other keys."""
        dropped = frozenset(keys)
        words = self.keys.entries.words
        is_kept = np.array([False, *(word not in dropped for word in words)], dtype=np.bool_)
        kept = np.flatnonzero(is_kept[self.keys.entries.codes])
        bounds = np.searchsorted(kept, self.keys.bounds).astype(np.int64)
        return PairColumn(
            ListColumn(bounds, self.keys.entries.take(kept)),
            ListColumn(bounds, self.values.entries.take(kept)),
        )

    def with_columns(self, columns: dict[str, TextColumn]) -> PairColumn:
        """These pairs and those of further keys, each of which has a column here."""
        rows, keys, values = (
            [self.rows],
            list(self.keys.entries.texts()),
            self.values.entries.texts(),
        )
        for key, column in columns.items():
            present = np.flatnonzero(column.codes)
            rows.append(present)
            keys += [key] * len(present)
            values += column.take(present).texts()
        return PairColumn.of(
            len(self), np.concatenate(rows), TextColumn.of(keys), TextColumn.of(values)
        )

    def encode(self) -> tuple[Encoding, bytes]:
        """(encoding, bytes before compression)."""
        lengths = _sized(pack_offsets(self.keys.lengths))
        return (
            Encoding.PAIRS,
            lengths + _sized(_flat(self.keys.entries)) + _flat(self.values.entries),
        )


Column: TypeAlias = IntColumn | TextColumn | ListColumn | PairColumn


def decode_column(encoding: Encoding, data: bytes, count: int) -> Column:
    """The column of `count` rows that `encode` turned into these bytes."""
    if encoding not in (Encoding.LISTS, Encoding.PAIRS):
        return decode_flat(encoding, memoryview(data), count)
    packed, rest = _split(memoryview(data))
    lengths = unpack_offsets(packed, count)
    bounds = _bounds(lengths)
    if encoding is Encoding.LISTS:
        return ListColumn(bounds, _texts(rest, bounds))
    keys, values = _split(rest)
    return PairColumn(
        ListColumn(bounds, _texts(keys, bounds)), ListColumn(bounds, _texts(values, bounds))
    )


def _bounds(lengths: Int64s) -> Int64s:
    bounds = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds


def _sized(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def _split(data: memoryview) -> tuple[memoryview, memoryview]:
    """(what `_sized` made, what follows)."""
    (size,) = struct.unpack_from("<I", data)
    return data[4 : 4 + size], data[4 + size :]


def _flat(column: TextColumn) -> bytes:
    encoding, data = column.encode()
    return bytes((encoding,)) + data


def _texts(data: memoryview, bounds: Int64s) -> TextColumn:
    column = decode_flat(Encoding(data[0]), data[1:], int(bounds[-1]))
    if not isinstance(column, TextColumn):
        raise CorruptItem("a column of several values per row does not hold strings")
    return column
