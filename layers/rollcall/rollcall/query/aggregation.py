"""Aggregation: counts the selected rows of ledger pages, per group of measures.

`Tallier` gathers columns of selected rows into chunks and counts each chunk by the rules of
`rollcall.domain.measures`, applied to columns. `count_by` and `sum_by` aggregate arrays by
key, exactly. Measures have the same names as in rollups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from rollcall.domain.measures import GROUPS, Group
from rollcall.domain.rules import (
    CountBands,
    CountEach,
    CountHours,
    CountOpen,
    CountRecords,
    CountValues,
    Extremes,
    Rule,
    Sum,
    SumEach,
    Where,
    open_name,
)
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int32s, Int64s
from rollcall.ledger.page import LIST_SEPARATOR, TIME
from rollcall.query.filtering import CHUNK_ROWS, Selected
from rollcall.query.masks import Mask
from rollcall.query.results import WHOLE, Tally
from rollcall.query.values import offsets_ms

Words: TypeAlias = list[str | None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Columns of some rows: integers with nulls, and strings as indices of `words` (0: no value).

    A column of lists has one (row, index) per entry. `keys` has the key of each row's tally.
    """

    keys: Int64s
    integers: Mapping[str, Int64s]
    texts: Mapping[str, Int64s]
    lists: Mapping[str, tuple[Int64s, Int64s]]
    words: Mapping[str, Words]
    tallies: defaultdict[int, Tally]
    zone: Zone

    def count(
        self,
        codes: Int64s,
        name_of: Callable[[int], str],
        kept: Mask | None = None,
        rows: Int64s | None = None,
    ) -> None:
        """Count rows by code (0 or more), into the measure that `name_of` returns for the code.

        `rows` are the rows of the codes; without it there is one code per row.
        """
        keys = self.keys if rows is None else self.keys[rows]
        if kept is not None:
            codes, keys = codes[kept], keys[kept]
        if not len(codes):
            return
        width = int(codes.max()) + 1
        found, counts = count_by(keys * width + codes)
        for combined, count in zip(found.tolist(), counts.tolist(), strict=True):
            key, code = divmod(combined, width)
            self.tallies[key].measures[name_of(code)] += count

    def sum(self, values: Int64s, name: str) -> None:
        """Add the sum of the values that are not null to one measure."""
        kept = values != NULL
        if kept.any():
            for key, amount in zip(*sum_by(self.keys[kept], values[kept]), strict=True):
                self.tallies[int(key)].measures[name] += amount

    def count_rows(self, name: str, kept: Mask | None = None) -> None:
        """Count rows into one measure."""
        self.count(np.zeros(len(self.keys), dtype=np.int64), lambda _: name, kept)

    def matching(self, where: Where) -> Mask | None:
        """The rows that have all the values; None if there are no conditions."""
        matching: Mask | None = None
        for column, value in where:
            if isinstance(value, bool):
                mask: Mask = self.integers[column] == int(value)
            elif value in self.words[column]:
                mask = self.texts[column] == self.words[column].index(value)
            else:
                mask = np.zeros(len(self.keys), dtype=np.bool_)
            matching = mask if matching is None else matching & mask
        return matching


def _count_records(rule: CountRecords, chunk: Chunk) -> None:
    kept = chunk.matching(rule.where)
    if rule.column is not None:
        has_value: Mask = chunk.integers[rule.column] != NULL
        kept = has_value if kept is None else kept & has_value
    chunk.count_rows(rule.name, kept)


def _sum(rule: Sum, chunk: Chunk) -> None:
    chunk.sum(chunk.integers[rule.column], rule.name)


def _sum_each(rule: SumEach, chunk: Chunk) -> None:
    for key, name in zip(rule.keys, rule.names, strict=True):
        chunk.sum(chunk.integers[f"{rule.column}.{key}"], name)


def _count_values(rule: CountValues, chunk: Chunk) -> None:
    words, codes = chunk.words[rule.column], chunk.texts[rule.column]
    chunk.count(codes, lambda code: f"{rule.prefix}{words[code]}", codes > 0)


