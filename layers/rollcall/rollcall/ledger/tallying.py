"""Counting the rows of pages into the measures that rollups keep, one page after another.

Pages are small, so what is needed of their columns is gathered and counted thousands of rows at a
time; nothing else of a page is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from rollcall.domain.calendar import MS_PER_DAY
from rollcall.domain.measures import Group
from rollcall.domain.tally import WHOLE, Tally
from rollcall.domain.zones import Zone
from rollcall.ledger.columns import Int32s, Int64s
from rollcall.ledger.counting import COUNTING, Chunk, Words
from rollcall.ledger.page import TIME
from rollcall.ledger.selecting import Selected
from rollcall.ledger.summing import count_by

_CHUNK_ROWS: Final = 65_536
_LEAD: Final = "lead_id"


class Tallier:
    """Counts selected rows: all together, or by UTC day.

    `zone` is whose hours `Group.HOUR` counts.
    """

    def __init__(self, groups: Collection[Group], zone: Zone, *, is_by_day: bool) -> None:
        self._counting = [COUNTING[group] for group in groups if group in COUNTING]
        self._has_leads = Group.LEADS in groups
        self._zone = zone
        self._is_by_day = is_by_day
        integers = {name for counting in self._counting for name in counting.integers}
        texts = {name for counting in self._counting for name in counting.texts}
        if is_by_day:
            integers.add(TIME)
        self._integers: dict[str, list[Int64s]] = {name: [] for name in integers}
        self._texts: dict[str, list[Int64s]] = {name: [] for name in texts}
        self._words = {name: _Words() for name in texts}
        self._gathered = 0
        self._tallies: defaultdict[int, Tally] = defaultdict(Tally)

    def add(self, selected: Selected) -> None:
        """Count some rows of a page."""
        for name, values in self._integers.items():
            values.append(selected.integers(name))
        for name, codes in self._texts.items():
            codes.append(self._words[name].renumbered(*selected.texts(name)))
        if self._has_leads:
            self._add_leads(selected)
        self._gathered += selected.count
        if self._gathered >= _CHUNK_ROWS:
            self._count()

    def tallies(self) -> Mapping[int, Tally]:
        """What was counted, by UTC day number, or all of it at `WHOLE`; none where no row was."""
        self._count()
        return self._tallies

    def _add_leads(self, selected: Selected) -> None:
        codes, words = selected.texts(_LEAD)
        width = len(words) + 1
        if self._is_by_day:
            codes = codes + selected.integers(TIME) // MS_PER_DAY * width
        for combined in count_by(codes)[0].tolist():
            key, code = divmod(combined, width)
            if code:
                self._tallies[key].leads.add(words[code - 1])

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
        chunk = Chunk(keys, integers, texts, words, self._tallies, self._zone)
        for counting in self._counting:
            counting.count(chunk)
        for gathered in (*self._integers.values(), *self._texts.values()):
            gathered.clear()
        self._gathered = 0


class _Words:
    """One number for each word of a column, over all pages; 0 is "no value"."""

    def __init__(self) -> None:
        self.words: Words = [None]
        self._number_of: dict[str, int] = {}

    def renumbered(self, codes: Int32s, words: list[str]) -> Int64s:
        """A page's codes, as these numbers."""
        numbers = [0]
        for word in words:
            number = self._number_of.get(word)
            if number is None:
                number = self._number_of[word] = len(self.words)
                self.words.append(word)
            numbers.append(number)
        renumbered: Int64s = np.array(numbers, dtype=np.int64)[codes]
        return renumbered
