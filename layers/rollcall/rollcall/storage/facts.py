"""The facts of all organisations: written under optimistic locking, read in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from rollcall.domain.epochs import share_of
from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.facts import (
    Change,
    Fact,
    Outcome,
    Verdict,
    content_hash,
    hash_of_detail,
    resolve,
)
from rollcall.domain.organisations import searched_shards
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import number_unchanged
from rollcall.storage.detail_items import detail_of_item, item_of_detail
from rollcall.storage.fact_items import fact_of_item, item_of_fact, own_fact, times_of
from rollcall.storage.queries import batch_get, key_of, keys_between, pages_of


class FactPage(NamedTuple):
    """Some facts, the sort keys of damaged items, and the last sort key (None on the last page)."""

    facts: list[Fact]
    damaged: list[str]
    last: str | None


class FactStore:
    """The facts of all organisations; every request is checked against the current one."""

    def __init__(
        self, client: Any, table: str, now_us: Callable[[], int], backoff: Backoff
    ) -> None:
        self._client = client
        self._table = table
        self._now_us = now_us
        self._backoff = backoff

    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], Fact]:
        """The stored facts among the given (type, id) pairs, read consistently.

        A damaged fact is left out: `write` finds it and raises CorruptItem for it alone.
        """
        wanted = [keys.fact(org_id, type_, fact_id, buckets) for type_, fact_id in facts]
        found = {}
        for item in batch_get(self._client, self._table, wanted, self._backoff):
            with contextlib.suppress(CorruptItem):
                fact = fact_of_item(item)
                found[fact.type, fact.id] = fact
        return found

    def look_up(
        self,
        org_id: str,
        buckets: int,
        record_type: str,
        ids: Collection[str],
        meter: ReadMeter,
    ) -> dict[str, Fact]:
        """The stored facts of one type among `ids`, read consistently. Raises CorruptItem."""
        wanted = [keys.fact(org_id, record_type, fact_id, buckets) for fact_id in ids]
        items = batch_get(self._client, self._table, wanted, self._backoff, meter)
        return {fact.id: fact for fact in map(fact_of_item, items)}

    @staticmethod
    def bucket_of(fact_id: str, buckets: int) -> int:
        """The bucket in which the fact with an id belongs."""
        return share_of(fact_id, buckets)

    def misplaced(self, org_id: str, buckets: int, record_type: str, fact_id: str) -> list[int]:
        """The buckets, other than the right one, that hold an item under a fact's sort key."""
        home = keys.fact(org_id, record_type, fact_id, buckets)
        places = {
            keys.Key(keys.facts(org_id, record_type, bucket), home.sk): bucket
            for bucket in searched_shards(buckets)
        }
        del places[home]
        found = batch_get(self._client, self._table, places, self._backoff)
        return sorted(places[key_of(item)] for item in found)

    def listed(
        self,
        org_id: str,
        bucket: int,
        record_type: str,
        after: str | None = None,
    ) -> Iterator[FactPage]:
        """The facts of one type in one bucket, read consistently, by id, 1 MB at a time.

        `after` is the `last` of the page after which to continue, or None. A fact that is written
        meanwhile may be listed in its old or its new state. Raises Unavailable.
        """
        partition = keys.facts(org_id, record_type, bucket)
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            **keys_between(partition, keys.FACT_SK_PREFIX, keys.FACT_SK_END),
        }
        if after is not None:
            request["ExclusiveStartKey"] = {keys.PK: {"S": partition}, keys.SK: {"S": after}}
        for answer in pages_of(self._client, request, self._backoff):
            page = FactPage([], [], None)
            for item in answer["Items"]:
                try:
                    page.facts.append(own_fact(item)[1])
                except CorruptItem:
                    page.damaged.append(av.text(item, keys.SK))
            last = answer.get("LastEvaluatedKey")
            yield page._replace(last=av.text(last, keys.SK) if last else None)

    def places(
        self, org_id: str, buckets: int, record_type: str, ids: Collection[str]
    ) -> dict[str, frozenset[int]]:
        """The times of the stored facts of one type among `ids`, including damaged ones.

        Read consistently. They are the present time of a fact and those that it has left; there are
        none for a type without a time, and for a damaged fact if they cannot be read.
        """
        wanted = {keys.fact(org_id, record_type, id_, buckets): id_ for id_ in ids}
        items = batch_get(self._client, self._table, wanted, self._backoff)
        return {wanted[key_of(item)]: times_of(item) for item in items}

    def restate(self, org_id: str, buckets: int, stored: Fact | None, fact: Fact) -> None:
        """Replace the fact that was read, or None, by one with the same record or by a tombstone.

        With a tombstone goes a detail whose fact was missing. Raises Conflict, Unavailable.
        """
        key = keys.fact(org_id, fact.type, fact.id, buckets)
        if fact.record is None and hash_of_detail(fact) is None:
            is_written, _ = self._put_both(key, fact, stored, None)
        else:
            is_written, _ = self._put(key, fact, stored.rev if stored else None)
        if not is_written:
            raise Conflict("another version was written first")

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        """Resolve a change against the stored fact, and store it if it wins.

        Returns the outcome and the fact that is stored afterwards. `stored` is the fact that was
        last read, or None; if it has changed since, the change is resolved again, as often as there
        is time. Raises Unavailable when no time is left, after which the change may be sent again,
        CorruptItem when the stored fact is damaged, and RefusedChange as `resolve` does.
        """
        key = keys.fact(org_id, change.type, change.id, buckets)
        retries = self._backoff.attempts()
        attempts: dict[int, Verdict] = {}
        while True:
            tried = attempts.get(stored.rev) if stored is not None else None
            if tried is not None and _is_same(stored, tried.fact):
                # Our own write succeeded, and only its reply was lost.
                return tried.outcome, stored
            verdict = resolve(stored, change, self._now_us())
            fact = verdict.fact
            if fact is None:
                return verdict.outcome, stored
            attempts[fact.rev] = verdict
            try:
                is_written, found = self._store(key, fact, stored, change.detail)
            except (Conflict, Unavailable) as error:
                retries.persist(error)
                continue
            if is_written:
                return verdict.outcome, fact
            stored = fact_of_item(found) if found else None
            retries.persist(Conflict("another version was written first"))

    def detail(
        self, org_id: str, buckets: int, fact: Fact, meter: ReadMeter
    ) -> dict[str, Any] | None:
        """The detail of a fact that has one, read consistently; None if it is another's by now.

        Raises CorruptItem when it is damaged.
        """
        wanted = keys.detail(keys.fact(org_id, fact.type, fact.id, buckets))
        for item in batch_get(self._client, self._table, [wanted], self._backoff, meter):
            stored, detail = detail_of_item(item)
            if stored == hash_of_detail(fact):
                return detail
        return None

    def detail_hashes(
        self, org_id: str, buckets: int, facts: Sequence[Fact]
    ) -> dict[str, str | None]:
        """The hashes of the details beside facts of one type, by the facts' ids, read consistently.

        A detail that is damaged has None, one that is missing no entry.
        """
        wanted = {
            keys.detail(keys.fact(org_id, fact.type, fact.id, buckets)): fact.id for fact in facts
        }
        hashes: dict[str, str | None] = {}
        for item in batch_get(self._client, self._table, wanted, self._backoff):
            try:
                hashes[wanted[key_of(item)]], _ = detail_of_item(item)
            except CorruptItem:
                hashes[wanted[key_of(item)]] = None
        return hashes

    def _store(
        self, key: keys.Key, fact: Fact, stored: Fact | None, detail: str | None
    ) -> tuple[bool, Item]:
        """Write the fact, with its detail if that has changed, if `stored` is still what is stored.

        Returns as `_put`. `detail` is the detail that came with the change: where it won, it is
        that of the fact.
        """
        has = hash_of_detail(fact)
        if has == hash_of_detail(stored):
            return self._put(key, fact, stored.rev if stored else None)
        return self._put_both(key, fact, stored, None if has is None else detail)

    def _put_both(
        self, key: keys.Key, fact: Fact, stored: Fact | None, detail: str | None
    ) -> tuple[bool, Item]:
        """Put the fact and its detail, or remove the detail, in one transaction; as `_put`."""
        condition = number_unchanged("rev", stored.rev if stored else None)
        put = {"TableName": self._table, "Item": item_of_fact(key, fact), **condition}
        beside: dict[str, Any] = {"TableName": self._table}
        if detail is None:
            action = {"Delete": {**beside, "Key": keys.detail(key).attributes()}}
        else:
            action = {"Put": {**beside, "Item": item_of_detail(key, detail)}}
        try:
            with translated_errors():
                self._client.transact_write_items(TransactItems=[{"Put": put}, action])
        except Conflict:
            (found,) = batch_get(self._client, self._table, [key], self._backoff) or [{}]
            return False, found
        return True, {}

    def _put(self, key: keys.Key, fact: Fact, rev_read: int | None) -> tuple[bool, Item]:
        """Put the fact if the stored revision is still the one read.

        Returns (True, {}), or (False, the stored item), which is empty if there is none.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": item_of_fact(key, fact),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **number_unchanged("rev", rev_read),
        }
        with translated_errors():
            try:
                self._client.put_item(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return False, error.response.get("Item", {})
        return True, {}


def _is_same(stored: Fact | None, attempted: Fact | None) -> bool:
    if stored is None or attempted is None or stored != attempted:
        return False
    # Unlike values, contents tell true and 1 apart.
    return content_hash(stored.record) == content_hash(attempted.record)
