"""Reads all pages and rollups of one bucket of an epoch, and repairs them.

Every read is consistent except those of GSI1, which lists items whose keys are not known. The index
is behind the table, so a listed item is read again, and an item that is not listed is found through
the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import (
    ALL,
    RollupKey,
    Scope,
)
from rollcall.domain.records import RECORD_TYPES
from rollcall.ledger.positions import END
from rollcall.ledger.segments import has_true_zones
from rollcall.ledger.tree import Page
from rollcall.maintenance.reconcile.inspection import (
    PageVersion,
    RollupSeen,
    SurveyedPage,
    is_position,
)
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors, with_retries
from rollcall.storage.conditions import VERSION, version_unchanged
from rollcall.storage.index_inspection import (
    IndexInspection,
    index_place,
    is_date,
    still_damaged,
    version_of,
)
from rollcall.storage.page_items import page_of_item
from rollcall.storage.page_reads import EVERYTHING
from rollcall.storage.pages import PageStore
from rollcall.storage.queries import (
    batch_get,
    index_keys,
    key_of,
    keys_between,
    page_at,
    pages_of,
)
from rollcall.storage.rollups import APPLIED_AT, WHOLE, stored_rollup
from rollcall.storage.row_checks import DAMAGE, checked_rows
from rollcall.storage.segment_items import directory_of, is_segment


class EpochInspection:
    """One epoch of an organisation: its buckets, in their order, and what GSI1 lists."""

    def __init__(
        self, client: Any, table: str, epoch: Epoch, now_ms: Callable[[], int], backoff: Backoff
    ) -> None:
        stores = (LedgerInspection(client, table, b, now_ms, backoff) for b in epoch.buckets)
        self.buckets = tuple(stores)
        self.index = IndexInspection(client, table, epoch, backoff)


class LedgerInspection(PageStore):
    """All stored pages and rollups of one bucket of an epoch."""

    def pages(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]:
        """The pages that start in `[first, end)`, in order, 1 MB in memory at a time."""
        for item in self._page_items(record_type, first, end):
            yield self._surveyed(record_type, item)

    def page_from(self, record_type: str, position: str) -> SurveyedPage | None:
        """The last page that starts at or before a position, or None."""
        covering = page_at(keys.ledger(self._bucket, record_type), position)
        request = {"TableName": self._table, "ConsistentRead": True, **covering}
        items = with_retries(self._backoff, lambda: self._client.query(**request))["Items"]
        return self._surveyed(record_type, items[0]) if items else None

    def versions(self, record_type: str, first: str, end: str) -> Iterator[PageVersion]:
        """The ranges and versions of the pages that start in `[first, end)`, in order."""
        for item in self._page_items(record_type, first, end, ("end", VERSION)):
            version = version_of(item)
            try:
                page_end = av.text(item, "end")
            except CorruptItem:  # reported when the whole page is read
                continue
            if version is not None:
                yield PageVersion(av.text(item, keys.SK), page_end, version)

    def repair_page_version(self, record_type: str, start: str) -> None:
        """Give a page without a readable version a new one, never used before. Raises Conflict."""
        self._repair_version(keys.Key(keys.ledger(self._bucket, record_type), start))

    def repair_rollup_version(self, key: RollupKey) -> None:
        """Give a rollup without a readable version a new one, never used before. Raises Conflict."""
        self._repair_version(keys.rollup(self._bucket, key))

    def _repair_version(self, key: keys.Key) -> None:
        condition = still_damaged(batch_get(self._client, self._table, [key], self._backoff))
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

    def rollup_keys(self, bucket: str) -> Iterator[RollupKey]:
        """The keys of the rollups of a day `YYYY-MM-DD`, or of all time, that GSI1 lists."""
        place = keys.index_sort(self._bucket, keys.ROLLUP, keys.bucket_sk(bucket))
        for key in self._listed_keys(place):
            if index_place(self._bucket, key, {}) == place:
                yield keys.parse_rollup(self._bucket, key)

    def rollup_buckets(self) -> Iterator[str]:
        """The days for which GSI1 lists a rollup."""
        days = last = keys.index_sort(self._bucket, keys.ROLLUP, keys.bucket_sk(""))
        while (found := self._next_listed(last)) is not None and found.startswith(days):
            if is_date(found.removeprefix(days)):
                yield found.removeprefix(days)
            last = found

    def seen(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, RollupSeen]:
        """The stored rollups among `wanted`, including damaged ones."""
        wanted_key = {keys.rollup(self._bucket, key): key for key in wanted}
        items = batch_get(self._client, self._table, wanted_key, self._backoff)
        return {wanted_key[key_of(item)]: self._rollup_seen(item) for item in items}

    def days_of(self, family: str, scope: Scope) -> Iterator[RollupSeen]:
        """Every day rollup of one scope, 1 MB in memory at a time."""
        partition = keys.rollup(self._bucket, RollupKey(family, scope, ALL)).pk
        first = keys.bucket_sk("")
        request = {
            "TableName": self._table,
            "ConsistentRead": True,
            **keys_between(partition, first, first + keys.LAST),
        }
        for answer in pages_of(self._client, request, self._backoff):
            yield from map(self._rollup_seen, answer["Items"])

    def remove_page(self, record_type: str, page: SurveyedPage) -> None:
        """Remove a page. Raises Conflict when it changed since it was read."""
        partition = keys.ledger(self._bucket, record_type)
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
            **keys_between(keys.ledger(self._bucket, record_type), first, end),
        }
        if names:
            projected = {f"#{n}": name for n, name in enumerate(names)}
            request["ProjectionExpression"] = ", ".join(("#sk", *projected))
            request["ExpressionAttributeNames"] |= projected
        for answer in pages_of(self._client, request, self._backoff):
            yield from (item for item in answer["Items"] if av.text(item, keys.SK) < end)

    def _fault_of(self, item: Item, *counted: str) -> str:
        """What is wrong with an item apart from its content; an empty string if nothing is."""
        if version_of(item) is None:
            return "it has no version"
        if item.get(keys.GSI1PK) != {"S": keys.index_partition(self._bucket)}:
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
        start, version = av.text(item, keys.SK), version_of(item)
        end = item.get("end", {}).get("S")
        if not isinstance(end, str) or not (end == END or is_position(end)):
            return SurveyedPage(start, None, version, None, "it has no end")
        try:
            item, page = self._whole(record_type, item, version)
            # Decoding the rows finds the damage of any column.
            rows = checked_rows(page, RECORD_TYPES[record_type])
        except DAMAGE as error:
            return SurveyedPage(start, end, version, None, f"{type(error).__name__}: {error}")
        start, version = av.text(item, keys.SK), version_of(item)
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
        version = version_of(item)
        key = keys.parse_rollup(self._bucket, key_of(item))
        # A damaged version says nothing about whether the item is whole.
        read = {"N": str(version)} if version else item.get(WHOLE, {"N": "0"})
        try:
            stored = stored_rollup(key, item | {VERSION: read})
            _ = stored.measures  # decoding finds the damage of any breakdown
        except CorruptItem:
            return RollupSeen(None, version, is_whole=False)
        return RollupSeen(stored, version, not self._fault_of(item))

    def _listed_keys(self, kind: str) -> Iterator[keys.Key]:
        partition = keys.index_partition(self._bucket)
        return index_keys(self._client, self._table, self._backoff, partition, kind)

    def _next_listed(self, after: str) -> str | None:
        request = {
            "TableName": self._table,
            "IndexName": keys.GSI1,
            "KeyConditionExpression": "#pk = :pk AND #sk > :after",
            "ExpressionAttributeNames": {"#pk": keys.GSI1PK, "#sk": keys.GSI1SK},
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.index_partition(self._bucket)},
                ":after": {"S": after},
            },
            "Limit": 1,
        }
        answer = with_retries(self._backoff, lambda: self._client.query(**request))
        return av.text(answer["Items"][0], keys.GSI1SK) if answer["Items"] else None
