"""Reads every page of an epoch, consistently and in order, without missing any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollcall.domain.epochs import Epoch
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import Page
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.page_reads import EVERYTHING, Ahead, PageReads
from rollcall.storage.queries import keys_between, pages_of


class PageScan:
    """The pages of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff
        self._reads = PageReads(client, table, backoff)

    def pages(self, epoch: Epoch, record_type: str) -> Iterator[Page]:
        """Pages of all buckets that together hold every row that was stored at the start; 1 MB in memory at a time.

        A page that splits meanwhile may be yielded whole, and its new part again; likewise pages and
        the segment that they are merged into. Raises Unavailable, and CorruptItem for a page that is
        damaged or missing.
        """
        for bucket in epoch.buckets:
            yield from self._of_ledger(keys.ledger(bucket, record_type), record_type)

    def _of_ledger(self, partition: str, record_type: str) -> Iterator[Page]:
        everything = keys_between(partition, FIRST, END)
        request = {"TableName": self._table, "ConsistentRead": True, **everything}
        reached: str | None = None
        for answer in pages_of(self._client, request, self._backoff):
            ahead = self._reads.ahead(record_type, answer["Items"], EVERYTHING, ReadMeter())
            for item in answer["Items"]:
                start = av.text(item, keys.SK)
                yield from self._between(partition, record_type, reached or FIRST, start)
                position = max(reached or FIRST, start)
                page = self._page(partition, record_type, item, position, ahead)
                if page is not None:
                    yield page
                    reached = max(position, page.end)
        if reached is not None:
            yield from self._between(partition, record_type, reached, END)

    def _between(self, partition: str, record_type: str, reached: str, end: str) -> Iterator[Page]:
        """The pages between two listed ones that a write in progress has hidden."""
        while reached < end:
            found = self._reads.covering(record_type, partition, reached, ReadMeter())
            yield found.page
            reached = found.page.end

    def _page(
        self,
        partition: str,
        record_type: str,
        item: Item,
        position: str,
        ahead: Mapping[str, Ahead],
    ) -> Page | None:
        """The page of an item, or what covers a position if it is a segment that changes meanwhile."""
        meter = ReadMeter()

        def again() -> Item | None:
            return self._reads.last_at(partition, position, EVERYTHING, meter)

        found = self._reads.complete(record_type, item, again, EVERYTHING, meter, ahead)
        return None if found is None else found.page
