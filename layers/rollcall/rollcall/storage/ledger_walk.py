"""Reads the ledger pages of a span in order, forward or backward, and no more than are asked for.

While pages split or are merged, a reader sees what `rollcall.storage.ledger_reader` describes. The walk keeps the
span that it has not read yet, and takes from each page only the rows there: rows that a page has
beyond it were read before. Where a listed page leaves a gap, a write has hidden what covers it, and it is
read consistently.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.ledger.page import ID, TIME, TOMBSTONE
from rollcall.ledger.positions import END, FIRST, Span, just_before
from rollcall.ledger.tree import Page
from rollcall.query.filtering import Stretch
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.page_reads import Ahead, CanMatch, PageReads, Wanted
from rollcall.storage.queries import consumed_units, keys_between
from rollcall.storage.segment_items import projection

# The newest rows are in the last page or two; a walk that goes on reads more pages at a time, up to
# the 1 MB of one answer, and so hardly more than twice what it needs. DynamoDB refuses a limit that is
# no int32, and DynamoDB Local reads as many pages as the limit says before it cuts the answer.
_FIRST_LIMIT: Final = 2
_LIMIT_FACTOR: Final = 2
_MAX_LIMIT: Final = 512


class LedgerWalk:
    """Pages of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._reads = PageReads(client, table, backoff)
        self._backoff = backoff

    def stretches(
        self,
        bucket: Bucket,
        record_type: str,
        span: Span,
        meter: ReadMeter,
        *,
        is_backward: bool,
        columns: Collection[str] | None = None,
        can_match: CanMatch = lambda *_: True,
    ) -> Iterator[Stretch]:
        """The rows of a span, in order; see `rollcall.query.ports.OrderedLedger`.

        At most one answer of DynamoDB (1 MB) is in memory. Raises Unavailable when a read fails in
        every retry, and CorruptItem for a page that is damaged or missing.
        """
        meter.used_ledger = True
        used = None if columns is None else frozenset((ID, TIME, TOMBSTONE, *columns))
        wanted = Wanted(used, can_match)
        source = _Source(keys.ledger(bucket, record_type), record_type, wanted, meter)
        unread = _Unread(max(span.start, FIRST), span.end, is_backward)
        limit = _FIRST_LIMIT
        while not unread.is_empty:
            listed = keys_between(source.partition, unread.start, just_before(unread.end))
            answer = self._query(
                listed | projection(used) | {"ScanIndexForward": not is_backward, "Limit": limit},
                meter,
            )
            ahead = self._reads.ahead(record_type, answer["Items"], wanted, meter)
            for item in answer["Items"]:
                read = self._read(source, item, unread, ahead)
                while read is not None and unread.has_gap_before(read):
                    yield unread.take(self._next(source, unread))
                if read is not None and unread.overlaps(read):
                    yield unread.take(read)
            if "LastEvaluatedKey" not in answer:
                break
            limit = min(_MAX_LIMIT, limit * _LIMIT_FACTOR)
        # What no listed page has is in the page that starts before the span, or hidden by a split.
        while not unread.is_empty:
            yield unread.take(self._next(source, unread))

    def _next(self, source: _Source, unread: _Unread) -> Stretch:
        """The page at the edge of the unread span, read consistently."""
        attempts = self._backoff.attempts()
        while True:
            self._backoff.check()
            read = self._read(source, self._at_edge(source, unread), unread)
            if read is None:
                if unread.is_untouched:
                    return Stretch(Page.unwritten(source.record_type), Span(FIRST, END), 0)
                raise CorruptItem(f"no ledger page covers {unread.edge}")
            if unread.is_next(read):
                return read
            # The write of a split may show the page that became smaller before the new one, and that of
            # a segment the pages that vanish before what replaces them.
            attempts.failed(Conflict(f"no ledger page covers {unread.edge}"))

    def _at_edge(self, source: _Source, unread: _Unread) -> Item | None:
        self._backoff.check()
        return self._reads.last_at(source.partition, unread.edge, source.wanted, source.meter)

    def _read(
        self,
        source: _Source,
        item: Item | None,
        unread: _Unread,
        ahead: Mapping[str, Ahead] = MappingProxyType({}),
    ) -> Stretch | None:
        """The page of an item; if a part of a segment changes meanwhile, the one at the edge."""
        found = self._reads.complete(
            source.record_type,
            item,
            lambda: self._at_edge(source, unread),
            source.wanted,
            source.meter,
            ahead,
        )
        if found is None:
            return None
        span = Span(found.page.start, found.page.end)
        return Stretch(found.page, span, found.applied_at_ms, found.can_match)

    def _query(self, query: dict[str, Any], meter: ReadMeter) -> dict[str, Any]:
        self._backoff.check()
        request = partial(
            self._client.query, TableName=self._table, ReturnConsumedCapacity="TOTAL", **query
        )
        answer: dict[str, Any] = with_retries(self._backoff, request)
        meter.count(len(answer["Items"]), consumed_units(answer))
        return answer


@dataclass(frozen=True, slots=True)
class _Source:
    """What a walk reads: a ledger, and what is wanted of its segments."""

    partition: str
    record_type: str
    wanted: Wanted
    meter: ReadMeter


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
        if self.is_empty:
            return False
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
