"""Turns the values of dimensions and fields into integers, and back, while rows are aggregated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias

import numpy as np

from rollcall.domain.decimals import UNROUNDED, at_least, at_most, canonical, exact_sum
from rollcall.domain.facts import payload_text, payload_value
from rollcall.domain.time.buckets import Granularity, bucket_of
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int64s
from rollcall.ledger.page import TIME
from rollcall.query.chunks import Chunk
from rollcall.query.fields import SENTIMENT_BANDS, Field, Source
from rollcall.query.model import Dimension, TimeBucket
from rollcall.query.numbering import Numbering, TextNumbering
from rollcall.query.values import Columns, integers_of, offsets_ms

# The value of a dimension: a text, a number, a boolean or None; of buckets the key.
GroupValue: TypeAlias = str | int | Decimal | bool | None

_NULL_TEXT: Final = payload_text(None)


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
        value: GroupValue = self._numbering.value(number)
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
            raise TypeError("a time bucket is no list")  # pragma: no cover - see is_list
        return self._numbering.of_lists(*columns.lists(self._dimension.column))


def _decoder(field: Field) -> Callable[[int], GroupValue]:
    match field.source:
        case Source.FLAG:
            return bool
        case Source.SENTIMENT_BAND:
            return SENTIMENT_BANDS.__getitem__
    return int


def _bucket_keys(columns: Columns, granularity: Granularity, zone: Zone) -> Int64s:
    times = columns.integers(TIME)
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
        self._texts = TextNumbering()
        self.is_list = field.source is Source.LIST
        # Pages repeat the texts of most keys, and parsing one takes longer than all else. A method
        # would refer back to the coder, so that its texts stayed until a collection of all objects.
        parse = functools.partial(_payload_code, self._numbering)
        self._payload_code = functools.lru_cache(_KNOWN_TEXTS)(parse)

    def code(self, value: int | str) -> int:
        """The code of a value that a rollup counts."""
        match self._field.source:
            case Source.TEXT:
                return self._texts.number(str(value))
            case Source.LIST:
                return self._numbering.number(value)
        return int(value)

    def codes(self, columns: Chunk) -> Int64s:
        """The code of each row's value."""
        name = self._field.column
        match self._field.source:
            case Source.TEXT:
                packed = columns.packed(name)
                if packed is None:
                    numbers = self._texts.of_texts(*columns.texts(name))
                else:
                    numbers = self._texts.of_packed(*packed)
                return np.where(numbers == 0, NULL, numbers)
            case Source.PAYLOAD:
                codes, words = columns.texts(name)
                of_words = np.array([NULL, *map(self._payload_code, words)], dtype=np.int64)
                coded: Int64s = of_words[codes]
                return coded
        return integers_of(self._field, columns, self._zone)

    def entries(self, columns: Columns) -> tuple[Int64s, Int64s]:
        """(row, code) of each entry of a list."""
        rows, numbers = self._numbering.of_lists(*columns.lists(self._field.column))
        return rows, np.where(numbers == 0, NULL, numbers)

    def text(self, code: int) -> str:
        """The text of a code, of a field of texts or of lists."""
        is_text = self._field.source is Source.TEXT
        return self._texts.value(code) if is_text else str(self._numbering.value(code))

    def decoded(self, code: int) -> Decimal:
        """The number of a code."""
        if self._field.source is not Source.PAYLOAD:
            return Decimal(code)
        if code <= -_LIMIT:
            number: Decimal = self._numbering.value(-_LIMIT - code)
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


def _payload_code(numbering: Numbering, text: str) -> int:
    value = payload_value(text)
    if not isinstance(value, Decimal):
        return NULL
    if abs(value.adjusted()) < 10:
        nanos = at_most(value, _PLACES)
        if nanos == at_least(value, _PLACES) and abs(nanos) < _LIMIT:
            return nanos
    return -_LIMIT - numbering.number(value)
