"""Reads the ledger pages of a period: several queries at once, every row exactly once.

Reads are committed but not a snapshot: while a page splits, a reader may miss a new page, or see it
together with the old version of the page that was split. Pages cover all positions and only ever
split, so a reader in order of position detects both. If the next page starts too late, it reads the
missing one consistently. If a page starts too early, the rows are in the older page that it has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import Any, Final

from rollcall.domain.errors import CorruptItem, Unavailable
from rollcall.domain.time.periods import Period
from rollcall.ledger.positions import FIRST, floor, time_of
from rollcall.query.filtering import PageRead
from rollcall.query.metering import ReadMeter
from rollcall.retry import MAX_REQUEST_SECONDS, Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.pages import page_of_item
from rollcall.storage.queries import consumed_units, keys_between, page_at
from rollcall.storage.rollups import APPLIED_AT

# A part of a period that is shorter than this is not worth a query of its own.
_SHORTEST_PART_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a period, and the position up to which its pages have been read."""

    partition: str
    record_type: str
    start_ms: int
    end_ms: int
    reached: str | None = None

    @property
    def is_done(self) -> bool:
        return self.reached is not None and self.reached >= floor(self.end_ms)

    def cut(self, pieces: int, last_row_ms: int) -> list[_Part]:
        """The unread rest in up to `pieces` parts: equal times up to `last_row_ms`."""
        # A split in progress may leave the reached position before the start of the part.
        begins = max(self.start_ms, time_of(self.reached or FIRST))
        busy_ms = min(self.end_ms, last_row_ms) - begins
        pieces = max(1, min(pieces, busy_ms // _SHORTEST_PART_MS))
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
    items: int = 0
    units: float = 0.0

    def page_of(self, item: Item) -> PageRead:
        """A page, clipped to the time of the part."""
        page = page_of_item(self.part.record_type, item)
        clip = Period(self.part.start_ms, self.part.end_ms)
        return PageRead(page, clip, av.integer(item, APPLIED_AT))


class LedgerReader:
    """Pages of all organisations; every request is checked against the current one."""

    def __init__(
        self, client: Any, table: str, executor: Executor, concurrency: int, backoff: Backoff
    ) -> None:
        self._client = client
        self._table = table
        self._executor = executor
        self._concurrency = concurrency
        self._backoff = backoff

    def pages(
        self,
        org_id: str,
        epoch: int,
        record_type: str,
        periods: Iterable[Period],
        meter: ReadMeter,
    ) -> Iterator[PageRead]:
        """The pages of some periods, each with the part of a period to take its rows from.

        The periods must not overlap; each of their rows is in exactly one page. Pages are yielded in
        no particular order. At most `concurrency` answers of DynamoDB (1 MB) are in memory,
        including those of running queries. Raises Unavailable when a read fails in every retry.
        """
        partition = keys.ledger(org_id, epoch, record_type)
        waiting = deque(_Part(partition, record_type, *period) for period in periods)
        meter.used_ledger = meter.used_ledger or bool(waiting)
        running: set[Future[_Fetched]] = set()
        stopped = Event()
        try:
            while waiting or running:
                self._start(waiting, running, self._concurrency, stopped)
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for handled, future in enumerate(done):
                    fetched = future.result()
                    meter.count(fetched.items, fetched.units)
                    kept = len(done) - handled
                    if not fetched.part.is_done:
                        free = self._concurrency - len(running) - len(waiting) - kept + 1
                        waiting.extend(self._cut(fetched.part, free, meter))
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

    def _cut(self, part: _Part, pieces: int, meter: ReadMeter) -> list[_Part]:
        """The unread rest of a part, in pieces for as many queries as may run."""
        if pieces <= 1:
            return [part]
        fetched = _Fetched(part, Event())
        last = self._page_at(fetched, floor(part.end_ms), is_consistent=False)
        meter.count(fetched.items, fetched.units)
        # The period may end long after the last row.
        return part.cut(pieces, part.end_ms if last is None else time_of(last.page.start) + 1)

    def _fetch(self, part: _Part, stopped: Event) -> _Fetched:
        fetched = _Fetched(part, stopped)
        reached = part.reached
        if reached is None:
            first = self._page_at(fetched, max(floor(part.start_ms), FIRST), is_consistent=False)
            if first is None:  # the ledger is empty
                fetched.part = replace(part, reached=floor(part.end_ms))
                return fetched
            fetched.pages.append(first)
            reached = first.page.end
        end = floor(part.end_ms)
        if reached < end:
            answer = self._query(fetched, keys_between(part.partition, reached, end))
            for item in answer["Items"]:
                read = fetched.page_of(item)
                if read.page.start > reached:
                    reached = self._close_gap(fetched, reached, read.page.start)
                if read.page.start == reached:
                    fetched.pages.append(read)
                    reached = read.page.end
            if "LastEvaluatedKey" not in answer and reached < end:
                reached = self._close_gap(fetched, reached, end)
        fetched.part = replace(part, reached=reached)
        return fetched

    def _close_gap(self, fetched: _Fetched, reached: str, end: str) -> str:
        """Read the pages from `reached` to `end` one by one, and return the position reached."""
        while reached < end:
            read = self._page_at(fetched, reached, is_consistent=True)
            if read is None or read.page.start != reached:
                raise CorruptItem(f"no ledger page starts at {reached}")
            fetched.pages.append(read)
            reached = read.page.end
        return reached

    def _page_at(self, fetched: _Fetched, position: str, *, is_consistent: bool) -> PageRead | None:
        """The page that covers a position."""
        covering = page_at(fetched.part.partition, position)
        items = self._query(fetched, covering | {"ConsistentRead": is_consistent})["Items"]
        return fetched.page_of(items[0]) if items else None

    def _query(self, fetched: _Fetched, query: dict[str, Any]) -> dict[str, Any]:
        if fetched.stopped.is_set():
            raise Unavailable("the query was stopped")
        request = partial(
            self._client.query, TableName=self._table, ReturnConsumedCapacity="TOTAL", **query
        )
        answer: dict[str, Any] = with_retries(self._backoff, request)
        fetched.items += len(answer["Items"])
        fetched.units += consumed_units(answer)
        return answer
