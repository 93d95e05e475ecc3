"""Reading the ledger pages of a period: several queries at once, every row exactly once.

Reads are committed but no snapshot: while a page splits, its new neighbours may not be seen yet, or
be seen beside its older self. Pages tile, and only ever split, so a reader that walks them in order
notices: where the next page starts too late it reads the missing one consistently, and what starts
too early is held by the older page that it has already.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from rollcall.domain.errors import CorruptItem
from rollcall.domain.metering import ReadMeter
from rollcall.domain.periods import Period
from rollcall.ledger.backoff import Backoff
from rollcall.ledger.positions import FIRST, floor, time_of
from rollcall.ledger.tree import Page
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import patiently
from rollcall.storage.guard import PARTITION_VALUE
from rollcall.storage.pages import page_of_item
from rollcall.storage.reads import consumed_units
from rollcall.storage.rollups import APPLIED_AT

# A part of a period that is shorter than this is not worth a query of its own.
_SHORTEST_PART_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the period, and the position up to which its pages have been read."""

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
        begins = self.start_ms if self.reached is None else time_of(self.reached)
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
    """What one task read: pages of its part, and the part with how far it has come."""

    part: _Part
    pages: list[Page]
    items: int = 0
    units: float = 0.0
    applied_at_ms: int = 0


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
        self, org_id: str, epoch: int, record_type: str, period: Period, meter: ReadMeter
    ) -> Iterator[tuple[Page, Period]]:
        """Pages, and of each the part of the period that its rows are to be taken from.

        Every row of the period is in exactly one of them. They come as they arrive, in no
        particular order, and at most one answer of DynamoDB (1 MB) is kept for each of the
        queries that run at once. Raises Unavailable when a read fails through every retry.
        """
        meter.used_ledger = True
        whole = _Part(keys.ledger(org_id, epoch, record_type), record_type, *period)
        running = {self._start(whole)}
        last_row_ms: int | None = None
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    fetched = future.result()
                    meter.count(fetched.items, fetched.units)
                    if fetched.items:
                        meter.saw(fetched.applied_at_ms)
                    part = fetched.part
                    if not part.is_done:
                        if last_row_ms is None:
                            last_row_ms = self._last_row_ms(whole, meter)
                        pieces = part.cut(self._concurrency - len(running), last_row_ms)
                        running |= {self._start(piece) for piece in pieces}
                    clip = Period(fetched.part.start_ms, fetched.part.end_ms)
                    for page in fetched.pages:
                        yield page, clip
                self._backoff.check()
        finally:
            for future in running:
                future.cancel()

    def _start(self, part: _Part) -> Future[_Fetched]:
        # The organisation and the time that is left are context variables.
        return self._executor.submit(copy_context().run, self._fetch, part)

    def _last_row_ms(self, whole: _Part, meter: ReadMeter) -> int:
        """About when the newest rows of a part are: its end may lie in a far and empty future."""
        fetched = _Fetched(whole, [])
        last = self._page_at(fetched, floor(whole.end_ms), is_consistent=False)
        meter.count(fetched.items, fetched.units)
        return whole.end_ms if last is None else time_of(last.start) + 1

    def _fetch(self, part: _Part) -> _Fetched:
        fetched = _Fetched(part, [])
        reached = part.reached
        if reached is None:
            first = self._page_at(fetched, max(floor(part.start_ms), FIRST), is_consistent=False)
            if first is None:  # a ledger that nothing was ever written to
                fetched.part = replace(part, reached=floor(part.end_ms))
                return fetched
            fetched.pages.append(first)
            reached = first.end
        end = floor(part.end_ms)
        if reached < end:
            answer = self._query(
                fetched,
                "#pk = :pk AND #sk BETWEEN :first AND :last",
                {":first": {"S": reached}, ":last": {"S": end}},
            )
            for item in answer["Items"]:
                page = page_of_item(part.record_type, item)
                if page.start > reached:
                    reached = self._close_gap(fetched, reached, page.start)
                if page.start == reached:
                    fetched.pages.append(page)
                    reached = page.end
            if "LastEvaluatedKey" not in answer and reached < end:
                reached = self._close_gap(fetched, reached, end)
        fetched.part = replace(part, reached=reached)
        return fetched

    def _close_gap(self, fetched: _Fetched, reached: str, end: str) -> str:
        """Read the pages from `reached` up to `end` or beyond, one by one; what is reached then."""
        while reached < end:
            page = self._page_at(fetched, reached, is_consistent=True)
            if page is None or page.start != reached:
                raise CorruptItem(f"no ledger page starts at {reached}")
            fetched.pages.append(page)
            reached = page.end
        return reached

    def _page_at(self, fetched: _Fetched, position: str, *, is_consistent: bool) -> Page | None:
        """The page that covers a position."""
        answer = self._query(
            fetched,
            "#pk = :pk AND #sk <= :position",
            {":position": {"S": position}},
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=is_consistent,
        )
        items = answer["Items"]
        return page_of_item(fetched.part.record_type, items[0]) if items else None

    def _query(
        self, fetched: _Fetched, condition: str, values: Item, **options: Any
    ) -> dict[str, Any]:
        request = partial(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#pk": keys.PK, "#sk": keys.SK},
            ExpressionAttributeValues={PARTITION_VALUE: {"S": fetched.part.partition}, **values},
            ReturnConsumedCapacity="TOTAL",
            **options,
        )
        answer: dict[str, Any] = patiently(self._backoff, request)
        fetched.items += len(answer["Items"])
        fetched.units += consumed_units(answer)
        for item in answer["Items"]:
            fetched.applied_at_ms = max(fetched.applied_at_ms, av.integer(item, APPLIED_AT))
        return answer
