"""Reads the ledger pages of a span in order, forward or backward, and no more than are asked for.

While pages split, a reader sees what `rollcall.storage.ledger_reader` describes. The walk keeps the
span that it has not read yet, and takes from each page only the rows there: rows that an older version
of a page has beyond it were read before. Where a listed page leaves a gap, a split has hidden pages,
and they are read consistently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.ledger.positions import END, FIRST, Span, just_before
from rollcall.ledger.tree import Page
from rollcall.query.filtering import Stretch
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.pages import page_of_item
from rollcall.storage.queries import consumed_units, keys_between, page_at
from rollcall.storage.rollups import APPLIED_AT

# The newest rows are in the last page or two; a walk that goes on reads more pages at a time, up to
# the 1 MB of one answer. DynamoDB refuses a limit that is no int32, and DynamoDB Local reads as many
# pages as the limit says before it cuts the answer.
_FIRST_LIMIT: Final = 2
_LIMIT_FACTOR: Final = 4
_MAX_LIMIT: Final = 512


class LedgerWalk:
    """Pages of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def stretches(
        self,
        org_id: str,
        epoch: int,
        record_type: str,
        span: Span,
        meter: ReadMeter,
        *,
        is_backward: bool,
    ) -> Iterator[Stretch]:
        """The rows of a span, in order; see `rollcall.query.ports.OrderedLedger`.

        At most one answer of DynamoDB (1 MB) is in memory. Raises Unavailable when a read fails in
        every retry, and CorruptItem for a page that is damaged or missing.
        """
        meter.used_ledger = True
        partition = keys.ledger(org_id, epoch, record_type)
        unread = _Unread(max(span.start, FIRST), span.end, is_backward)
        limit = _FIRST_LIMIT
        while not unread.is_empty:
            listed = keys_between(partition, unread.start, just_before(unread.end))
            answer = self._query(
                listed | {"ScanIndexForward": not is_backward, "Limit": limit}, meter
            )
            for item in answer["Items"]:
                read = _read(record_type, item)
                while unread.has_gap_before(read):
                    yield unread.take(self._next(partition, record_type, unread, meter))
                if unread.overlaps(read):
                    yield unread.take(read)
            if "LastEvaluatedKey" not in answer:
                break
            limit = min(_MAX_LIMIT, limit * _LIMIT_FACTOR)
        # What no listed page has is in the page that starts before the span, or hidden by a split.
        while not unread.is_empty:
            yield unread.take(self._next(partition, record_type, unread, meter))

    def _next(self, partition: str, record_type: str, unread: _Unread, meter: ReadMeter) -> Stretch:
        """The page at the edge of the unread span, read consistently."""
        attempts = self._backoff.attempts()
        while True:
            query = page_at(partition, unread.edge) | {"ConsistentRead": True}
            items = self._query(query, meter)["Items"]
            if not items:
                if unread.is_untouched:
                    return Stretch(Page.unwritten(record_type), Span(FIRST, END), 0)
                raise CorruptItem(f"no ledger page covers {unread.edge}")
            read = _read(record_type, items[0])
            if unread.is_next(read):
                return read
            # The write of a split may show the page that became smaller before the new one.
            attempts.failed(Conflict(f"no ledger page covers {unread.edge}"))

    def _query(self, query: dict[str, Any], meter: ReadMeter) -> dict[str, Any]:
        self._backoff.check()
        request = partial(
            self._client.query, TableName=self._table, ReturnConsumedCapacity="TOTAL", **query
        )
        answer: dict[str, Any] = with_retries(self._backoff, request)
        meter.count(len(answer["Items"]), consumed_units(answer))
        return answer


def _read(record_type: str, item: Item) -> Stretch:
    page = page_of_item(record_type, item)
    return Stretch(page, Span(page.start, page.end), av.integer(item, APPLIED_AT))


@dataclass(slots=True)
class _Unread:
    """The span that a walk has not read; it shrinks from the start, or backward from the end."""

    start: str
    end: str
    is_backward: bool
    is_untouched: bool = True

    @property
    def is_empty(self) -> bool:
        return self.start >= self.end

    @property
    def edge(self) -> str:
        """The next position to read; backward, the last string before `end`."""
        return just_before(self.end) if self.is_backward else self.start

    def has_gap_before(self, read: Stretch) -> bool:
        """Whether unread positions come before the page."""
        start, end = read.span
        return end < self.end if self.is_backward else start > self.start

    def overlaps(self, read: Stretch) -> bool:
        """Whether the page covers an unread position."""
        start, end = read.span
        return start < self.end and end > self.start

    def is_next(self, read: Stretch) -> bool:
        """Whether the page covers the next position."""
        return self.overlaps(read) and not self.has_gap_before(read)

    def take(self, read: Stretch) -> Stretch:
        """The page with its unread positions, which count as read from then on."""
        start, end = max(read.span.start, self.start), min(read.span.end, self.end)
        if self.is_backward:
            self.end = start
        else:
            self.start = end
        self.is_untouched = False
        return read._replace(span=Span(start, end))
