"""Whether an epoch is empty, and how many rows its pages hold."""

from __future__ import annotations

from typing import Any

from rollcall.domain.epochs import Epoch
from rollcall.domain.organisations import tenant
from rollcall.domain.records import RECORD_TYPES
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.guard import PARTITION_VALUE
from rollcall.storage.queries import index_keys, pages_of


class EpochContents:
    """The contents of whole epochs, for all organisations."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def is_empty(self, org_id: str, epoch: int) -> bool:
        """Whether GSI1 lists no item of an epoch; the index is about a second behind the table."""
        with tenant(org_id):
            partition = keys.epoch_prefix(org_id, epoch)
            found = index_keys(self._client, self._table, self._backoff, partition)
            return next(found, None) is None

    def rows(self, epoch: Epoch) -> int:
        """The number of rows in the pages of an epoch, tombstones included; eventually consistent."""
        with tenant(epoch.org_id):
            return sum(
                self._rows(keys.ledger(bucket, name))
                for bucket in epoch.buckets
                for name in RECORD_TYPES
            )

    def _rows(self, partition: str) -> int:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#pk = :pk",
            "ProjectionExpression": "#n",
            "ExpressionAttributeNames": {"#pk": keys.PK, "#n": "n"},
            "ExpressionAttributeValues": {PARTITION_VALUE: {"S": partition}},
        }
        answers = pages_of(self._client, request, self._backoff)
        return sum(av.integer(item, "n") for answer in answers for item in answer["Items"])
