"""Reads the ledger pages of a period: several queries at once, every row exactly once.

Reads are committed but not a snapshot: while a page splits, a reader may miss a new page, or see it
together with the old version of the page that was split. While pages are merged into a segment, it may
miss them all, and see the segment after it has counted some of them. Pages and segments cover all
positions, so a reader in order of position detects each case: it keeps the position that it has reached,
and takes from what covers it only the rows from there on. If the next page starts too late, it reads
consistently what covers the position. A page that ends before it holds rows that were counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from types import MappingProxyType
from typing import Any, Final

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import Unavailable
from rollcall.domain.time.periods import Period
from rollcall.ledger.page import TIME, TOMBSTONE
from rollcall.ledger.positions import FIRST, floor, time_of
from rollcall.query.filtering import PageRead
from rollcall.query.metering import ReadMeter
from rollcall.retry import MAX_REQUEST_SECONDS, Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.page_reads import Ahead, CanMatch, Found, PageReads, Wanted
from rollcall.storage.queries import consumed_units, keys_between, page_at
from rollcall.storage.segment_items import projection

# An answer is expected to cover at least this much time, so a part that is no longer is not cut.
_LEAST_ANSWER_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a period, and the position up to which its pages have been read.

    `wanted` is what to read of segments.
    """

    partition: str
    record_type: str
    wanted: Wanted
    start_ms: int
    end_ms: int
    reached: str | None = None

    @property
    def is_done(self) -> bool:
        return self.reached is not None and self.reached >= floor(self.end_ms)

    @property
    def begins_ms(self) -> int:
        """Where the unread rest begins."""
        # A split in progress may leave the reached position before the start of the part.
        return max(self.start_ms, time_of(self.reached or FIRST))

    def cut(self, pieces: int, last_row_ms: int, answer_ms: int) -> list[_Part]:
        """The unread rest in up to `pieces` parts: equal times up to `last_row_ms`.

        There are no more parts than queries that each cover `answer_ms`.
        """
        begins = self.begins_ms
        busy_ms = min(self.end_ms, last_row_ms) - begins
        pieces = max(1, min(pieces, -(-busy_ms // answer_ms)))
        cuts = [begins + busy_ms * n // pieces for n in range(1, pieces)]
        first, *others = zip([self.start_ms, *cuts], [*cuts, self.end_ms], strict=True)
        return [
            replace(self, end_ms=first[1]),
            *(replace(self, start_ms=start, end_ms=end, reached=None) for start, end in others),
        ]


@dataclass(slots=True)
class _Fetched:
    """The pages that one task read, and its part with the position that it reached."""

    part: _Part
    stopped: Event
    pages: list[PageRead] = field(default_factory=list)
    meter: ReadMeter = field(default_factory=ReadMeter)

    def take(self, found: Found, reached: str) -> str:
        """Take the rows from a position on, clipped to the time of the part; returns the end."""
        clip = Period(self.part.start_ms, self.part.end_ms)
        self.pages.append(PageRead(found.page, clip, found.applied_at_ms, reached, found.can_match))
        return found.page.end

    @property
    def span_ms(self) -> int:
        """The time from the end of the first page to the position reached."""
        if not self.pages or self.part.reached is None:
            return 0
        return time_of(self.part.reached) - time_of(self.pages[0].page.end)


class LedgerReader:
    """Pages of all organisations; every request is checked against the current one."""

    def __init__(
        self, client: Any, table: str, executor: Executor, concurrency: int, backoff: Backoff
    ) -> None:
        self._client = client
        self._table = table
        self._reads = PageReads(client, table, backoff)
        self._executor = executor
        self._concurrency = concurrency
        self._backoff = backoff

    def pages(
        self,
        epoch: Epoch,
        record_type: str,
        periods: Iterable[Period],
        meter: ReadMeter,
        columns: Collection[str] | None = None,
        can_match: CanMatch = lambda *_: True,
    ) -> Iterator[PageRead]:
        """The pages of some periods; see `rollcall.query.ports.Ledger`.

        The periods must not overlap; each of their rows is in exactly one page. Pages are yielded in
        no particular order. At most `concurrency` answers of DynamoDB are in memory, including those of
        running queries: 1 MB each, and about 1 MB more with the identities of its segments. Raises
        Unavailable when a read fails in every retry.
        """
        used = None if columns is None else frozenset((TIME, TOMBSTONE, *columns))
        wanted = Wanted(used, can_match)
        partitions = [keys.ledger(bucket, record_type) for bucket in epoch.buckets]
        waiting = deque(
            _Part(partition, record_type, wanted, *period)
            for period in periods
            for partition in partitions
        )
        meter.used_ledger = meter.used_ledger or bool(waiting)
        running: set[Future[_Fetched]] = set()
        stopped = Event()
        try:
            while waiting or running:
                self._start(waiting, running, self._concurrency, stopped)
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for handled, future in enumerate(done):
                    fetched = future.result()
                    meter.count(fetched.meter.items, fetched.meter.units)
                    kept = len(done) - handled
                    if not fetched.part.is_done:
                        free = self._concurrency - len(running) - len(waiting) - kept + 1
                        waiting.extend(self._cut(fetched, free, meter))
                    self._start(waiting, running, self._concurrency - kept, stopped)
                    yield from fetched.pages
                self._backoff.check()
        finally:
            # The caller may stop iterating early: wait for the running queries, and start no more.
            stopped.set()
            wait(running, timeout=MAX_REQUEST_SECONDS)

    def _start(
        self, waiting: deque[_Part], running: set[Future[_Fetched]], most: int, stopped: Event
    ) -> None:
        while waiting and len(running) < most:
            # The organisation and the time limit are context variables.
            context = copy_context()
            part = waiting.popleft()
            running.add(self._executor.submit(context.run, self._fetch, part, stopped))

    def _cut(self, before: _Fetched, pieces: int, meter: ReadMeter) -> list[_Part]:
        """The unread rest of a part, in pieces for as many queries as may run.

        There are no more pieces than queries that each cover as much time as the query before.
        """
        part = before.part
        answer_ms = max(_LEAST_ANSWER_MS, before.span_ms)
        if pieces <= 1 or part.end_ms - part.begins_ms <= answer_ms:
            return [part]
        fetched = _Fetched(part, Event())
        last = self._last_at(fetched, floor(part.end_ms))
        meter.count(fetched.meter.items, fetched.meter.units)
        # The period may end long after the last row.
        last_ms = part.end_ms if last is None else time_of(av.text(last, keys.SK)) + 1
        return part.cut(pieces, last_ms, answer_ms)

    def _fetch(self, part: _Part, stopped: Event) -> _Fetched:
        fetched = _Fetched(part, stopped)
        end = floor(part.end_ms)
        reached = part.reached
        if reached is None:
            first = max(floor(part.start_ms), FIRST)
            found = self._complete(fetched, self._last_at(fetched, first), first, part.wanted)
            if found is None:  # the ledger is empty
                fetched.part = replace(part, reached=end)
                return fetched
            reached = fetched.take(found, found.page.start)
        if reached < end:
            listed = keys_between(part.partition, reached, end) | projection(part.wanted.columns)
            answer = self._query(fetched, listed)
            ahead = self._reads.ahead(part.record_type, answer["Items"], part.wanted, fetched.meter)
            for item in answer["Items"]:
                reached = self._close_gap(fetched, reached, av.text(item, keys.SK))
                wanted = replace(part.wanted, first=reached)
                found = self._complete(fetched, item, reached, wanted, ahead)
                if found is not None and found.page.covers(reached):
                    reached = fetched.take(found, reached)
            if "LastEvaluatedKey" not in answer:
                reached = self._close_gap(fetched, reached, end)
        fetched.part = replace(part, reached=reached)
        return fetched

    def _close_gap(self, fetched: _Fetched, reached: str, end: str) -> str:
        """Read what covers the positions from `reached` to `end`; returns the position reached."""
        part = fetched.part
        while reached < end:
            self._check(fetched)
            wanted = replace(part.wanted, first=reached)
            found = self._reads.covering(
                part.record_type, part.partition, reached, fetched.meter, wanted
            )
            reached = fetched.take(found, reached)
        return reached

    def _complete(
        self,
        fetched: _Fetched,
        item: Item | None,
        position: str,
        wanted: Wanted,
        ahead: Mapping[str, Ahead] = MappingProxyType({}),
    ) -> Found | None:
        """The page of an item; if a segment changes meanwhile, what is at a position."""
        part = fetched.part

        def again() -> Item | None:
            self._check(fetched)
            return self._reads.last_at(part.partition, position, wanted, fetched.meter)

        return self._reads.complete(part.record_type, item, again, wanted, fetched.meter, ahead)

    def _last_at(self, fetched: _Fetched, position: str) -> Item | None:
        """The item of the last page that starts at or before a position."""
        request = page_at(fetched.part.partition, position) | projection(
            fetched.part.wanted.columns
        )
        items = self._query(fetched, request)["Items"]
        return items[0] if items else None

    def _query(self, fetched: _Fetched, query: dict[str, Any]) -> dict[str, Any]:
        self._check(fetched)
        request = partial(
            self._client.query, TableName=self._table, ReturnConsumedCapacity="TOTAL", **query
        )
        answer: dict[str, Any] = with_retries(self._backoff, request)
        fetched.meter.count(len(answer["Items"]), consumed_units(answer))
        return answer

    @staticmethod
    def _check(fetched: _Fetched) -> None:
        if fetched.stopped.is_set():
            raise Unavailable("the query was stopped")
