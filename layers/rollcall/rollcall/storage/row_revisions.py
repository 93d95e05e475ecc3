"""Reads the revision that the ledger has of one fact."""

from __future__ import annotations

from typing import Any, Final

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import Conflict
from rollcall.ledger.page import ID, REV, TIME
from rollcall.ledger.positions import time_of
from rollcall.ledger.tree import Page
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.page_reads import PageReads, Wanted

_WANTED: Final = Wanted(frozenset((ID, REV, TIME)))


class RowRevisions:
    """Rows of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._reads = PageReads(client, table, backoff)
        self._backoff = backoff

    def revision(
        self,
        epoch: Epoch,
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
        partition = keys.ledger(epoch.bucket_of(fact_id), record_type)
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

        def read() -> Item | None:
            return self._reads.last_at(partition, position, _WANTED, meter)

        found = self._reads.complete(record_type, read(), read, _WANTED, meter)
        if found is None:
            return None
        meter.saw(found.applied_at_ms)
        return found.page
