"""Finds a fact of an organisation for a lag measurement."""

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
from rollcall.storage.queries import keys_between


class ProbeReads:
    """Facts, read consistently and one item at a time, for the current organisation."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def some_fact(self, organisation: Organisation) -> Fact | None:
        """The first fact of any partition that can be read and has a ledger position, or None."""
        for record_type in RECORD_TYPES:
            for bucket in range(organisation.buckets):
                partition = keys.facts(organisation.id, record_type, bucket)
                listed = keys_between(partition, keys.FACT_SK_PREFIX, keys.FACT_SK_END)
                for item in self._query(listed | {"Limit": 1}):
                    with contextlib.suppress(CorruptItem):  # an audit reports it
                        fact = own_fact(item)[1]
                        if fact.has_position:
                            return fact
        return None

    def _query(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        answer = with_retries(
            self._backoff,
            lambda: self._client.query(TableName=self._table, ConsistentRead=True, **request),
        )
        return list(answer["Items"])
