"""What each group of measures counts in a chunk of rows, and which columns it needs for it.

The names are those that `rollcall.domain.contributions` gives the same measures in rollups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from rollcall.domain import measures as m
from rollcall.domain.measures import Group
from rollcall.domain.records import CALL_EVENTS
from rollcall.domain.time.calendar import MS_PER_HOUR
from rollcall.domain.time.zones import Zone
from rollcall.ledger.columns import NULL, Int64s
from rollcall.ledger.localtime import offsets_ms
from rollcall.ledger.page import TIME
from rollcall.ledger.summing import count_by, sum_by
from rollcall.query.filtering import Mask
from rollcall.query.results import Tally

Words: TypeAlias = list[str | None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Columns of some rows: integers with nulls, and texts as numbers of `words` (0: no value).

    Of a column of lists every entry is one (row, number). `keys` says which tally each row belongs
    to.
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
        """Count rows by code (from 0 up), into the measure that `name_of` gives each code.

        Without `rows` there is one code for each row.
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
        """Add values that are not null up into one measure."""
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


# Distinct leads are no sum: see `rollcall.query.distinct`.
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
