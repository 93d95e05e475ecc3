"""Aggregation: counts the selected rows of ledger pages, per group of measures.

`Tallier` gathers columns of selected rows into chunks and counts each chunk by the functions in
`COUNTING`, one per group. `count_by` and `sum_by` aggregate arrays by key, exactly. Measures have
the names that `rollcall.domain.contributions` gives them in rollups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

import numpy as np

from rollcall.domain import measures as m
from rollcall.domain.measures import Group
from rollcall.domain.records import CALL_EVENTS
from rollcall.domain.time.calendar import MS_PER_DAY, MS_PER_HOUR
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int32s, Int64s
from rollcall.ledger.page import LIST_SEPARATOR, TIME
from rollcall.query.filtering import CHUNK_ROWS, Mask, Selected
from rollcall.query.results import WHOLE, Tally
from rollcall.query.time_series import offsets_ms

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

    def count_words(self, column: str, name_of: Callable[[str], str]) -> None:
        """Count rows by the word of a column; rows without one are left out."""
        words, codes = self.words[column], self.texts[column]
        self.count(codes, lambda code: name_of(words[code] or ""), codes > 0)


def _answered(chunk: Chunk) -> None:
    chunk.count_rows("answered", chunk.integers["answered"] == 1)


def _duration(chunk: Chunk) -> None:
    seconds = chunk.integers["duration_seconds"]
    chunk.count_rows("timed", seconds != NULL)
    chunk.sum(seconds, "seconds")


def _extremes(chunk: Chunk) -> None:
    seconds = chunk.integers["duration_seconds"]
    kept = seconds != NULL
    for key in count_by(chunk.keys)[0].tolist():
        of_key = seconds[kept & (chunk.keys == key)]
        if len(of_key):
            chunk.tallies[key].add_extremes(int(of_key.min()), int(of_key.max()))


def _disposition(chunk: Chunk) -> None:
    chunk.count_words("disposition", lambda word: f"d.{word}")


def _sentiment(chunk: Chunk) -> None:
    sentiments = chunk.integers["sentiment_milli"]
    chunk.count(sentiments, lambda milli: f"m{m.sentiment_band(milli)}", sentiments != NULL)


def _hour(chunk: Chunk) -> None:
    times = chunk.integers[TIME]
    hours = (times + offsets_ms(chunk.zone, times)) // MS_PER_HOUR % 24
    chunk.count(hours, lambda hour: f"h{hour:02d}")


def _attempt(chunk: Chunk) -> None:
    attempts = np.minimum(chunk.integers["attempt"], 10)
    chunk.count(attempts, lambda attempt: f"a{m.attempt_name(attempt)}")
    words = chunk.words["disposition"]
    if "successful" in words:
        successful = chunk.texts["disposition"] == words.index("successful")
        chunk.count(attempts, lambda attempt: f"w{m.attempt_name(attempt)}", successful)


def _events(chunk: Chunk) -> None:
    for event in CALL_EVENTS:
        chunk.sum(chunk.integers[f"events.{event}"], f"e.{event}")


def _lead_status(chunk: Chunk) -> None:
    chunk.count_words("status", lambda word: f"s.{word}")
    words = chunk.words["status"]
    if "FINISHED" in words:
        is_finished = chunk.texts["status"] == words.index("FINISHED")
        chunk.count_rows("converted", is_finished & (chunk.integers["converted"] == 1))


def _open(breakdown: str, column: str) -> Callable[[Chunk], None]:
    def count(chunk: Chunk) -> None:
        words = chunk.words[column]
        chunk.count(chunk.texts[column], lambda code: m.open_name(breakdown, words[code]))

    return count


def _of_event(breakdown: str, column: str, event_type: str) -> Callable[[Chunk], None]:
    def count(chunk: Chunk) -> None:
        types = chunk.words["event_type"]
        if event_type not in types:
            return
        words, codes = chunk.words[column], chunk.texts[column]
        kept = (chunk.texts["event_type"] == types.index(event_type)) & (codes > 0)
        chunk.count(codes, lambda code: m.open_name(breakdown, words[code]), kept)

    return count


def _labels(chunk: Chunk) -> None:
    words = chunk.words["labels"]
    rows, labels = chunk.lists["labels"]
    chunk.count(labels, lambda label: m.open_name(m.LABEL, words[label]), rows=rows)


@dataclass(frozen=True, slots=True)
class Counting:
    """How a group is counted: the columns it reads, and the function that counts a chunk."""

    count: Callable[[Chunk], None]
    integers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


# Distinct leads cannot be summed: see `rollcall.query.distinct`.
COUNTING: Final[Mapping[Group, Counting]] = {
    Group.CALLS: Counting(lambda chunk: chunk.count_rows("calls")),
    Group.LEAD_STATUS: Counting(_lead_status, integers=("converted",), texts=("status",)),
    Group.ANSWERED: Counting(_answered, integers=("answered",)),
    Group.DURATION: Counting(_duration, integers=("duration_seconds",)),
    Group.EXTREMES: Counting(_extremes, integers=("duration_seconds",)),
    Group.COST: Counting(
        lambda chunk: chunk.sum(chunk.integers["cost_micros"], "cost_micros"),
        integers=("cost_micros",),
    ),
    Group.DISPOSITION: Counting(_disposition, texts=("disposition",)),
    Group.SENTIMENT: Counting(_sentiment, integers=("sentiment_milli",)),
    Group.HOUR: Counting(_hour, integers=(TIME,)),
    Group.ATTEMPT: Counting(_attempt, integers=("attempt",), texts=("disposition",)),
    Group.EVENTS: Counting(_events, integers=tuple(f"events.{event}" for event in CALL_EVENTS)),
    Group.OUTCOME: Counting(_open(m.OUTCOME, "outcome"), texts=("outcome",)),
    Group.PROVIDER: Counting(_open(m.PROVIDER, "provider"), texts=("provider",)),
    Group.LABEL: Counting(_labels, lists=("labels",)),
    Group.EVENT_TYPE: Counting(_open(m.EVENT_TYPE, "event_type"), texts=("event_type",)),
    Group.ROOM: Counting(
        _of_event(m.ROOM, "room_id", "room_join"), texts=("event_type", "room_id")
    ),
    Group.PAGE: Counting(
        _of_event(m.PAGE, "booking_page_id", "booking"), texts=("event_type", "booking_page_id")
    ),
}


class Tallier:
    """Counts selected rows: all together, or by UTC day.

    `Group.HOUR` counts hours of `zone`.
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
        for counting in self._counting:
            counting.count(chunk)
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
