"""Turns the values of dimensions and fields into integers, and back, while rows are aggregated."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np

from rollcall.domain.decimals import UNROUNDED, at_least, at_most, canonical, exact_sum
from rollcall.domain.errors import TooManyGroups
from rollcall.domain.facts import payload_text, payload_value
from rollcall.domain.time.buckets import Granularity, bucket_of
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int32s, Int64s
from rollcall.ledger.page import LIST_SEPARATOR, TIME
from rollcall.query.fields import SENTIMENT_BANDS, Field, Source
from rollcall.query.model import Dimension, TimeBucket
from rollcall.query.values import Columns, integers_of, offsets_ms

# The value of a dimension: a text, a number, a boolean or None; of buckets the key.
GroupValue: TypeAlias = str | int | Decimal | bool | None

_NULL_TEXT: Final = payload_text(None)


def is_dense(span: int, count: int) -> bool:
    """Whether an array of all integers in a span is not much longer than `count` of them."""
    return span <= 4 * count + 1024


class Numbering:
    """Numbers values in the order in which they appear, from 1; 0 is null.

    Raises TooManyGroups beyond `most` values.
    """

    def __init__(self, most: int | None = None) -> None:
        self.values: list[Any] = [None]
        self._number_of: dict[Any, int] = {None: 0}
        self._most = most

    def number(self, value: Any) -> int:
        """The number of a value."""
        number = self._number_of.get(value)
        if number is None:
            number = self._number_of[value] = len(self.values)
            self.values.append(value)
            if self._most is not None and number > self._most:
                raise TooManyGroups
        return number

    def of_texts(self, codes: Int32s, words: Sequence[str]) -> Int64s:
        """The numbers of coded texts. Only texts that a code names are numbered."""
        numbers = np.zeros(len(words) + 1, dtype=np.int64)
        used = np.flatnonzero(np.bincount(codes, minlength=len(words) + 1))
        for code in used.tolist():
            if code:
                numbers[code] = self.number(words[code - 1])
        numbered: Int64s = numbers[codes]
        return numbered

    def of_lists(self, codes: Int32s, words: Sequence[str]) -> tuple[Int64s, Int64s]:
        """(row, number) of each entry of coded lists; an empty list has one entry of null."""
        lists: list[list[int]] = [[0]] * (len(words) + 1)
        for code in np.flatnonzero(np.bincount(codes)).tolist():
            if code:
                lists[code] = [
                    self.number(entry) for entry in words[code - 1].split(LIST_SEPARATOR)
                ]
        lengths = np.array([len(entries) for entries in lists], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        of_row = lengths[codes]
        rows = np.repeat(np.arange(len(codes)), of_row)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
        flat = np.array([number for entries in lists for number in entries], dtype=np.int64)
        return rows, flat[np.repeat(starts[codes], of_row) + places]

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


class DimensionCoder:
    """Numbers the values of one dimension."""

    def __init__(self, dimension: Dimension, zone: Zone, most: int | None) -> None:
        """Raises TooManyGroups beyond `most` values."""
        self._dimension = dimension
        self._zone = zone
        self._numbering = Numbering(most)
        self.is_list = isinstance(dimension, Field) and dimension.source is Source.LIST

    def number(self, value: GroupValue) -> int:
        """The number of a value that a rollup counts."""
        return self._numbering.number(value)

    def value(self, number: int) -> GroupValue:
        """The value of a number."""
        value: GroupValue = self._numbering.values[number]
        is_payload = isinstance(self._dimension, Field) and self._dimension.source is Source.PAYLOAD
        return payload_value(value) if is_payload and isinstance(value, str) else value

    def codes(self, columns: Columns) -> Int64s:
        """The number of each row's value."""
        dimension, numbering = self._dimension, self._numbering
        if isinstance(dimension, TimeBucket):
            keys = _bucket_keys(columns, dimension.granularity, self._zone)
            return numbering.of_integers(keys, int)
        match dimension.source:
            case Source.TEXT:
                return numbering.of_texts(*columns.texts(dimension.column))
            case Source.PAYLOAD:
                codes, words = columns.texts(dimension.column)
                if _NULL_TEXT in words:
                    codes = np.where(codes == words.index(_NULL_TEXT) + 1, 0, codes)
                return numbering.of_texts(codes, words)
        values = integers_of(dimension, columns, self._zone)
        return numbering.of_integers(values, _decoder(dimension))

    def entries(self, columns: Columns) -> tuple[Int64s, Int64s]:
        """(row, number) of each entry of a list; a row with an empty list has one of null."""
        if not isinstance(self._dimension, Field):
            raise TypeError("a time bucket is no list")
        return self._numbering.of_lists(*columns.texts(self._dimension.column))


