"""The columns of a page in memory, and the bytes of each column.

There are two kinds with one value per row: integers with nulls, and dictionary-coded strings with
nulls; `rollcall.ledger.nested` has those with several. All are immutable; every operation returns a
new column. Bytes are little-endian, and each column can be decoded without the others. See
docs/data-model.md for the layout.
"""

from __future__ import annotations

import enum
import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.words import Uuids, Words

Int64s: TypeAlias = NDArray[np.int64]
Int32s: TypeAlias = NDArray[np.int32]
Indices: TypeAlias = NDArray[np.intp]

NULL: Final = -(2**63)


class Encoding(enum.IntEnum):
    """The encoding of a column's bytes."""

    OFFSETS = 0  # integers as (value − smallest)
    STEPS = 1  # non-decreasing integers as differences, encoded as OFFSETS
    WORDS = 2  # a dictionary, and a code per row
    DISTINCT = 3  # one string per row, no codes
    UUIDS = 4  # DISTINCT, each a lower-case UUID in 16 bytes
    LISTS = 5  # the number of strings of each row, and all of them as one column
    PAIRS = 6  # the number of pairs of each row, and all keys and all values as columns


_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UINT: Final[dict[int, np.dtype[Any]]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
}


@dataclass(frozen=True, slots=True)
class IntColumn:
    """Integers; a null is `NULL`."""

    values: Int64s

    @staticmethod
    def nulls(count: int) -> IntColumn:
        """A column of nulls."""
        values = np.empty(count, dtype=np.int64)
        values.fill(NULL)
        return IntColumn(values)

    def __len__(self) -> int:
        return len(self.values)

    def get(self, row: int) -> int | None:
        """The value of one row; None for null."""
        value = int(self.values[row])
        return None if value == NULL else value

    def take(self, rows: Indices) -> IntColumn:
        """The given rows, in the given order."""
        return IntColumn(self.values[rows])

    def is_empty(self) -> bool:
        """Whether every value is null."""
        return not np.count_nonzero(self.values != NULL)

    def changed(self, rows: Sequence[int], values: Iterable[Any], added: int) -> IntColumn:
        """A copy with `added` more rows and `values` in `rows`; of values for one row, the last."""
        grown = IntColumn.nulls(len(self.values) + added).values
        grown[: len(self.values)] = self.values
        grown[rows] = [NULL if v is None else v for v in values]
        return IntColumn(grown)

    def encode(self) -> tuple[Encoding, bytes]:
        """(encoding, bytes before compression)."""
        values = self.values
        if len(values) > 1 and values[0] != NULL:
            later, earlier = values[1:], values[:-1]
            if not np.count_nonzero(later < earlier):
                steps = pack_offsets(later - earlier)
                return Encoding.STEPS, struct.pack("<q", int(values[0])) + steps
        return Encoding.OFFSETS, pack_offsets(values)


def pack_offsets(values: Int64s) -> bytes:
    """The bytes of integers as (value − smallest), as narrow as they can be."""
    low = int(values.min()) if len(values) else 0
    has_null = low == NULL  # no value is less
    present = values
    if has_null:
        null = values == NULL
        present = values[~null]
        low = int(present.min()) if len(present) else 0
    span = int(present.max()) - low + has_null if len(present) else 0
    width = next(w for w in (0, 1, 2, 4, 8) if span < 256**w)
    header = struct.pack("<qBB", low, width, has_null)
    if width == 0:
        return header
    offsets = values - low + 1 if has_null else values - low
    if has_null:
        offsets[null] = 0
    return header + _planes(offsets.astype(_UINT[width]), width)


def _planes(array: NDArray[Any], width: int) -> bytes:
    """Bytes grouped by significance, which compress far better than bytes row by row."""
    return array.view(np.uint8).reshape(-1, width).T.tobytes()


def _from_planes(data: memoryview, width: int, count: int, dtype: str) -> NDArray[Any]:
    """The integers that `_planes` turned into these bytes; those of 8 bytes wrap."""
    planes = np.frombuffer(data, dtype=np.uint8, count=width * count)
    if width == 1:
        return planes.astype(dtype)
    values = np.zeros(count, dtype=dtype)
    cells = values.view(np.uint8).reshape(count, values.itemsize)
    for place, plane in enumerate(planes.reshape(width, count)):
        cells[:, place] = plane
    return values


