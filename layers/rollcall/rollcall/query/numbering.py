"""Numbers values from 1 while rows are aggregated; 0 is null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from rollcall.domain.errors import TooManyGroups
from rollcall.ledger.columns import NULL, Int32s, Int64s
from rollcall.ledger.words import LONGEST_PACKED, Bytes
from rollcall.query.packed import PackedNumbers

# A text of a dict takes some 150 bytes.
_IN_DICT: Final = 4_096


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
    """Numbers texts of which there may be millions; each takes 30 to 90 bytes.

    They are packed, but for those that are long or not ASCII, which are in a dict; so are the first
    others, because it finds few texts sooner.
    """

    def __init__(self) -> None:
        self._count = 0
        self._number_of: dict[str, int] = {}
        self._text_of: dict[int, str] = {}
        self._packed = PackedNumbers()

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

    def of_packed(self, codes: Int32s, words: Bytes) -> Int64s:
        """As `of_texts`; words may come more than once."""
        numbers = np.zeros(len(words) + 1, dtype=np.int64)
        used = np.flatnonzero(np.bincount(codes, minlength=len(words) + 1)[1:])
        numbers[used + 1] = self._packed_numbers(words[used])
        numbered: Int64s = numbers[codes]
        return numbered

    def _packed_numbers(self, texts: Bytes) -> Int64s:
        numbers = self._packed.numbers(texts, self._count)
        self._count = max(self._count, int(numbers.max(initial=0)))
        return numbers

    def _numbered(self, texts: Sequence[str]) -> Int64s:
        """The numbers of texts that are not in the dict."""
        numbers = np.zeros(len(texts), dtype=np.int64)
        packable = [place for place, text in enumerate(texts) if _is_packable(text)]
        as_bytes = np.array([texts[place] for place in packable], dtype=np.bytes_)
        numbers[packable] = self._packed_numbers(as_bytes)
        for place in np.flatnonzero(numbers == 0).tolist():
            text = texts[place]
            number = self._number_of.setdefault(text, self._count + 1)
            self._count = max(self._count, number)
            self._text_of[number] = text
            numbers[place] = number
        for place in packable:
            if len(self._number_of) >= _IN_DICT:
                break
            self._number_of[texts[place]] = int(numbers[place])
        return numbers


def _is_packable(text: str) -> bool:
    """Bytes of equal width lose zeros at their end."""
    return text.isascii() and len(text) <= LONGEST_PACKED and not text.endswith("\0")


def _used(codes: Int32s, count: int) -> list[int]:
    """The codes that occur, without null."""
    used: list[int] = np.flatnonzero(np.bincount(codes, minlength=count + 1)[1:]).tolist()
    return [code + 1 for code in used]