def _decoder(field: Field) -> Callable[[int], GroupValue]:
    match field.source:
        case Source.FLAG:
            return bool
        case Source.SENTIMENT_BAND:
            return SENTIMENT_BANDS.__getitem__
    return int


def _bucket_keys(columns: Columns, granularity: Granularity, zone: Zone) -> Int64s:
    times = columns.integers(TIME)
    if not len(times):
        return times
    offsets = offsets_ms(zone, times)
    keys: Int64s = bucket_of(granularity, times + offsets, offsets)
    return keys


# Payload numbers of up to nine decimals are coded as integers of this unit, if they fit into 62
# bits. All others are numbered below them.
_PLACES: Final = 9
_LIMIT: Final = 2**62
_KNOWN_TEXTS: Final = 4_096


class ValueCoder:
    """Codes the values of a field: equal codes for equal values, `NULL` for no value.

    Values of `Values` components: integers, texts, entries of lists, and the numbers of a payload key.
    """

    def __init__(self, field: Field, zone: Zone) -> None:
        self._field = field
        self._zone = zone
        self._numbering = Numbering()
        self.is_list = field.source is Source.LIST
        # Pages repeat the texts of most keys, and parsing one takes longer than all else.
        self._payload_code = functools.lru_cache(_KNOWN_TEXTS)(self._parsed_code)

    def code(self, value: int | str) -> int:
        """The code of a value that a rollup counts."""
        is_text = self._field.source in (Source.TEXT, Source.LIST)
        return self._numbering.number(value) if is_text else int(value)

    def codes(self, columns: Columns) -> Int64s:
        """The code of each row's value."""
        name = self._field.column
        match self._field.source:
            case Source.TEXT:
                numbers = self._numbering.of_texts(*columns.texts(name))
                return np.where(numbers == 0, NULL, numbers)
            case Source.PAYLOAD:
                codes, words = columns.texts(name)
                of_words = np.array([NULL, *map(self._payload_code, words)], dtype=np.int64)
                coded: Int64s = of_words[codes]
                return coded
        return integers_of(self._field, columns, self._zone)

    def entries(self, columns: Columns) -> tuple[Int64s, Int64s]:
        """(row, code) of each entry of a list."""
        rows, numbers = self._numbering.of_lists(*columns.texts(self._field.column))
        return rows, np.where(numbers == 0, NULL, numbers)

    def _parsed_code(self, text: str) -> int:
        value = payload_value(text)
        if not isinstance(value, Decimal):
            return NULL
        if abs(value.adjusted()) < 10:
            nanos = at_most(value, _PLACES)
            if nanos == at_least(value, _PLACES) and abs(nanos) < _LIMIT:
                return nanos
        return -_LIMIT - self._numbering.number(value)

    def text(self, code: int) -> str:
        """The text of a code, of a field of texts or of lists."""
        text: str = self._numbering.values[code]
        return text

    def decoded(self, code: int) -> Decimal:
        """The number of a code."""
        if self._field.source is not Source.PAYLOAD:
            return Decimal(code)
        if code <= -_LIMIT:
            number: Decimal = self._numbering.values[-_LIMIT - code]
            return number
        return canonical(Decimal(code).scaleb(-_PLACES))

    def ordered(self, codes: Int64s, counts: Int64s) -> tuple[Int64s, Int64s]:
        """Ascending codes and their counts, in the order of the numbers."""
        numbered = int(np.searchsorted(codes, -_LIMIT, side="right"))
        if not numbered:
            return codes, counts
        order = sorted(range(len(codes)), key=lambda place: self.decoded(int(codes[place])))
        return codes[order], counts[order]

    def total(self, codes: Int64s, counts: Int64s) -> Decimal:
        """The exact sum of the numbers of ascending codes, each as often as it is counted."""
        numbered = int(np.searchsorted(codes, -_LIMIT, side="right"))
        pairs = zip(codes[numbered:].tolist(), counts[numbered:].tolist(), strict=True)
        scaled = sum(code * count for code, count in pairs)
        places = _PLACES if self._field.source is Source.PAYLOAD else 0
        numbers = [Decimal(scaled).scaleb(-places, context=UNROUNDED)]
        for code, count in zip(codes[:numbered].tolist(), counts[:numbered].tolist(), strict=True):
            numbers.append(UNROUNDED.multiply(self.decoded(code), Decimal(count)))
        return exact_sum(numbers)
