"""Numbers values from 1 while rows are aggregated; 0 is null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from rollcall.domain.errors import TooManyGroups
from rollcall.ledger.columns import NULL, Int32s, Int64s

_Bytes: TypeAlias = npt.NDArray[np.bytes_]

# A text of a dict takes some 150 bytes, so beyond this number they are packed.
_IN_DICT: Final = 65_536
_LONGEST_PACKED: Final = 64
_RUN_RATIO: Final = 4


def is_dense(span: int, count: int) -> bool:
    """Whether an array of all integers in a span is not much longer than `count` of them."""
    return span <= 4 * count + 1024


class Numbering:
    """Numbers values in the order in which they appear.

    Raises TooManyGroups beyond `most` values.
    """

    def __init__(self, most: int | None = None) -> None:
        self._values: list[Any] = [None]
        self._number_of: dict[Any, int] = {None: 0}
        self._most = most

    def number(self, value: Any) -> int:
        """The number of a value."""
        number = self._number_of.get(value)
        if number is None:
            number = self._number_of[value] = len(self._values)
            self._values.append(value)
            if self._most is not None and number > self._most:
                raise TooManyGroups
        return number

    def value(self, number: int) -> Any:
        """The value of a number."""
        return self._values[number]

    def of_texts(self, codes: Int32s, words: Sequence[str]) -> Int64s:
        """The numbers of coded texts. Only texts that a code names are numbered."""
        numbers = np.zeros(len(words) + 1, dtype=np.int64)
        for code in _used(codes, len(words)):
            numbers[code] = self.number(words[code - 1])
        numbered: Int64s = numbers[codes]
        return numbered

    def of_lists(
        self, lengths: Int64s, codes: Int32s, words: Sequence[str]
    ) -> tuple[Int64s, Int64s]:
        """(row, number) of each entry of coded lists; an empty list has one entry of null."""
        of_row = np.maximum(lengths, 1)
        rows = np.repeat(np.arange(len(lengths)), of_row)
        numbers = np.zeros(len(rows), dtype=np.int64)
        numbers[np.repeat(lengths > 0, of_row)] = self.of_texts(codes, words)
        return rows, numbers

    def of_integers(self, values: Int64s, decode: Callable[[int], Any]) -> Int64s:
        """The numbers of integers, each of which stands for a value; null is 0."""
        has_value = values != NULL
        if has_value.all():
            return self._of_integers(values, decode) if len(values) else values
        numbered = np.zeros_like(values)
        if has_value.any():
            numbered[has_value] = self._of_integers(values[has_value], decode)
        return numbered

    def _of_integers(self, values: Int64s, decode: Callable[[int], Any]) -> Int64s:
        low = int(values.min())
        span = int(values.max()) - low
        if is_dense(span, len(values)):
            places = values - low
            numbers = np.zeros(span + 1, dtype=np.int64)
            for place in np.flatnonzero(np.bincount(places)).tolist():
                numbers[place] = self.number(decode(low + place))
            numbered: Int64s = numbers[places]
            return numbered
        # Rows are in the order of time in pages, so many neighbours have equal buckets.
        starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
        distinct, runs = np.unique(values[starts], return_inverse=True)
        of_distinct = [self.number(decode(value)) for value in distinct.tolist()]
        of_runs = np.array(of_distinct, dtype=np.int64)[runs]
        return np.repeat(of_runs, np.diff(starts, append=len(values)))


class TextNumbering:
    """Numbers texts of which there may be millions; each takes 16 to 72 bytes.

    The first are in a dict, as are texts that are long or not ASCII.
    """

    def __init__(self) -> None:
        self._count = 0
        self._number_of: dict[str, int] = {}
        self._text_of: dict[int, str] = {}
        self._packed = _PackedTexts()

    def number(self, text: str) -> int:
        """The number of a text."""
        return self._number_of.get(text) or int(self._numbered([text])[0])

    def value(self, number: int) -> str:
        """The text of a number."""
        text = self._text_of.get(number)
        return self._packed.text(number) if text is None else text

    def of_texts(self, codes: Int32s, words: Sequence[str]) -> Int64s:
        """The numbers of coded texts. Only texts that a code names are numbered."""
        numbers = np.zeros(len(words) + 1, dtype=np.int64)
        others = []
        for code in _used(codes, len(words)):
            number = self._number_of.get(words[code - 1])
            if number is None:
                others.append(code)
            else:
                numbers[code] = number
        if others:
            numbers[others] = self._numbered([words[code - 1] for code in others])
        numbered: Int64s = numbers[codes]
        return numbered

    def _numbered(self, texts: Sequence[str]) -> Int64s:
        """The numbers of distinct texts that are not in the dict."""
        packed = np.array(_packable(texts), dtype=np.int64)
        as_bytes = np.array([texts[place] for place in packed.tolist()], dtype=np.bytes_)
        numbers = np.zeros(len(texts), dtype=np.int64)
        numbers[packed] = self._packed.numbers(as_bytes)
        is_new = numbers == 0
        count = int(np.count_nonzero(is_new))
        numbers[is_new] = np.arange(self._count + 1, self._count + 1 + count)
        self._count += count
        if len(self._number_of) >= _IN_DICT:
            is_added = is_new[packed]
            self._packed.add(as_bytes[is_added], numbers[packed[is_added]])
            is_new[packed] = False
        for place in np.flatnonzero(is_new).tolist():
            number = int(numbers[place])
            self._number_of[texts[place]] = number
            self._text_of[number] = texts[place]
        return numbers


class _Run(NamedTuple):
    """Distinct texts in ascending order, and their numbers."""

    texts: _Bytes
    numbers: Int64s


class _PackedTexts:
    """Distinct texts as bytes of equal width, in sorted runs, each much longer than the next."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def numbers(self, texts: _Bytes) -> Int64s:
        """The numbers of texts, 0 for those that were not added."""
        found = np.zeros(len(texts), dtype=np.int64)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run.texts, texts), len(run.texts) - 1)
            found += np.where(run.texts[places] == texts, run.numbers[places], 0)
        return found

    def add(self, texts: _Bytes, numbers: Int64s) -> None:
        """Add texts that are not there."""
        if not len(texts):
            return
        order = np.argsort(texts)
        self._runs.append(_Run(texts[order], numbers[order]))
        while len(self._runs) > 1 and self._has_short_run():
            last, before = self._runs.pop(), self._runs.pop()
            merged = np.concatenate((before.texts, last.texts))
            order = np.argsort(merged, kind="stable")
            numbers = np.concatenate((before.numbers, last.numbers))[order]
            self._runs.append(_Run(merged[order], numbers))

    def text(self, number: int) -> str:
        """The text of a number that was added."""
        for run in self._runs:
            for place in np.flatnonzero(run.numbers == number).tolist():
                return bytes(run.texts[place]).decode("ascii")
        raise KeyError(number)

    def _has_short_run(self) -> bool:
        return len(self._runs[-2].texts) < _RUN_RATIO * len(self._runs[-1].texts)


def _packable(texts: Sequence[str]) -> list[int]:
    """The places of texts that bytes of equal width can have: they lose zeros at their end."""
    return [
        place
        for place, text in enumerate(texts)
        if text.isascii() and len(text) <= _LONGEST_PACKED and not text.endswith("\0")
    ]


def _used(codes: Int32s, count: int) -> list[int]:
    """The codes that occur, without null."""
    used: list[int] = np.flatnonzero(np.bincount(codes, minlength=count + 1)[1:]).tolist()
    return [code + 1 for code in used]