def _count_bands(rule: CountBands, chunk: Chunk) -> None:
    values = chunk.integers[rule.column]
    bands = np.minimum(values // rule.width - rule.first, len(rule.bands) - 1)
    kept = chunk.matching(rule.where)
    has_value: Mask = values != NULL
    chunk.count(
        bands, lambda band: rule.bands[band], has_value if kept is None else kept & has_value
    )


def _count_hours(rule: CountHours, chunk: Chunk) -> None:
    times = chunk.integers[TIME]
    hours = (times + offsets_ms(chunk.zone, times)) // MS_PER_HOUR % 24
    chunk.count(hours, lambda hour: rule.hours[hour])


def _count_open(rule: CountOpen, chunk: Chunk) -> None:
    words, codes = chunk.words[rule.column], chunk.texts[rule.column]
    kept = chunk.matching(rule.where)
    chunk.count(
        codes,
        lambda code: open_name(rule.breakdown, words[code]),
        None if kept is None else kept & (codes > 0),
    )


def _count_each(rule: CountEach, chunk: Chunk) -> None:
    words = chunk.words[rule.column]
    rows, entries = chunk.lists[rule.column]
    chunk.count(entries, lambda entry: open_name(rule.breakdown, words[entry]), rows=rows)


def _extremes(rule: Extremes, chunk: Chunk) -> None:
    values = chunk.integers[rule.column]
    kept = values != NULL
    for key in count_by(chunk.keys)[0].tolist():
        of_key = values[kept & (chunk.keys == key)]
        if len(of_key):
            chunk.tallies[key].add_extremes(int(of_key.min()), int(of_key.max()))


# How each kind of rule is applied to columns.
_APPLIED: Final[Mapping[type[Rule], Callable[[Any, Chunk], None]]] = {
    CountRecords: _count_records,
    Sum: _sum,
    SumEach: _sum_each,
    CountValues: _count_values,
    CountBands: _count_bands,
    CountHours: _count_hours,
    CountOpen: _count_open,
    CountEach: _count_each,
    Extremes: _extremes,
}


class Columns(NamedTuple):
    """The names of the columns that rules read, by how they are stored."""

    integers: frozenset[str]
    texts: frozenset[str]
    lists: frozenset[str]


def columns_of(rules: Iterable[Rule]) -> Columns:
    """The columns that some rules read."""
    integers: set[str] = set()
    texts: set[str] = set()
    lists: set[str] = set()
    for rule in rules:
        for column, value in getattr(rule, "where", ()):
            (integers if isinstance(value, bool) else texts).add(column)
        match rule:
            case CountHours():
                integers.add(TIME)
            case SumEach():
                integers.update(f"{rule.column}.{key}" for key in rule.keys)
            case CountEach():
                lists.add(rule.column)
            case CountValues() | CountOpen():
                texts.add(rule.column)
            case CountBands() | Sum() | Extremes():
                integers.add(rule.column)
            case CountRecords() if rule.column is not None:
                integers.add(rule.column)
    return Columns(frozenset(integers), frozenset(texts), frozenset(lists))


class Tallier:
    """Counts selected rows: all together, or by UTC day.

    `Group.HOUR` counts hours of `zone`.
    """

    def __init__(self, groups: Collection[Group], zone: Zone, *, is_by_day: bool) -> None:
        self._rules = [rule for group in groups if group in GROUPS for rule in GROUPS[group].rules]
        self._zone = zone
        self._is_by_day = is_by_day
        integers, texts, lists = columns_of(self._rules)
        if is_by_day:
            integers |= {TIME}
        self._integers: dict[str, list[Int64s]] = {name: [] for name in integers}
        self._texts: dict[str, list[Int64s]] = {name: [] for name in texts}
        self._lists: dict[str, tuple[list[Int64s], list[Int64s]]] = {
            name: ([], []) for name in lists
        }
        self._words = {name: _Words() for name in texts | lists}
        self._gathered = 0
        self._tallies: defaultdict[int, Tally] = defaultdict(Tally)

    def add(self, selected: Selected) -> None:
        """Count some rows of a page."""
        for name, values in self._integers.items():
            values.append(selected.integers(name))
        for name, codes in self._texts.items():
            codes.append(self._words[name].renumbered(*selected.texts(name)))
        for name, (rows, numbers) in self._lists.items():
            rows_of_page, numbers_of_page = self._words[name].flattened(*selected.texts(name))
            rows.append(rows_of_page + self._gathered)
            numbers.append(numbers_of_page)
        self._gathered += selected.count
        if self._gathered >= CHUNK_ROWS:
            self._count()

    def tallies(self) -> Mapping[int, Tally]:
        """The tallies by UTC day number, or one at `WHOLE`; empty if there were no rows."""
        self._count()
        return self._tallies

    def _count(self) -> None:
        if not self._gathered:
            return
        integers = {name: np.concatenate(arrays) for name, arrays in self._integers.items()}
        texts = {name: np.concatenate(arrays) for name, arrays in self._texts.items()}
        if self._is_by_day:
            keys = integers[TIME] // MS_PER_DAY
        else:
            keys = np.full(self._gathered, WHOLE, dtype=np.int64)
        words = {name: of_column.words for name, of_column in self._words.items()}
        lists = {
            name: (np.concatenate(rows), np.concatenate(numbers))
            for name, (rows, numbers) in self._lists.items()
        }
        chunk = Chunk(keys, integers, texts, lists, words, self._tallies, self._zone)
        for rule in self._rules:
            _APPLIED[type(rule)](rule, chunk)
        gathered = (self._integers.values(), self._texts.values(), *self._lists.values())
        for arrays in chain.from_iterable(gathered):
            arrays.clear()
        self._gathered = 0


class _Words:
    """Numbers the words of a column, or of its lists, across all pages; 0 is "no value"."""

    def __init__(self) -> None:
        self.words: Words = [None]
        self._number_of: dict[str, int] = {}

    def renumbered(self, codes: Int32s, words: list[str]) -> Int64s:
        """The numbers of a page's codes."""
        numbers = np.array([0, *map(self._number, words)], dtype=np.int64)
        renumbered: Int64s = numbers[codes]
        return renumbered

    def flattened(self, codes: Int32s, words: list[str]) -> tuple[Int64s, Int64s]:
        """(rows, numbers) of all entries of a page's lists."""
        lists = [[], *(word.split(LIST_SEPARATOR) for word in words)]
        flat = np.array([self._number(word) for words in lists for word in words], dtype=np.int64)
        lengths = np.array([len(words) for words in lists], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        of_row = lengths[codes]
        rows = np.repeat(np.arange(len(codes)), of_row)
        # The index of each entry in its list.
        places = np.arange(len(rows)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
        return rows, flat[np.repeat(starts[codes], of_row) + places]

    def _number(self, word: str) -> int:
        number = self._number_of.get(word)
        if number is None:
            number = self._number_of[word] = len(self.words)
            self.words.append(word)
        return number


# Values are summed in two parts: the sum of 2^20 lower parts is exact in a double.
_LOW_BITS: Final = 32
_LOW_MASK: Final = 2**_LOW_BITS - 1


def count_by(keys: Int64s | Int32s) -> tuple[Int64s, Int64s]:
    """(distinct keys in ascending order, the number of times that each occurs)."""
    low, span = _span(keys)
    if span > 4 * len(keys) + 1024:
        found, counts = np.unique(keys, return_counts=True)
        return found.astype(np.int64), counts.astype(np.int64)
    counts = np.bincount(keys - low, minlength=0)
    present = np.flatnonzero(counts)
    return present + low, counts[present].astype(np.int64)


def sum_by(keys: Int64s, values: Int64s) -> tuple[Int64s, list[int]]:
    """(distinct keys in ascending order, the exact sum of the values of each).

    Takes at most 2^20 values, each from 0 to below 2^63.
    """
    found, inverse = np.unique(keys, return_inverse=True)
    # numpy adds weights as doubles, which are exact up to 2^53.
    low = np.bincount(inverse, weights=values & _LOW_MASK)
    high = np.bincount(inverse, weights=values >> _LOW_BITS)
    return found, [
        (int(upper) << _LOW_BITS) + int(lower)
        for upper, lower in zip(high.tolist(), low.tolist(), strict=True)
    ]


def _span(keys: Int64s | Int32s) -> tuple[int, int]:
    low = int(keys.min())
    return low, int(keys.max()) - low + 1