def unpack_offsets(data: memoryview, count: int) -> Int64s:
    """The `count` integers that `pack_offsets` turned into these bytes."""
    low, width, has_null = struct.unpack_from("<qBB", data)
    if width == 0:
        return np.full(count, low, dtype=np.int64)
    values: Int64s = _from_planes(data[10:], width, count, "<i8")
    if not has_null:
        if low:
            values += low
        return values
    null = values == 0
    values += low - 1
    np.putmask(values, null, NULL)
    return values


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Strings, dictionary-coded: row i holds `words[codes[i] - 1]`, or null where the code is 0.

    The dictionary may hold words that no row uses. `encode` leaves them out, so that no value that
    was replaced or erased is stored.
    """

    words: Sequence[str]
    codes: Int32s

    @staticmethod
    def nulls(count: int) -> TextColumn:
        """A column of nulls."""
        return TextColumn([], np.zeros(count, dtype=np.int32))

    @staticmethod
    def of(values: Sequence[str | None]) -> TextColumn:
        """A column of the given values."""
        return TextColumn.nulls(len(values)).changed(range(len(values)), values, 0)

    def __len__(self) -> int:
        return len(self.codes)

    def get(self, row: int) -> str | None:
        """The value of one row; None for null."""
        code = int(self.codes[row])
        return self.words[code - 1] if code else None

    def texts(self) -> list[str | None]:
        """The value of every row; None for null."""
        lookup: list[str | None] = [None, *self.words]
        return [lookup[code] for code in self.codes.tolist()]

    def take(self, rows: Indices) -> TextColumn:
        """The given rows, in the given order."""
        codes = self.codes[rows]
        if len(self.words) <= 2 * len(rows):
            return TextColumn(self.words, codes)
        # Work on few rows of a large page must not take as long as on all of them.
        order = codes.argsort(kind="stable")
        ordered = codes[order]
        is_new = np.ones(len(codes), dtype=np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
        words = [self.words[code - 1] for code in ordered[is_new].tolist() if code]
        is_new[:1] = ordered[:1] != 0  # a null has no word, and is the first if there is one
        taken = np.empty(len(codes), dtype=np.int32)
        taken[order] = is_new.cumsum()
        return TextColumn(words, taken)

    def is_empty(self) -> bool:
        """Whether every value is null."""
        return not np.count_nonzero(self.codes)

    def changed(self, rows: Sequence[int], values: Iterable[Any], added: int) -> TextColumn:
        """A copy with `added` more rows and `values` in `rows`; of values for one row, the last."""
        if not len(rows):
            return TextColumn(self.words, _grown(self.codes, added))
        words = list(self.words)
        code_of: dict[Any, int] = {word: code for code, word in enumerate(words, 1)}
        code_of[None] = 0
        codes: list[int] = []
        for value in values:
            code = code_of.get(value)
            if code is None:
                words.append(value)
                code = code_of[value] = len(words)
            codes.append(code)
        grown = _grown(self.codes, added)
        grown[rows] = codes
        return TextColumn(words, grown)

    def encode(self) -> tuple[Encoding, bytes]:
        """(encoding, bytes before compression)."""
        count = len(self.codes)
        # The first row of every word: rows are assigned from last to first, so the first remains.
        first_row = np.empty(len(self.words) + 1, dtype=np.intp)
        first_row.fill(count)
        first_row[self.codes[::-1]] = np.arange(count - 1, -1, -1)
        used = int(np.count_nonzero(first_row[1:] < count))
        # Words in the order of their first row, since rows close in time are similar.
        order = first_row[1:].argsort(kind="stable")[:used]
        words = [self.words[index] for index in order.tolist()]
        if used == count:
            if all(_UUID.fullmatch(word) for word in words):
                return Encoding.UUIDS, bytes.fromhex("".join(words).replace("-", ""))
            return Encoding.DISTINCT, _pack_words(words)
        rank = np.zeros(len(self.words) + 1, dtype=np.int64)
        rank[order + 1] = np.arange(1, used + 1)
        width = next(w for w in (1, 2, 4) if len(words) < 256**w)
        packed = _pack_words(words)
        planes = _planes(rank[self.codes].astype(_UINT[width]), width)
        return Encoding.WORDS, struct.pack("<IB", len(packed), width) + packed + planes


def _grown(codes: Int32s, added: int) -> Int32s:
    grown = np.zeros(len(codes) + added, dtype=np.int32)
    grown[: len(codes)] = codes
    return grown


def _pack_words(words: Sequence[str]) -> bytes:
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    packed = pack_offsets(lengths)
    return struct.pack("<II", len(words), len(packed)) + packed + "".join(words).encode()


def _unpack_words(data: memoryview) -> Words:
    count, size = struct.unpack_from("<II", data)
    return Words(data[8 + size :], unpack_offsets(data[8 : 8 + size], count))


def decode_flat(encoding: Encoding, view: memoryview, count: int) -> IntColumn | TextColumn:
    """The column of `count` rows that `encode` turned into these bytes.

    Raises CorruptItem on an encoding of several values per row.
    """
    match encoding:
        case Encoding.OFFSETS:
            return IntColumn(unpack_offsets(view, count))
        case Encoding.STEPS:
            (first,) = struct.unpack_from("<q", view)
            steps = unpack_offsets(view[8:], count - 1)
            values = np.empty(len(steps) + 1, dtype=np.int64)
            values[0] = first
            values[1:] = steps
            return IntColumn(np.cumsum(values, out=values))
        case Encoding.WORDS:
            size, width = struct.unpack_from("<IB", view)
            words = _unpack_words(view[5 : 5 + size])
            return TextColumn(words, _from_planes(view[5 + size :], width, count, "<i4"))
        case Encoding.DISTINCT:
            return TextColumn(_unpack_words(view), np.arange(1, count + 1, dtype=np.int32))
        case Encoding.UUIDS:
            return TextColumn(Uuids(view, count), np.arange(1, count + 1, dtype=np.int32))
    raise CorruptItem(f"column encoding {encoding:d} where single values are expected")


def compress(data: bytes) -> bytes:
    """Raw deflate, without headers: a page has many small columns."""
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


def decompress(data: bytes) -> bytes:
    """The inverse of `compress`; raises CorruptItem on damaged bytes."""
    try:
        return zlib.decompress(data, -15)
    except zlib.error as error:
        raise CorruptItem(f"damaged column: {error}") from error
