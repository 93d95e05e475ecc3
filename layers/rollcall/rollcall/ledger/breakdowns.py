"""The bytes of an open breakdown of a rollup: its values, and the count of each.

The first byte is the format. Format 2 of texts is the counts as variable-length integers and deflate of
the texts with their lengths; format 2 of integers is deflate of one count per integer between the least
and the greatest, where gaps are zeros. Format 1, compressed JSON of the values and of their counts, is
written where 2 has no form: for counts below zero or of more than 64 bits, and for integers far apart. No numpy:
most functions that read rollups do without it. See docs/data-model.md for both formats, and
docs/adr/0034-rollups-below-one-kilobyte.md for the figures.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate, compress, count, pairwise
from operator import index
from typing import Any, Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import DURATION
from rollcall.domain.rules import open_name

_JSON: Final = 1
_PACKED: Final = 2
# The breakdowns whose values are integers.
_OF_INTEGERS: Final = frozenset({DURATION})
# The bytes of the widest count of format 2, and the most that it counts.
_WIDEST: Final = 8
_MOST: Final = 2 ** (8 * _WIDEST) - 1
# The most integers, per value and beside them, that format 2 has a count for.
_SPREAD: Final = 8
_SPARE: Final = 64


def encode(breakdown: str, counts: Mapping[str, int]) -> bytes:
    """The bytes of counts by measure, all of one breakdown; equal counts have equal bytes."""
    is_packed = min(counts.values()) > 0 and max(counts.values()) <= _MOST
    if breakdown in _OF_INTEGERS:
        found = sorted((int(name[2:]), amount) for name, amount in counts.items())
        integers, amounts = [value for value, _ in found], [amount for _, amount in found]
        span = integers[-1] - integers[0]
        if is_packed and span <= _SPREAD * len(integers) + _SPARE:
            return bytes([_PACKED]) + _packed_integers(integers, amounts)
        return bytes([_JSON]) + _listed([integers[0], *_steps(integers)], amounts)
    names = sorted(counts)
    texts = [name[2:] if name != breakdown else None for name in names]
    amounts = [counts[name] for name in names]
    if is_packed:
        return bytes([_PACKED]) + _packed_texts(texts, amounts)
    return bytes([_JSON]) + _listed(texts, amounts)


def decode(breakdown: str, data: bytes) -> dict[str, int]:
    """The counts by measure, without zeros. Raises CorruptItem on damaged or unknown bytes."""
    try:
        return _decoded(breakdown, data)
    except (zlib.error, struct.error, ValueError, TypeError, IndexError) as error:
        raise CorruptItem(f"breakdown {breakdown!r} of a rollup is damaged: {error}") from error


def _decoded(breakdown: str, data: bytes) -> dict[str, int]:
    values: list[Any]
    counts: list[int]
    match data[:1]:
        case b"\x01":
            values, counts = _unlisted(breakdown, data)
        case b"\x02" if breakdown in _OF_INTEGERS:
            values, counts = _unpacked_integers(data)
        case b"\x02":
            values, counts = _unpacked_texts(data)
        case _:
            raise CorruptItem(f"breakdown {breakdown!r} of a rollup has an unknown format")
    found = dict(zip([_name(breakdown, value) for value in values], counts, strict=True))
    if len(found) < len(values) or not all(counts):
        raise ValueError("a value is there twice, or has no count")
    return found


def _name(breakdown: str, value: object) -> str:
    if value is None or isinstance(value, str):
        return open_name(breakdown, value)
    raise TypeError("a value is not a text")


def _listed(values: Sequence[str | int | None], amounts: Sequence[int]) -> bytes:
    text = json.dumps([values, amounts], ensure_ascii=False, separators=(",", ":"))
    return _deflated(text.encode())


def _unlisted(breakdown: str, data: bytes) -> tuple[list[Any], list[int]]:
    values, counts = json.loads(_inflated(data[1:]))
    if breakdown in _OF_INTEGERS:
        values = list(map(str, accumulate(values)))
    return values, list(map(index, counts))


def _steps(integers: Sequence[int]) -> Iterable[int]:
    return (after - before for before, after in pairwise(integers))


def _packed_integers(integers: Sequence[int], amounts: Sequence[int]) -> bytes:
    """The least integer, and the counts from there on, all lowest bytes first."""
    dense = [0] * (integers[-1] - integers[0] + 1)
    for integer, amount in zip(integers, amounts, strict=True):
        dense[integer - integers[0]] = amount
    raw = struct.pack(f"<{len(dense)}Q", *dense)
    width = (max(amounts).bit_length() + 7) // 8
    planes = b"".join(raw[n::_WIDEST] for n in range(width))
    return _varints([integers[0], width]) + _deflated(planes)


def _unpacked_integers(data: bytes) -> tuple[list[str], list[int]]:
    (first, width), start = _numbers(data, 1, 2)
    if not 1 <= width <= _WIDEST:
        raise ValueError(f"a count has {width} bytes")
    planes = _inflated(data[start:])
    size, odd = divmod(len(planes), width)
    if odd:
        raise ValueError("its bytes are cut off")
    raw = bytearray(_WIDEST * size)
    for n in range(width):
        raw[n::_WIDEST] = planes[n * size : (n + 1) * size]
    dense = struct.unpack(f"<{size}Q", raw)
    return list(map(str, compress(count(first), dense))), list(filter(None, dense))


def _packed_texts(texts: Sequence[str | None], amounts: Collection[int]) -> bytes:
    """Their number, the counts, and the texts, of which only the first can be null."""
    encoded = [text.encode() for text in texts if text is not None]
    has_null = len(encoded) < len(texts)
    head = _varints([2 * len(texts) + has_null, *amounts])
    return head + _deflated(_varints(map(len, encoded)) + b"".join(encoded))


def _unpacked_texts(data: bytes) -> tuple[list[str | None], list[int]]:
    (number,), start = _numbers(data, 1, 1)
    size, has_null = divmod(number, 2)
    counts, start = _numbers(data, start, size)
    raw = _inflated(data[start:])
    lengths, start = _numbers(raw, 0, size - has_null)
    ends = list(accumulate(lengths, initial=start))
    if ends[-1] != len(raw):
        raise ValueError("its texts are cut off")
    texts = [raw[begin:end].decode() for begin, end in pairwise(ends)]
    return [*([None] * has_null), *texts], counts


def _varints(numbers: Iterable[int]) -> bytes:
    """Integers in groups of seven bits, the lowest first; all but the last have the eighth bit."""
    data = bytearray()
    for number in numbers:
        while number > 127:
            data.append(number & 127 | 128)
            number >>= 7  # noqa: PLW2901
        data.append(number)
    return bytes(data)


def _numbers(data: bytes, start: int, number: int) -> tuple[list[int], int]:
    """(so many integers that `_varints` wrote, where they end). Raises IndexError past the end."""
    end = start + number
    if end <= len(data) and data[start:end].isascii():  # each is one byte
        return list(data[start:end]), end
    numbers = []
    for _ in range(number):
        value = shift = 0
        while (byte := data[start]) > 127:
            value |= (byte & 127) << shift
            shift += 7
            start += 1
        numbers.append(value | byte << shift)
        start += 1
    return numbers, start


def _deflated(raw: bytes) -> bytes:
    return zlib.compress(raw, wbits=-zlib.MAX_WBITS)


def _inflated(data: bytes) -> bytes:
    return zlib.decompress(data, -zlib.MAX_WBITS)
