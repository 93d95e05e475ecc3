"""Lists and reads the pages of a bucket, and merges some of them into a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from rollcall.domain.epochs import Bucket
from rollcall.domain.errors import CorruptItem
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.runs import StoredPage
from rollcall.ledger.segments import EncodedSegment
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import version_unchanged
from rollcall.storage.page_items import DATA, binary, page_of_item
from rollcall.storage.queries import batch_get, index_keys
from rollcall.storage.rollups import APPLIED_AT
from rollcall.storage.segment_items import identities_item, is_segment, values_item

_PAGES_AT_ONCE: Final = 50


class PageMerging:
    """Pages of all organisations; every request is checked against the current one."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def starts(self, bucket: Bucket) -> Mapping[str, list[str]]:
        """The start positions of the pages of a bucket that are no segments, by record type.

        In order of position, as GSI1 lists them.
        """
        starts: dict[str, list[str]] = {}
        type_of = {keys.ledger(bucket, name): name for name in RECORD_TYPES}
        listed = index_keys(
            self._client,
            self._table,
            self._backoff,
            keys.index_partition(bucket),
            keys.index_sort(bucket, keys.PAGE),
        )
        for pk, sk in listed:
            if pk in type_of:  # anything else is drift, which the comparison reports
                starts.setdefault(type_of[pk], []).append(sk)
        return {name: sorted(found) for name, found in starts.items()}

    def pages(
        self,
        bucket: Bucket,
        record_type: str,
        starts: Sequence[str],
        damaged: Callable[[CorruptItem], None],
    ) -> Iterator[StoredPage]:
        """The pages that still begin at some positions, in their order, without `damaged` ones."""
        ledger = keys.ledger(bucket, record_type)
        for first in range(0, len(starts), _PAGES_AT_ONCE):
            wanted = [keys.Key(ledger, start) for start in starts[first : first + _PAGES_AT_ONCE]]
            items = batch_get(self._client, self._table, wanted, self._backoff)
            for item in sorted(items, key=lambda item: av.text(item, keys.SK)):
                if is_segment(item):  # the index is behind the table
                    continue
                try:
                    page = page_of_item(record_type, item)
                    size, applied_at_ms = len(binary(item, DATA)), av.integer(item, APPLIED_AT)
                except CorruptItem as error:
                    name = f"page {ledger} {av.text(item, keys.SK)}"
                    damaged(CorruptItem(f"{name}: {error}"))
                    continue
                yield StoredPage(page, size, applied_at_ms)

    def merge(
        self,
        bucket: Bucket,
        record_type: str,
        segment: EncodedSegment,
        pages: Sequence[StoredPage],
    ) -> None:
        """Put a segment in the place of the pages whose rows it holds, or do nothing.

        It counts as changed when the latest of them was. Raises Conflict if any of them has changed,
        and Unavailable if it is unknown whether the transaction was written.
        """
        ledger = keys.ledger(bucket, record_type)
        version = max(each.page.version for each in pages) + 1
        applied_at_ms = max(each.applied_at_ms for each in pages)
        first, *others = (each.page for each in pages)
        values = values_item(bucket, record_type, segment, version, applied_at_ms)
        identities = identities_item(bucket, record_type, segment, version)
        requests: list[dict[str, Any]] = [
            {"Put": self._in_table(Item=values) | version_unchanged(first.version)},
            {"Put": self._in_table(Item=identities)},
        ]
        for page in others:
            key = keys.Key(ledger, page.start).attributes()
            requests.append({"Delete": self._in_table(Key=key) | version_unchanged(page.version)})
        with translated_errors():
            self._client.transact_write_items(TransactItems=requests)

    def _in_table(self, **request: Any) -> dict[str, Any]:
        return {"TableName": self._table, **request}
