"""Turns the values of dimensions and fields into integers, and back, while rows are aggregated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np

from rollcall.domain.decimals import UNROUNDED, at_least, at_most, canonical, exact_sum
from rollcall.domain.errors import MAX_GROUPS, TooManyGroups
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

    def of_integers(self, values: Int64s, decode: Callable[[int], Any]) -> Int64s:
        """The numbers of integers, each of which stands for a value; null is 0."""
        distinct, places = np.unique(values, return_inverse=True)
        numbers = [
            0 if value == NULL else self.number(decode(value)) for value in distinct.tolist()
        ]
        numbered: Int64s = np.array(numbers, dtype=np.int64)[places]
        return numbered


class DimensionCoder:
    """Numbers the values of one dimension."""

    def __init__(self, dimension: Dimension, zone: Zone) -> None:
        self._dimension = dimension
        self._zone = zone
        self._numbering = Numbering(MAX_GROUPS)
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
        dimension = self._dimension
        if not isinstance(dimension, Field):
            raise TypeError("a time bucket is no list")
        codes, words = columns.texts(dimension.column)
        lists: list[list[int]] = [[0]] * (len(words) + 1)
        for code in np.unique(codes).tolist():
            if code:
                lists[code] = [
                    self._numbering.number(entry) for entry in words[code - 1].split(LIST_SEPARATOR)
                ]
        lengths = np.array([len(entries) for entries in lists], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        of_row = lengths[codes]
        rows = np.repeat(np.arange(len(codes)), of_row)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
        flat = np.array([number for entries in lists for number in entries], dtype=np.int64)
        return rows, flat[np.repeat(starts[codes], of_row) + places]


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


class ValueCoder:
    """Codes the values of a field: equal codes for equal values, `NULL` for no value.

    Values of `Values` components: integers, ids, and the numbers of a payload key.
    """

    def __init__(self, field: Field) -> None:
        self._field = field
        self._numbering = Numbering()

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
        return columns.integers(name)

    def _payload_code(self, text: str) -> int:
        value = payload_value(text)
        if not isinstance(value, Decimal):
            return NULL
        if abs(value.adjusted()) < 10:
            nanos = at_most(value, _PLACES)
            if nanos == at_least(value, _PLACES) and abs(nanos) < _LIMIT:
                return nanos
        return -_LIMIT - self._numbering.number(value)

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
