"""A second reader of pages and segments, from their description: zlib, struct and JSON alone."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

_NULL = object()


class BadPage(AssertionError):
    """The bytes do not follow the format."""


def decode_page(data: bytes) -> list[dict[str, Any]]:
    """The rows of a page: the cells that are not null, by column.

    A list is a tuple, and the column `payload` has a dict of what no other column has.
    """
    version, count, size = struct.unpack_from("<BII", data)
    if version != 2:
        raise BadPage(f"version {version}")
    rows: list[dict[str, Any]] = [{} for _ in range(count)]
    directory = zlib.decompress(data[9 : 9 + size], -15)
    place, start = 0, 9 + size
    while place < len(directory):
        end = place + 1 + directory[place]
        name = directory[place + 1 : end].decode()
        encoding, length = struct.unpack_from("<BI", directory, end)
        place = end + 5
        column = _column(encoding, zlib.decompress(data[start : start + length], -15), count)
        start += length
        for row, value in zip(rows, column, strict=True):
            if value is not _NULL:
                row[name] = value
    if start != len(data):
        raise BadPage("bytes to spare")
    return rows


def decode_segment(values: dict[str, Any], identities: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a segment: the cells that are not null, by column."""
    if values["segment"]["N"] != "1" or identities["segment"]["N"] != "1":
        raise BadPage("version of a segment")
    directory = json.loads(zlib.decompress(values["directory"]["B"], -15))
    rows: list[dict[str, Any]] = [{} for _ in range(directory["n"])]
    left = {name for item in (values, identities) for name in item if name.startswith("c.")}
    for name, (encoding, checksum, zone) in directory["columns"].items():
        is_identity = name in ("id", "rev")
        body = (identities if is_identity else values)[f"c.{name}"]["B"]
        left.remove(f"c.{name}")
        if zlib.crc32(body) != checksum:
            raise BadPage("a checksum")
        column = _column(encoding, zlib.decompress(body, -15), len(rows))
        present = [value for value in column if value is not _NULL]
        if zone is not None and isinstance(present[0], int):
            if zone != [min(present), max(present)]:
                raise BadPage("a zone of integers")
        elif zone is not None and zone != sorted(set(_texts(present))):
            raise BadPage("a zone of texts")
        for row, value in zip(rows, column, strict=True):
            if value is not _NULL:
                row[name] = value
    if left:
        raise BadPage(f"columns that the directory does not name: {left}")
    return rows


def _texts(present: list[Any]) -> Iterator[str]:
    for value in present:
        yield from value if isinstance(value, tuple) else (value,)


def _column(encoding: int, data: bytes, count: int) -> list[Any]:
    match encoding:
        case 0:
            return _offsets(data, count)
        case 1:
            first = struct.unpack_from("<q", data)[0]
            return list(accumulate(_offsets(data[8:], count - 1), initial=first))
        case 2:
            size, width = struct.unpack_from("<IB", data)
            words = [_NULL, *_words(data[5 : 5 + size])]
            return [words[code] for code in _planes(data[5 + size :], width, count)]
        case 3:
            return list(_words(data))
        case 4:
            texts = (data[row * 16 : row * 16 + 16].hex() for row in range(count))
            return [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts]
        case 5:
            ends, rest = _ends(data, count)
            return [entries or _NULL for entries in _cut(_entries(rest, ends), ends)]
        case 6:
            ends, rest = _ends(data, count)
            (size,) = struct.unpack_from("<I", rest)
            pairs = zip(
                _entries(rest[4 : 4 + size], ends), _entries(rest[4 + size :], ends), strict=True
            )
            return [_distinct(of_row) or _NULL for of_row in _cut(tuple(pairs), ends)]
    raise BadPage(f"encoding {encoding}")


def _ends(data: bytes, count: int) -> tuple[list[int], bytes]:
    """(where the values of each row end, what follows the lengths)."""
    (size,) = struct.unpack_from("<I", data)
    return list(accumulate(_offsets(data[4 : 4 + size], count))), data[4 + size :]


def _entries(data: bytes, ends: list[int]) -> tuple[Any, ...]:
    entries = tuple(_column(data[0], data[1:], ends[-1]))
    if len(entries) != ends[-1] or _NULL in entries:
        raise BadPage("a list of the wrong length, or with a null")
    return entries


def _cut(values: tuple[Any, ...], ends: list[int]) -> list[tuple[Any, ...]]:
    return [values[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _distinct(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    keys = [key for key, _ in pairs]
    if keys != sorted(set(keys)):
        raise BadPage("the keys of a row are out of order")
    return dict(pairs)


def _offsets(data: bytes, count: int) -> list[Any]:
    low, width, has_nulls = struct.unpack_from("<qBB", data)
    if width == 0:
        return [low] * count
    offsets = _planes(data[10:], width, count)
    if not has_nulls:
        return [low + offset for offset in offsets]
    return [low + offset - 1 if offset else _NULL for offset in offsets]


def _planes(data: bytes, width: int, count: int) -> list[int]:
    """Numbers of `width` bytes, all lowest bytes first, then all second ones, and so on."""
    if len(data) != width * count:
        raise BadPage("a column of the wrong length")
    if width == 1:
        return list(data)
    return [
        sum(data[byte * count + row] << (8 * byte) for byte in range(width)) for row in range(count)
    ]


def _words(data: bytes) -> list[str]:
    count, size = struct.unpack_from("<II", data)
    ends = list(accumulate(_offsets(data[8 : 8 + size], count)))
    text = data[8 + size :].decode()
    if count and ends[-1] != len(text):
        raise BadPage("a dictionary of the wrong length")
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
