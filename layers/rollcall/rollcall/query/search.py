"""Finds the calls behind a number, newest or oldest first, and reads only the pages that it needs.

Ledger pages decide which calls are candidates, as they decide what is counted. What is shown are the
facts, which may be newer than their rows: a fact that was deleted, that no longer matches, or that has
moved, is left out. At rest, facts and rows are the same.

A call may move while a search is read, and its new place may follow those that were shown. The search
leaves it out there if it was at an earlier place since the first page was read.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from rollcall.at_once import begun_at_once
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import TooManyRows
from rollcall.domain.facts import Fact
from rollcall.domain.time.periods import Period
from rollcall.ledger.page import ID, REV, TIME, Rows
from rollcall.ledger.positions import END, FIRST, Span, floor, position
from rollcall.ledger.segments import Directory
from rollcall.ledger.tree import Page
from rollcall.ledger.writer import row_of
from rollcall.query.columns import selected_by
from rollcall.query.filtering import PageRead, RowFilter, Selected, Stretch
from rollcall.query.lookups import Lookup, ensure_as_of
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Reading, Selection
from rollcall.query.ports import OrderedLedger, Rollups
from rollcall.query.zones import SegmentFilter

_CALL: Final = "call"
_US_PER_MS: Final = 1_000


class Place(NamedTuple):
    """The place of a call in the order of time: unique, and the same until the call moves."""

    position: str
    id: str


@dataclass(frozen=True, slots=True)
class CallSearch:
    """Calls of a selection in a period.

    `after` is the last call that was shown, if there is one, and `began_ms` when the first page was
    read.
    """

    selection: Selection
    period: Period
    is_newest_first: bool
    after: Place | None
    limit: int
    began_ms: int


class FoundCalls(NamedTuple):
    """Live calls in order; `last` is the place of the last of them, None if no call follows it."""

    calls: list[Fact]
    last: Place | None


class _Candidate(NamedTuple):
    """A row that matches: its place, and its revision."""

    place: Place
    rev: int


class SearchCalls:
    """Searches for calls."""

    def __init__(
        self,
        ledger: OrderedLedger,
        look_up: Lookup,
        rollups: Rollups,
        executor: Executor,
        max_rows: int,
    ) -> None:
        self._ledger = ledger
        self._executor = executor
        self._look_up = look_up
        self._rollups = rollups
        self._max_rows = max_rows

    def __call__(self, reading: Reading, search: CallSearch) -> FoundCalls:
        """At most `limit` calls after the last one that was shown.

        No call is on two pages. A call that matches throughout is on one of them, also while others
        are written. Raises TooManyRows when the calls of this page are further apart than `max_rows`
        ledger rows.
        """
        # A meter is for one thread, and the buckets are read by several at once.
        meters = [ReadMeter() for _ in reading.epoch.buckets]
        found: list[Fact] = []
        try:
            candidates = self._candidates(reading.epoch, search, meters)
            # One more than is shown, so that the last page has no cursor.
            while len(found) <= search.limit:
                batch = list(islice(candidates, search.limit + 1))
                if not batch:
                    break
                found += self._stored(reading, search, batch)
        finally:
            for meter in meters:
                reading.meter.add(meter)
        ensure_as_of(self._rollups, reading)
        shown = found[: search.limit]
        return FoundCalls(shown, _place_of(shown[-1]) if len(found) > len(shown) else None)

    def _candidates(
        self, epoch: Epoch, search: CallSearch, meters: Sequence[ReadMeter]
    ) -> Iterator[_Candidate]:
        """The rows of all buckets that match, in order, without those that were shown."""
        streams = [
            self._candidates_of(bucket, search, meter, meters)
            for bucket, meter in zip(epoch.buckets, meters, strict=True)
        ]
        begun = begun_at_once(self._executor, streams)
        return heapq.merge(*begun, reverse=search.is_newest_first)

    def _candidates_of(
        self,
        bucket: Bucket,
        search: CallSearch,
        meter: ReadMeter,
        meters: Sequence[ReadMeter],
    ) -> Iterator[_Candidate]:
        """The rows of a bucket that match, in order, without those that were shown.

        `meter` is its own, one of the `meters` of all buckets.
        """
        rows, segments = RowFilter(search.selection), SegmentFilter(search.selection)
        for stretch in self._ledger.stretches(
            bucket,
            _CALL,
            _span(search),
            meter,
            is_backward=search.is_newest_first,
            columns=selected_by(search.selection) | {ID, REV, TIME},
            can_match=partial(_can_match, segments, rows),
        ):
            read = PageRead(
                stretch.page,
                search.period,
                stretch.applied_at_ms,
                can_match=stretch.can_match,
            )
            count, selected = rows.select(read)
            meter.rows += count
            if sum(each.rows for each in meters) > self._max_rows:
                raise TooManyRows(self._max_rows)
            if count:
                meter.saw(stretch.applied_at_ms)
            if selected is not None:
                yield from _ordered(selected, stretch, search)

    def _stored(
        self, reading: Reading, search: CallSearch, candidates: Sequence[_Candidate]
    ) -> list[Fact]:
        """The facts of some candidates, in their order."""
        facts = self._look_up(reading, _CALL, [each.place.id for each in candidates])
        live, changed = [], []
        for place, rev in candidates:
            fact = facts.get(place.id)
            if fact is None or fact.record is None or _place_of(fact) != place:
                continue
            if _may_be_shown(fact, search):
                continue
            live.append(fact)
            if fact.rev != rev:
                changed.append(fact)
        gone = {fact.id for fact in changed} - _matching(changed, search)
        return [fact for fact in live if fact.id not in gone]


def _can_match(
    segments: SegmentFilter, rows: RowFilter, directory: Directory, of_segment: Rows
) -> bool:
    """Whether a row of a segment matches: few do, and the others' ids need not be read."""
    return segments.can_match(directory) and rows.has_match(of_segment)


