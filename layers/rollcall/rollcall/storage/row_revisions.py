"""Reads the revision that the ledger has of one fact."""

from __future__ import annotations

from functools import partial
from typing import Any

from rollcall.domain.errors import Conflict
from rollcall.ledger.page import REV, TIME
from rollcall.ledger.positions import time_of
from rollcall.ledger.tree import Page
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.client import with_retries
from rollcall.storage.pages import page_of_item
from rollcall.storage.queries import consumed_units, page_at
from rollcall.storage.rollups import APPLIED_AT


class RowRevisions:
    """Rows of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def revision(
        self,
        org_id: str,
        epoch: int,
        record_type: str,
        position: str,
        fact_id: str,
        meter: ReadMeter | None = None,
    ) -> int:
        """The revision of a row, read consistently; 0 if its page does not have the row.

        Raises Unavailable when the store stays busy or no page covers the position, and
        CorruptItem for a damaged page.
        """
        meter = meter or ReadMeter()
        meter.used_ledger = True
        partition = keys.ledger(org_id, epoch, record_type)
        attempts = self._backoff.attempts()
        while True:
            page = self._page_at(partition, record_type, position, meter)
            if page is None:
                return 0
            if page.covers(position):
                break
            # A split is being written: the earlier page lost the row, and the new one is not there.
            attempts.failed(Conflict(f"no ledger page covers {position}"))
        meter.rows += len(page.rows)
        times, revs = page.rows.integers(TIME).values, page.rows.integers(REV).values
        for index, id_ in enumerate(page.rows.ids()):
            if id_ == fact_id and times[index] == time_of(position):
                return int(revs[index])
        return 0

    def _page_at(
        self, partition: str, record_type: str, position: str, meter: ReadMeter
    ) -> Page | None:
        """The last page that starts at or before a position; None: the ledger has no pages."""
        request = partial(
            self._client.query,
            TableName=self._table,
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
            **page_at(partition, position),
        )
        answer = with_retries(self._backoff, request)
        items = answer["Items"]
        meter.count(len(items), consumed_units(answer))
        if not items:
            return None
        meter.saw(av.integer(items[0], APPLIED_AT))
        return page_of_item(record_type, items[0])
