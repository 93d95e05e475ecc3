"""The reads of a lag measurement: some fact, and the revision of its row."""

from __future__ import annotations

import contextlib
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation
from rollcall.domain.records import RECORD_TYPES
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.client import with_retries
from rollcall.storage.fact_items import own_fact
from rollcall.storage.pages import page_of_item
from rollcall.storage.queries import keys_between, page_at


class ProbeReads:
    """Both tables, read consistently and one item at a time, for the current organisation."""

    def __init__(self, client: Any, records: str, analytics: str, backoff: Backoff) -> None:
        self._client = client
        self._records = records
        self._analytics = analytics
        self._backoff = backoff

    def some_fact(self, organisation: Organisation) -> Fact | None:
        """The first fact of any partition that can be read and has a ledger position, or None."""
        for record_type in RECORD_TYPES:
            for bucket in range(organisation.buckets):
                partition = keys.facts(organisation.id, record_type, bucket)
                listed = keys_between(partition, keys.FACT_SK_PREFIX, keys.FACT_SK_END)
                for item in self._query(self._records, listed | {"Limit": 1}):
                    with contextlib.suppress(CorruptItem):  # an audit reports it
                        fact = own_fact(item)[1]
                        if fact.has_position:
                            return fact
        return None

    def revision(self, org_id: str, epoch: int, record_type: str, position: str, id_: str) -> int:
        """The revision of a row, or 0 if its page does not have the row. Raises CorruptItem."""
        covering = page_at(keys.ledger(org_id, epoch, record_type), position)
        for item in self._query(self._analytics, covering):
            rows = page_of_item(record_type, item).rows
            ids = rows.ids()
            if id_ in ids:
                return int(rows.integers("rev").values[ids.index(id_)])
        return 0

    def _query(self, table: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        answer = with_retries(
            self._backoff,
            lambda: self._client.query(TableName=table, ConsistentRead=True, **request),
        )
        return list(answer["Items"])
