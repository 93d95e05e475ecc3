"""Reads all pages and rollups of one epoch of an organisation, and repairs them.

Every read is consistent except those of GSI1, which lists items whose keys are not known. The index
is behind the table, so a listed item is read again, and an item that is not listed is found through
the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.domain.measures import (
    ALL,
    RollupKey,
    Scope,
)
from rollcall.domain.records import RECORD_TYPES
from rollcall.domain.time.calendar import parse_date
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.segments import has_true_zones
from rollcall.ledger.tree import Page
from rollcall.maintenance.reconcile.inspection import (
    ForeignItem,
    Misindexed,
    PageVersion,
    RollupSeen,
    SurveyedPage,
    is_position,
)
from rollcall.query.metering import ReadMeter
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors, with_retries
from rollcall.storage.conditions import VERSION, version_unchanged
from rollcall.storage.page_items import page_of_item
from rollcall.storage.page_reads import EVERYTHING
from rollcall.storage.pages import PageStore
from rollcall.storage.queries import (
    batch_get,
    index_entries,
    index_keys,
    key_of,
    keys_between,
    page_at,
    pages_of,
)
from rollcall.storage.rollups import APPLIED_AT, WHOLE, stored_rollup
from rollcall.storage.row_checks import DAMAGE, checked_rows
from rollcall.storage.segment_items import directory_of, is_segment

# Larger than any version, and small enough for DynamoDB to add 1 to exactly.
_MAX_VERSION: Final = 10**30


class LedgerInspection(PageStore):
    """All stored pages and rollups of one organisation in one epoch."""

    def pages(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]:
        """The pages that start in `[first, end)`, in order, 1 MB in memory at a time."""
        for item in self._page_items(record_type, first, end):
            yield self._surveyed(record_type, item)

    def page_from(self, record_type: str, position: str) -> SurveyedPage | None:
        """The last page that starts at or before a position, or None."""
        covering = page_at(keys.ledger(self._org_id, self._epoch, record_type), position)
        request = {"TableName": self._table, "ConsistentRead": True, **covering}
        items = with_retries(self._backoff, lambda: self._client.query(**request))["Items"]
        return self._surveyed(record_type, items[0]) if items else None

    def versions(self, record_type: str, first: str, end: str) -> Iterator[PageVersion]:
        """The ranges and versions of the pages that start in `[first, end)`, in order."""
        for item in self._page_items(record_type, first, end, ("end", VERSION)):
            version = _version_of(item)
            try:
                page_end = av.text(item, "end")
            except CorruptItem:  # reported when the whole page is read
                continue
            if version is not None:
                yield PageVersion(av.text(item, keys.SK), page_end, version)

    def strays(self) -> Iterator[ForeignItem | Misindexed]:
        """The items that GSI1 lists in the epoch although they do not belong there, or misindexed."""
        partition = keys.epoch_prefix(self._org_id, self._epoch)
        for listed in index_entries(self._client, self._table, self._backoff, partition):
            key = key_of(listed)
            place = self._index_sort_of(key, listed)
            if place == av.text(listed, keys.GSI1SK):
                if key.pk in self._siblings():
                    yield from self._without_segment(key)
                continue
            if not key.pk.startswith(partition):
                yield ForeignItem(key.pk, key.sk, is_own=False)
            elif place is None:
                # The comparison of pages reports an item inside a ledger.
                is_in_ledger = key.pk in self._ledgers() and FIRST <= key.sk < END
                if not is_in_ledger and self._exists(key):
                    yield ForeignItem(key.pk, key.sk)
            elif not self._is_listed_at(key, place):
                yield Misindexed(key.pk, key.sk, key.pk in self._ledgers() | self._siblings())

    def relist(self, item: Misindexed) -> None:
        """Write the GSI1 attributes of an item again. Raises Conflict when it no longer exists."""
        key = keys.Key(item.pk, item.sk)
        it_exists = "attribute_exists(#pk)"
        found = batch_get(self._client, self._table, [key], self._backoff)
        place = self._index_sort_of(key, found[0] if found else {})
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=key.attributes(),
                UpdateExpression="SET #p = :p, #k = :k",
                ConditionExpression=it_exists,
                ExpressionAttributeNames={"#pk": keys.PK, "#p": keys.GSI1PK, "#k": keys.GSI1SK},
                ExpressionAttributeValues={
                    ":p": {"S": keys.epoch_prefix(self._org_id, self._epoch)},
                    ":k": {"S": place},
                },
            )

    def repair_page_version(self, record_type: str, start: str) -> None:
        """Give a page without a readable version a new one, never used before. Raises Conflict."""
        self._repair_version(keys.Key(keys.ledger(self._org_id, self._epoch, record_type), start))

    def repair_rollup_version(self, key: RollupKey) -> None:
        """Give a rollup without a readable version a new one, never used before. Raises Conflict."""
        self._repair_version(keys.rollup(self._org_id, self._epoch, key))

    def _repair_version(self, key: keys.Key) -> None:
        condition = self._still_damaged(key)
        names = {"#v": VERSION, **condition["ExpressionAttributeNames"]}
        values = {":now": {"N": str(self._now_ms())}}
        values |= condition.get("ExpressionAttributeValues", {})
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=key.attributes(),
                UpdateExpression="SET #v = :now",
                ConditionExpression=condition["ConditionExpression"],
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )

    def _still_damaged(self, key: keys.Key) -> dict[str, Any]:
        """The condition that an item still has the version that cannot be read.

        Rollcall never writes such a version: while it is stored, the item is unchanged. Raises
        Conflict if the item has a version, or is gone.
        """
        found = batch_get(self._client, self._table, [key], self._backoff)
        if not found or _version_of(found[0]) is not None:
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

    def rollup_keys(self, bucket: str) -> Iterator[RollupKey]:
        """The keys of the rollups of a day `YYYY-MM-DD`, or of all time, that GSI1 lists."""
        place = keys.index_sort(keys.ROLLUP, keys.bucket_sk(bucket))
        for key in self._listed_keys(place):
            if self._index_sort_of(key, {}) == place:
                yield keys.parse_rollup(self._org_id, self._epoch, key)

    def rollup_buckets(self) -> Iterator[str]:
        """The days for which GSI1 lists a rollup."""
        days = last = keys.index_sort(keys.ROLLUP, keys.bucket_sk(""))
        while (found := self._next_listed(last)) is not None and found.startswith(days):
            if _is_date(found.removeprefix(days)):
                yield found.removeprefix(days)
            last = found

    def seen(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, RollupSeen]:
        """The stored rollups among `wanted`, including damaged ones."""
        wanted_key = {keys.rollup(self._org_id, self._epoch, key): key for key in wanted}
        items = batch_get(self._client, self._table, wanted_key, self._backoff)
        return {wanted_key[key_of(item)]: self._rollup_seen(item) for item in items}

    def days_of(self, family: str, scope: Scope) -> Iterator[RollupSeen]:
        """Every day rollup of one scope, 1 MB in memory at a time."""
        partition = keys.rollup(self._org_id, self._epoch, RollupKey(family, scope, ALL)).pk
        first = keys.bucket_sk("")
        request = {
            "TableName": self._table,
            "ConsistentRead": True,
            **keys_between(partition, first, first + keys.LAST),
        }
        for answer in pages_of(self._client, request, self._backoff):
            yield from map(self._rollup_seen, answer["Items"])

    def is_foreign(self, item: ForeignItem) -> bool:
        """Whether an item that `strays` yielded is as it was, and still belongs nowhere.

        Of what a transaction writes, one item may be visible a moment before another.
        """
        key = keys.Key(item.pk, item.sk)
        return key.pk not in self._siblings() or item in self._without_segment(key)

    def remove(self, item: ForeignItem) -> None:
        """Remove an item that belongs to no page and no rollup. Raises Conflict if it has changed."""
        key = keys.Key(item.pk, item.sk)
        if item.version is None and key.pk in self._siblings():
            with translated_errors():
                self._client.delete_item(
                    TableName=self._table, Key=key.attributes(), **self._still_damaged(key)
                )
            return
        self._remove(key, item.version)

    def remove_page(self, record_type: str, page: SurveyedPage) -> None:
        """Remove a page. Raises Conflict when it changed since it was read."""
        partition = keys.ledger(self._org_id, self._epoch, record_type)
        self._remove(keys.Key(partition, page.start), page.version)

    def _remove(self, key: keys.Key, version: int | None) -> None:
        condition = {} if version is None else version_unchanged(version)
        with translated_errors():
            self._client.delete_item(
                TableName=self._table,
                Key=key.attributes(),
                **condition,
            )

    # -- requests ----------------------------------------------------------------------------
    def _page_items(
        self, record_type: str, first: str, end: str, names: Collection[str] = ()
    ) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            **keys_between(keys.ledger(self._org_id, self._epoch, record_type), first, end),
        }
        if names:
            projected = {f"#{n}": name for n, name in enumerate(names)}
            request["ProjectionExpression"] = ", ".join(("#sk", *projected))
            request["ExpressionAttributeNames"] |= projected
        for answer in pages_of(self._client, request, self._backoff):
            yield from (item for item in answer["Items"] if av.text(item, keys.SK) < end)

    def _ledgers(self) -> frozenset[str]:
        return frozenset(keys.ledger(self._org_id, self._epoch, name) for name in RECORD_TYPES)

    def _siblings(self) -> frozenset[str]:
        return frozenset(map(keys.identities, self._ledgers()))

    def _without_segment(self, key: keys.Key) -> Iterator[ForeignItem]:
        """The identities at a key, if no segment begins there.

        The comparison of pages reports a segment without identities of its version.
        """
        identities = batch_get(self._client, self._table, [key], self._backoff)
        beside = keys.Key(keys.ledger_of(key.pk), key.sk)
        values = batch_get(self._client, self._table, [beside], self._backoff)
        if identities and not any(map(is_segment, values)):
            yield ForeignItem(key.pk, key.sk, version=_version_of(identities[0]))

    def _index_sort_of(self, key: keys.Key, item: Item) -> str | None:
        """Where GSI1 must list an item with this key, or None if no item of the epoch can have it.

        Of a ledger's item, `item` must have the attribute that makes it a segment, or that of GSI1.
        """
        if key.pk in self._siblings():
            return keys.index_sort(keys.IDENTITIES) if is_position(key.sk) else None
        if key.pk in self._ledgers():
            segment = keys.index_sort(keys.SEGMENT)
            of_segment = is_segment(item) or item.get(keys.GSI1SK) == {"S": segment}
            place = segment if of_segment else keys.index_sort(keys.PAGE)
            return place if is_position(key.sk) else None
        try:
            found = keys.parse_rollup(self._org_id, self._epoch, key)
        except ValueError:
            return None
        if found.bucket != ALL and not _is_date(found.bucket):
            return None
        return keys.index_sort(keys.ROLLUP, key.sk)

    def _is_listed_at(self, key: keys.Key, place: str) -> bool:
        """Whether the item, read consistently, is listed there or no longer exists."""
        items = batch_get(self._client, self._table, [key], self._backoff)
        return all(item.get(keys.GSI1SK) == {"S": place} for item in items)

    def _fault_of(self, item: Item, *counted: str) -> str:
        """What is wrong with an item apart from its content; an empty string if nothing is."""
        if _version_of(item) is None:
            return "it has no version"
        if item.get(keys.GSI1PK) != {"S": keys.epoch_prefix(self._org_id, self._epoch)}:
            return "GSI1 does not list it"
        if keys.GSI1SK not in item:
            return "GSI1 does not list it"
        for name in (APPLIED_AT, *counted):
            try:
                av.integer(item, name)
            except CorruptItem as error:
                return str(error)
        return ""

    def _surveyed(self, record_type: str, item: Item) -> SurveyedPage:
        start, version = av.text(item, keys.SK), _version_of(item)
        end = item.get("end", {}).get("S")
        if not isinstance(end, str) or not (end == END or is_position(end)):
            return SurveyedPage(start, None, version, None, "it has no end")
        try:
            item, page = self._whole(record_type, item, version)
            # Decoding the rows finds the damage of any column.
            rows = checked_rows(page, RECORD_TYPES[record_type])
        except DAMAGE as error:
            return SurveyedPage(start, end, version, None, f"{type(error).__name__}: {error}")
        start, version = av.text(item, keys.SK), _version_of(item)
        end = page.end
        if page.start != start or not page.start < page.end:
            return SurveyedPage(start, end, version, None, "its range does not match its key")
        fault = self._fault_of(item, "n")
        if not fault and av.integer(item, "n") != len(rows):
            fault = "its number of rows is not the stored one"
        if not fault and is_segment(item) and not has_true_zones(directory_of(item), page.rows):
            fault = "its zones are not those of its columns"
        return SurveyedPage(start, end, version, rows, fault)

    def _whole(self, record_type: str, item: Item, version: int | None) -> tuple[Item, Page]:
        """The item and its rows; if a segment changes meanwhile, what is at its start by then."""
        if not is_segment(item):
            return item, page_of_item(record_type, item | {VERSION: {"N": str(version or 0)}})
        ledger, start, meter = av.text(item, keys.PK), av.text(item, keys.SK), ReadMeter()

        def again() -> Item | None:
            return self._reads.last_at(ledger, start, EVERYTHING, meter)

        found = self._reads.complete(record_type, item, again, EVERYTHING, meter)
        if found is None:
            raise CorruptItem("it was removed")
        return found.item, found.page

    def _rollup_seen(self, item: Item) -> RollupSeen:
        version = _version_of(item)
        key = keys.parse_rollup(self._org_id, self._epoch, key_of(item))
        # A damaged version says nothing about whether the item is whole.
        read = {"N": str(version)} if version else item.get(WHOLE, {"N": "0"})
        try:
            stored = stored_rollup(key, item | {VERSION: read})
            _ = stored.measures  # decoding finds the damage of any breakdown
        except CorruptItem:
            return RollupSeen(None, version, is_whole=False)
        return RollupSeen(stored, version, not self._fault_of(item))

    def _listed_keys(self, kind: str) -> Iterator[keys.Key]:
        partition = keys.epoch_prefix(self._org_id, self._epoch)
        return index_keys(self._client, self._table, self._backoff, partition, kind)

    def _next_listed(self, after: str) -> str | None:
        request = {
            "TableName": self._table,
            "IndexName": keys.GSI1,
            "KeyConditionExpression": "#pk = :pk AND #sk > :after",
            "ExpressionAttributeNames": {"#pk": keys.GSI1PK, "#sk": keys.GSI1SK},
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.epoch_prefix(self._org_id, self._epoch)},
                ":after": {"S": after},
            },
            "Limit": 1,
        }
        answer = with_retries(self._backoff, lambda: self._client.query(**request))
        return av.text(answer["Items"][0], keys.GSI1SK) if answer["Items"] else None

    def _exists(self, key: keys.Key) -> bool:
        return bool(batch_get(self._client, self._table, [key], self._backoff))


def _is_date(text: str) -> bool:
    try:
        return parse_date(text) is not None
    except ValueError:
        return False


def _version_of(item: Item) -> int | None:
    """The version of an item; None if Rollcall cannot have written it."""
    try:
        version = av.integer(item, VERSION)
    except CorruptItem:
        return None
    return version if 0 < version < _MAX_VERSION else None