def _span(search: CallSearch) -> Span:
    """The positions that are still to be searched."""
    span = Span(*map(floor, search.period))
    if search.after is None:
        return span
    at = search.after.position
    # Calls at one position follow each other by id.
    return Span(span.start, f"{at}{END}") if search.is_newest_first else Span(at, span.end)


def _ordered(selected: Selected, stretch: Stretch, search: CallSearch) -> list[_Candidate]:
    """The selected rows of a stretch, in order, without those that were shown."""
    codes, ids = selected.texts(ID)
    candidates = []
    for code, time_ms, rev in zip(
        codes.tolist(),
        selected.integers(TIME).tolist(),
        selected.integers(REV).tolist(),
        strict=True,
    ):
        call_id = ids[code - 1]
        place = Place(position(time_ms, call_id), call_id)
        if stretch.span.start <= place.position < stretch.span.end and _is_left(place, search):
            candidates.append(_Candidate(place, rev))
    return sorted(candidates, reverse=search.is_newest_first)


def _is_left(place: Place, search: CallSearch) -> bool:
    return search.after is None or _is_before(search.after, place, search)


def _is_before(one: Place, other: Place, search: CallSearch) -> bool:
    return one > other if search.is_newest_first else one < other


def _may_be_shown(fact: Fact, search: CallSearch) -> bool:
    """Whether a fact moved since the search began, and may have been shown where it was."""
    if not fact.left_behind or fact.last_move < search.began_ms * _US_PER_MS:
        return False
    left = (Place(position(time_ms, fact.id), fact.id) for time_ms in fact.left_behind)
    return any(_is_before(place, _place_of(fact), search) for place in left)


def _matching(facts: Sequence[Fact], search: CallSearch) -> set[str]:
    """The ids of the facts that match."""
    if not facts:
        return set()
    rows = Rows.empty(_CALL).with_rows({}, [row_of(fact) for fact in facts])
    read = PageRead(Page(FIRST, END, 0, rows), search.period, 0)
    _, selected = RowFilter(search.selection).select(read)
    if selected is None:
        return set()
    codes, ids = selected.texts(ID)
    return {ids[code - 1] for code in codes.tolist()}


def _place_of(fact: Fact) -> Place:
    return Place(row_of(fact).position, fact.id)
