"""The words of stored columns of strings, which become strings when they are first used.

Numbering millions of distinct texts needs their bytes only, and a search needs few of them at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.bytes_]

# Longer words are not packed.
LONGEST_PACKED: Final = 64

_UUID_BYTES: Final = 16
_UUID_CHARACTERS: Final = 36
# Where the digits of a UUID are: between them are hyphens.
_DIGITS: Final = np.array(
    [*range(8), *range(9, 13), *range(14, 18), *range(19, 23), *range(24, 36)]
)
# The two digits of each byte.
_HEX: Final = np.frombuffer(bytes(range(256)).hex().encode(), dtype=np.uint8).reshape(256, 2)


class Words(Sequence[str]):
    """The words of a stored dictionary, which are cut out of its text when one is first used."""

    __slots__ = ("_data", "_lengths", "_text", "_words")

    def __init__(self, data: memoryview, lengths: NDArray[np.int64]) -> None:
        """`data` is the UTF-8 of all words, and `lengths` has the characters of each.

        Raises UnicodeDecodeError.
        """
        self._data = data
        self._text = str(data, "utf-8")
        self._lengths = lengths
        self._words: list[str] | None = None

    def __len__(self) -> int:
        return len(self._lengths)

    def __getitem__(self, index: Any) -> Any:
        return self._cut()[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cut())

    def packed(self) -> Bytes | None:
        """The words as bytes of equal width, or None if that would change or inflate any."""
        count, lengths = len(self._lengths), self._lengths
        longest = int(lengths.max(initial=0))
        if not 0 < longest <= LONGEST_PACKED or int(lengths.sum()) != len(self._data):
            return None
        data = np.frombuffer(self._data, dtype=np.uint8)
        if not data.all():  # bytes of equal width lose zeros at their end
            return None
        if len(data) == count * longest:
            return data.view(f"S{longest}")
        cells = np.zeros((count, longest), dtype=np.uint8)
        cells[np.arange(longest) < lengths[:, np.newaxis]] = data
        return cells.view(f"S{longest}").reshape(count)

    def _cut(self) -> list[str]:
        if self._words is None:
            text, words, start = self._text, [], 0
            for end in np.cumsum(self._lengths).tolist():
                words.append(text[start:end])
                start = end
            self._words = words
        return self._words


class Uuids(Sequence[str]):
    """Lower-case UUIDs of 16 bytes each."""

    __slots__ = ("_data",)

    def __init__(self, data: memoryview, count: int) -> None:
        """Raises ValueError unless the bytes are those of `count` UUIDs."""
        if len(data) != _UUID_BYTES * count:
            raise ValueError(f"{len(data)} bytes are not {count} UUIDs")
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // _UUID_BYTES

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(len(self))[index]]
        first = range(len(self))[index] * _UUID_BYTES
        return _text_of(self._data[first : first + _UUID_BYTES].hex())

    def __iter__(self) -> Iterator[str]:
        digits, size = self._data.hex(), 2 * _UUID_BYTES
        return (_text_of(digits[at : at + size]) for at in range(0, len(digits), size))

    def packed(self) -> Bytes:
        """The UUIDs as bytes of equal width."""
        cells = np.full((len(self), _UUID_CHARACTERS), ord("-"), dtype=np.uint8)
        digits = _HEX[np.frombuffer(self._data, dtype=np.uint8)]
        cells[:, _DIGITS] = digits.reshape(len(self), 2 * _UUID_BYTES)
        return cells.view(f"S{_UUID_CHARACTERS}").reshape(len(self))


def _text_of(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
