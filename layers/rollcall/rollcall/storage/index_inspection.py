"""Reads what GSI1 lists in an epoch, of all its buckets, and repairs what belongs elsewhere or nowhere.

The index is behind the table, so a listed item is read again, consistently.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Final

from rollcall.domain.epochs import MAX_BUCKETS, Bucket, Epoch
from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.measures import ALL
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import parse_date
from rollcall.ledger.positions import END, FIRST
from rollcall.maintenance.reconcile.inspection import ForeignItem, Misindexed, is_position
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import VERSION, version_unchanged
from rollcall.storage.queries import batch_get, index_entries, key_of
from rollcall.storage.segment_items import is_segment

# Larger than any version, and small enough for DynamoDB to add 1 to exactly.
_MAX_VERSION: Final = 10**30


class IndexInspection:
    """What GSI1 lists in one epoch (`rollcall.maintenance.ports.IndexInspection`)."""

    def __init__(self, client: Any, table: str, epoch: Epoch, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._epoch = epoch
        self._backoff = backoff
        self._ledgers = frozenset[str]().union(*map(_ledgers, epoch.buckets))
        self._siblings = frozenset(map(keys.identities, self._ledgers))

    def strays(self) -> Iterator[ForeignItem | Misindexed]:
        """The items that GSI1 lists in the epoch although they do not belong there, or misindexed."""
        partition = keys.epoch_prefix(self._epoch.org_id, self._epoch.number)
        for listed in index_entries(self._client, self._table, self._backoff, partition):
            key = key_of(listed)
            place = self._place_of(key, listed)
            if place == av.text(listed, keys.GSI1SK):
                if key.pk in self._siblings:
                    yield from self._without_segment(key)
                continue
            if not key.pk.startswith(partition):
                yield ForeignItem(key.pk, key.sk, is_own=False)
            elif place is None:
                # The comparison of pages reports an item inside a ledger.
                is_in_ledger = key.pk in self._ledgers and FIRST <= key.sk < END
                if not is_in_ledger and self._read(key):
                    yield ForeignItem(key.pk, key.sk)
            elif not self._is_listed_at(key, place):
                yield Misindexed(key.pk, key.sk, key.pk in self._ledgers | self._siblings)

    def relist(self, item: Misindexed) -> None:
        """Write the GSI1 attributes of an item again. Raises Conflict when it no longer exists."""
        key = keys.Key(item.pk, item.sk)
        it_exists = "attribute_exists(#pk)"
        found = self._read(key)
        place = self._place_of(key, found[0] if found else {})
        partition = keys.epoch_prefix(self._epoch.org_id, self._epoch.number)
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=key.attributes(),
                UpdateExpression="SET #p = :p, #k = :k",
                ConditionExpression=it_exists,
                ExpressionAttributeNames={"#pk": keys.PK, "#p": keys.GSI1PK, "#k": keys.GSI1SK},
                ExpressionAttributeValues={":p": {"S": partition}, ":k": {"S": place}},
            )

    def is_foreign(self, item: ForeignItem) -> bool:
        """Whether an item that `strays` yielded is as it was, and still belongs nowhere.

        Of what a transaction writes, one item may be visible a moment before another.
        """
        key = keys.Key(item.pk, item.sk)
        return key.pk not in self._siblings or item in self._without_segment(key)

    def remove(self, item: ForeignItem) -> None:
        """Remove an item that belongs to no page and no rollup. Raises Conflict if it has changed."""
        key = keys.Key(item.pk, item.sk)
        if item.version is None and key.pk in self._siblings:
            condition = still_damaged(self._read(key))
        else:
            condition = {} if item.version is None else version_unchanged(item.version)
        with translated_errors():
            self._client.delete_item(TableName=self._table, Key=key.attributes(), **condition)

    def _place_of(self, key: keys.Key, item: Item) -> str | None:
        bucket = keys.bucket_of(self._epoch, key.pk)
        return None if bucket is None else index_place(bucket, key, item)

    def _without_segment(self, key: keys.Key) -> Iterator[ForeignItem]:
        """The identities at a key, if no segment begins there.

        The comparison of pages reports a segment without identities of its version.
        """
        identities = self._read(key)
        values = self._read(keys.Key(keys.ledger_of(key.pk), key.sk))
        if identities and not any(map(is_segment, values)):
            yield ForeignItem(key.pk, key.sk, version=version_of(identities[0]))

    def _is_listed_at(self, key: keys.Key, place: str) -> bool:
        """Whether the item, read consistently, is listed there or no longer exists."""
        return all(item.get(keys.GSI1SK) == {"S": place} for item in self._read(key))

    def _read(self, key: keys.Key) -> list[Item]:
        return batch_get(self._client, self._table, [key], self._backoff)


def index_place(bucket: Bucket, key: keys.Key, item: Item) -> str | None:
    """Where GSI1 must list an item with this key, or None if no item of the bucket can have it.

    Of a ledger's item, `item` must have the attribute that makes it a segment, or that of GSI1.
    """
    ledgers = _ledgers(bucket)
    if any(key.pk == keys.identities(ledger) for ledger in ledgers):
        return keys.index_sort(bucket, keys.IDENTITIES) if is_position(key.sk) else None
    if key.pk in ledgers:
        segment = keys.index_sort(bucket, keys.SEGMENT)
        of_segment = is_segment(item) or item.get(keys.GSI1SK) == {"S": segment}
        place = segment if of_segment else keys.index_sort(bucket, keys.PAGE)
        return place if is_position(key.sk) else None
    try:
        found = keys.parse_rollup(bucket, key)
    except ValueError:
        return None
    if found.bucket != ALL and not is_date(found.bucket):
        return None
    return keys.index_sort(bucket, keys.ROLLUP, key.sk)


@functools.lru_cache(maxsize=MAX_BUCKETS)
def _ledgers(bucket: Bucket) -> frozenset[str]:
    return frozenset(keys.ledger(bucket, name) for name in RECORD_TYPES)


def still_damaged(found: list[Item]) -> dict[str, Any]:
    """The condition that an item still has the version that cannot be read.

    `found` is the item as it was read. Rollcall never writes such a version: while it is stored, the
    item is unchanged. Raises Conflict if the item has a version, or is gone.
    """
    if not found or version_of(found[0]) is not None:
        raise Conflict("another writer gave it a version, or removed it")
    if VERSION in found[0]:
        return {
            "ConditionExpression": "#v = :read",
            "ExpressionAttributeNames": {"#v": VERSION},
            "ExpressionAttributeValues": {":read": found[0][VERSION]},
        }
    return {
        "ConditionExpression": "attribute_exists(#pk) AND attribute_not_exists(#v)",
        "ExpressionAttributeNames": {"#v": VERSION, "#pk": keys.PK},
    }


def version_of(item: Item) -> int | None:
    """The version of an item; None if Rollcall cannot have written it."""
    try:
        version = av.integer(item, VERSION)
    except CorruptItem:
        return None
    return version if 0 < version < _MAX_VERSION else None


def is_date(text: str) -> bool:
    """Whether a text is a day `YYYY-MM-DD`."""
    try:
        return parse_date(text) is not None
    except ValueError:
        return False
