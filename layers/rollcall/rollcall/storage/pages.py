"""Ledger pages and the transactions that change them: the ledger's store in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from rollcall.domain.epochs import Bucket
from rollcall.domain.measures import RollupKey
from rollcall.ledger.rollups import RollupDelete, RollupPut, StoredRollup
from rollcall.ledger.transaction import PageWrite, Transaction
from rollcall.ledger.tree import Page
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import VERSION, version_unchanged
from rollcall.storage.measure_names import attribute_of
from rollcall.storage.page_reads import EVERYTHING, PageReads
from rollcall.storage.queries import batch_get, key_of, page_at
from rollcall.storage.rollups import APPLIED_AT, SPILLED, WHOLE, stored_rollup
from rollcall.storage.segment_items import identities_key


class PageStore:
    """Pages and rollups of one bucket of an epoch (`rollcall.ledger.apply.LedgerStore`)."""

    def __init__(
        self,
        client: Any,
        table: str,
        bucket: Bucket,
        now_ms: Callable[[], int],
        backoff: Backoff,
    ) -> None:
        self._client = client
        self._table = table
        self._bucket = bucket
        self._now_ms = now_ms
        self._backoff = backoff
        self._reads = PageReads(client, table, backoff)

    def page_at(self, record_type: str, position: str) -> Page | None:
        """The last page that starts at or before a position, read consistently; None: no pages.

        A segment is read whole. Raises CorruptItem, also when a part of a segment is missing.
        """
        covering = page_at(keys.ledger(self._bucket, record_type), position)

        def read() -> Item | None:
            with translated_errors():
                answer = self._client.query(TableName=self._table, ConsistentRead=True, **covering)
            return answer["Items"][0] if answer["Items"] else None

        found = self._reads.complete(record_type, read(), read, EVERYTHING, ReadMeter())
        return None if found is None else found.page

    def rollups(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, StoredRollup]:
        """The rollups that are stored, read consistently; absent ones are left out."""
        wanted_key = {keys.rollup(self._bucket, key): key for key in wanted}
        items = batch_get(self._client, self._table, wanted_key, self._backoff)
        found = ((wanted_key[key_of(item)], item) for item in items)
        return {key: stored_rollup(key, item) for key, item in found}

    def commit(self, transaction: Transaction) -> None:
        """Write all of a transaction or nothing; see `LedgerStore.commit`."""
        now_ms = self._now_ms()
        now: Attribute = {"N": str(now_ms)}
        requests = [
            *(self._put_page(write, now) for write in transaction.pages),
            *(self._delete_identities(w) for w in transaction.pages if w.is_from_segment),
            *(self._put_rollup(put, now_ms) for put in transaction.puts),
            *(self._delete(delete) for delete in transaction.deletes),
        ]
        with translated_errors():
            self._client.transact_write_items(TransactItems=requests)

    def _put_page(self, write: PageWrite, now: Attribute) -> dict[str, Any]:
        page = write.page
        item: Item = {
            keys.PK: {"S": keys.ledger(self._bucket, write.record_type)},
            keys.SK: {"S": page.start},
            keys.GSI1PK: {"S": keys.index_partition(self._bucket)},
            keys.GSI1SK: {"S": keys.index_sort(self._bucket, keys.PAGE)},
            "start": {"S": page.start},
            "end": {"S": page.end},
            "n": {"N": str(len(page.rows))},
            "data": {"B": page.data},
            VERSION: {"N": str(write.version)},
            APPLIED_AT: now,
        }
        return {
            "Put": {"TableName": self._table, "Item": item, **version_unchanged(write.version_read)}
        }

    def _delete_identities(self, write: PageWrite) -> dict[str, Any]:
        ledger = keys.ledger(self._bucket, write.record_type)
        request = {
            "TableName": self._table,
            "Key": identities_key(ledger, write.page.start).attributes(),
        }
        return {"Delete": request | version_unchanged(write.version_read)}

    def _put_rollup(self, put: RollupPut, now_ms: int) -> dict[str, Any]:
        # A new rollup takes its version from the clock, so that one that was removed and created
        # again never has a version that a reader or a writer saw before.
        version = (put.version_read or now_ms) + 1
        key = keys.rollup(self._bucket, put.key)
        item: Item = {
            **key.attributes(),
            keys.GSI1PK: {"S": keys.index_partition(self._bucket)},
            keys.GSI1SK: {"S": keys.index_sort(self._bucket, keys.ROLLUP, key.sk)},
            VERSION: {"N": str(version)},
            WHOLE: {"N": str(version)},
            APPLIED_AT: {"N": str(now_ms)},
            **{attribute_of(put.key.family, m): {"N": str(n)} for m, n in put.counts.items()},
            **{breakdown: {"B": data} for breakdown, data in put.breakdowns.items()},
            **dict.fromkeys(put.spilled, SPILLED),
        }
        return {
            "Put": {"TableName": self._table, "Item": item, **version_unchanged(put.version_read)}
        }

    def _delete(self, delete: RollupDelete) -> dict[str, Any]:
        key = keys.rollup(self._bucket, delete.key).attributes()
        request = {"TableName": self._table, "Key": key}
        return {"Delete": request | version_unchanged(delete.version_read)}
