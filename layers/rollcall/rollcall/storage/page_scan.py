"""Reads every page of a ledger, consistently and in order, without missing any."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import Page
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.client import with_retries
from rollcall.storage.pages import page_of_item
from rollcall.storage.queries import keys_between, page_at, pages_of


class PageScan:
    """The pages of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def pages(self, org_id: str, epoch: int, record_type: str) -> Iterator[Page]:
        """Pages that together hold every row that was stored at the start; 1 MB in memory at a time.

        A page that splits meanwhile may be yielded whole, and its new part again. Raises
        Unavailable, and CorruptItem for a page that is damaged or missing.
        """
        partition = keys.ledger(org_id, epoch, record_type)
        everything = keys_between(partition, FIRST, END)
        request = {"TableName": self._table, "ConsistentRead": True, **everything}
        reached: str | None = None
        for answer in pages_of(self._client, request, self._backoff):
            for item in answer["Items"]:
                page = page_of_item(record_type, item)
                yield from self._between(partition, record_type, reached or FIRST, page.start)
                yield page
                reached = max(reached or FIRST, page.end)
        if reached is not None:
            yield from self._between(partition, record_type, reached, END)

    def _between(self, partition: str, record_type: str, reached: str, end: str) -> Iterator[Page]:
        """The pages between two listed ones that a split in progress has hidden."""
        while reached < end:
            covering = page_at(partition, reached)
            request = partial(
                self._client.query, TableName=self._table, ConsistentRead=True, **covering
            )
            items = with_retries(self._backoff, request)["Items"]
            page = page_of_item(record_type, items[0]) if items else None
            if page is None or not page.covers(reached):
                raise CorruptItem(f"no ledger page covers {reached}")
            yield page
            reached = page.end
