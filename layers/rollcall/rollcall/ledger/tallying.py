"""Counting the rows of pages into the measures that rollups keep, one page after another.

Pages are small, so what is needed of their columns is gathered and counted thousands of rows at a
time; nothing else of a page is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import chain

import numpy as np

from rollcall.domain.measures import Group
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import Int32s, Int64s
from rollcall.ledger.page import LIST_SEPARATOR, TIME
from rollcall.query.aggregation import COUNTING, Chunk, Words
from rollcall.query.filtering import CHUNK_ROWS, Selected
from rollcall.query.results import WHOLE, Tally


class Tallier:
    """Counts selected rows: all together, or by UTC day.

    `zone` is whose hours `Group.HOUR` counts.
    """

    def __init__(self, groups: Collection[Group], zone: Zone, *, is_by_day: bool) -> None:
        self._counting = [COUNTING[group] for group in groups if group in COUNTING]
        self._zone = zone
        self._is_by_day = is_by_day
        integers = {name for counting in self._counting for name in counting.integers}
        texts = {name for counting in self._counting for name in counting.texts}
        lists = {name for counting in self._counting for name in counting.lists}
        if is_by_day:
            integers.add(TIME)
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
        """What was counted, by UTC day number, or all of it at `WHOLE`; none where no row was."""
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
        for counting in self._counting:
            counting.count(chunk)
        gathered = (self._integers.values(), self._texts.values(), *self._lists.values())
        for arrays in chain.from_iterable(gathered):
            arrays.clear()
        self._gathered = 0


class _Words:
    """One number for each word of a column, or of its lists, over all pages; 0 is "no value"."""

    def __init__(self) -> None:
        self.words: Words = [None]
        self._number_of: dict[str, int] = {}

    def renumbered(self, codes: Int32s, words: list[str]) -> Int64s:
        """A page's codes, as these numbers."""
        numbers = np.array([0, *map(self._number, words)], dtype=np.int64)
        renumbered: Int64s = numbers[codes]
        return renumbered

    def flattened(self, codes: Int32s, words: list[str]) -> tuple[Int64s, Int64s]:
        """(row, number) of every entry of a page's lists."""
        lists = [[], *(word.split(LIST_SEPARATOR) for word in words)]
        flat = np.array([self._number(word) for words in lists for word in words], dtype=np.int64)
        lengths = np.array([len(words) for words in lists], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        of_row = lengths[codes]
        rows = np.repeat(np.arange(len(codes)), of_row)
        # Where each entry is in its list: it counts up from 0 in every row.
        places = np.arange(len(rows)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
        return rows, flat[np.repeat(starts[codes], of_row) + places]

    def _number(self, word: str) -> int:
        number = self._number_of.get(word)
        if number is None:
            number = self._number_of[word] = len(self.words)
            self.words.append(word)
        return number
