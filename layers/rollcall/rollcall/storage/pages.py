"""Ledger pages and the transactions that change them: the ledger's store in DynamoDB."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import RollupKey
from rollcall.ledger.page import Rows
from rollcall.ledger.transaction import (
    PageWrite,
    RollupAdd,
    RollupDelete,
    RollupPut,
    StoredRollup,
    Transaction,
)
from rollcall.ledger.tree import Page
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.client import translated_errors
from rollcall.storage.conditions import VERSION, version_unchanged
from rollcall.storage.queries import batch_get, key_of, page_at
from rollcall.storage.rollups import APPLIED_AT, SPILLED_PREFIX, rollup_of_item


class PageStore:
    """Pages and rollups of one organisation in one epoch (`rollcall.ledger.apply.LedgerStore`)."""

    def __init__(
        self,
        client: Any,
        table: str,
        org_id: str,
        epoch: int,
        now_ms: Callable[[], int],
        backoff: Backoff,
    ) -> None:
        self._client = client
        self._table = table
        self._org_id = org_id
        self._epoch = epoch
        self._now_ms = now_ms
        self._backoff = backoff

    def page_at(self, record_type: str, position: str) -> Page | None:
        """The last page that starts at or before a position, read consistently; None: no pages."""
        covering = page_at(keys.ledger(self._org_id, self._epoch, record_type), position)
        with translated_errors():
            answer = self._client.query(TableName=self._table, ConsistentRead=True, **covering)
        items = answer["Items"]
        return page_of_item(record_type, items[0]) if items else None

    def rollups(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, StoredRollup]:
        """The rollups that are stored, read consistently; absent ones are left out."""
        wanted_key = {keys.rollup(self._org_id, self._epoch, key): key for key in wanted}
        items = batch_get(self._client, self._table, wanted_key, self._backoff)
        return {wanted_key[key_of(item)]: stored_rollup(item) for item in items}

    def commit(self, transaction: Transaction) -> None:
        """Write all of a transaction or nothing; see `LedgerStore.commit`."""
        now_ms = self._now_ms()
        now: Attribute = {"N": str(now_ms)}
        requests = [
            *(self._put_page(write, now) for write in transaction.pages),
            *(self._add(add, now) for add in transaction.adds),
            *(self._put_rollup(put, now_ms) for put in transaction.puts),
            *(self._delete(delete) for delete in transaction.deletes),
        ]
        with translated_errors():
            self._client.transact_write_items(TransactItems=requests)

    def _put_page(self, write: PageWrite, now: Attribute) -> dict[str, Any]:
        page = write.page
        item: Item = {
            keys.PK: {"S": keys.ledger(self._org_id, self._epoch, write.record_type)},
            keys.SK: {"S": page.start},
            keys.GSI1PK: {"S": keys.epoch_prefix(self._org_id, self._epoch)},
            keys.GSI1SK: {"S": keys.index_sort(keys.PAGE)},
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

    def _put_rollup(self, put: RollupPut, now_ms: int) -> dict[str, Any]:
        # A new rollup takes its version from the clock, as in `_add`: no version is ever used twice.
        version = (put.version_read or now_ms) + 1
        item: Item = {
            **self._rollup_key(put.key),
            keys.GSI1PK: {"S": keys.epoch_prefix(self._org_id, self._epoch)},
            keys.GSI1SK: {"S": self._listed(put.key)},
            VERSION: {"N": str(version)},
            APPLIED_AT: {"N": str(now_ms)},
            **{SPILLED_PREFIX + breakdown: {"BOOL": True} for breakdown in put.spilled},
            **{name: {"N": str(count)} for name, count in put.counts.items()},
        }
        return {
            "Put": {"TableName": self._table, "Item": item, **version_unchanged(put.version_read)}
        }

    def _delete(self, delete: RollupDelete) -> dict[str, Any]:
        request = {"TableName": self._table, "Key": self._rollup_key(delete.key)}
        return {"Delete": request | version_unchanged(delete.version_read)}

    def _add(self, add: RollupAdd, now: Attribute) -> dict[str, Any]:
        names = {"#v": VERSION, "#t": APPLIED_AT, "#p": keys.GSI1PK, "#k": keys.GSI1SK}
        values = {
            ":v": {"N": "1"},
            ":t": now,
            ":p": {"S": keys.epoch_prefix(self._org_id, self._epoch)},
            ":k": {"S": self._listed(add.key)},
        }
        # Equal amounts share one value: most are 1, and DynamoDB parses every value.
        value_of = {1: ":v"}
        terms = []
        for index, (name, amount) in enumerate(add.delta.items()):
            value = value_of.get(amount)
            if value is None:
                value = value_of[amount] = f":{index}"
                values[value] = {"N": str(amount)}
            names[f"#{index}"] = name
            terms.append(f"#{index} {value}")
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._rollup_key(add.key),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        as_spilled = []
        for breakdown in (*add.unspilled, *add.spilled):
            names[f"#s{breakdown}"] = SPILLED_PREFIX + breakdown
            test = "attribute_exists" if breakdown in add.spilled else "attribute_not_exists"
            as_spilled.append(f"{test}(#s{breakdown})")
        still_counted = []
        for index, (name, count) in enumerate(add.gone.items()):
            names[f"#g{index}"] = name
            values[f":g{index}"] = {"N": str(count)}
            still_counted.append(f"#g{index} = :g{index}")
        for index, (name, count) in enumerate(add.staying.items()):
            names[f"#a{index}"] = name
            values[f":a{index}"] = {"N": str(count)}
            still_counted.append(f"#a{index} > :a{index}")
        # A new rollup takes its first version from the clock, so that one that was removed and
        # created again never has a version that a reader saw before.
        request["UpdateExpression"] = " ".join(
            [
                "SET #t = :t, #p = :p, #k = :k, #v = if_not_exists(#v, :t) + :v",
                *(["ADD", ", ".join(terms)] if terms else []),
                *(
                    ["REMOVE", ", ".join(f"#g{n}" for n in range(len(add.gone)))]
                    if add.gone
                    else []
                ),
            ]
        )
        if as_spilled or still_counted:
            request["ConditionExpression"] = " AND ".join(as_spilled + still_counted)
        return {"Update": request}

    def _listed(self, key: RollupKey) -> str:
        kind = keys.OPEN if key.is_open else keys.ROLLUP
        return keys.index_sort(kind, keys.rollup(self._org_id, self._epoch, key).sk)

    def _rollup_key(self, key: RollupKey) -> Item:
        pk, sk = keys.rollup(self._org_id, self._epoch, key)
        return {keys.PK: {"S": pk}, keys.SK: {"S": sk}}


def page_of_item(record_type: str, item: Item) -> Page:
    """A stored page. Raises CorruptItem, which names the page, on a format it does not know."""
    data = item.get("data", {}).get("B")
    if isinstance(data, str):  # as Lambda and the CLI print binary attributes
        data = base64.b64decode(data)
    if not isinstance(data, bytes):
        raise CorruptItem("a ledger page has no data")
    start = av.text(item, "start")
    try:
        rows = Rows.decode(record_type, data)
    except CorruptItem as error:
        raise CorruptItem(f"the {record_type} page at {start}: {error}") from error
    return Page(start, av.text(item, "end"), av.integer(item, VERSION), rows)


def stored_rollup(item: Item) -> StoredRollup:
    """A stored rollup, closed or open, with its version."""
    measures, spilled = rollup_of_item(item)
    return StoredRollup(measures, spilled, av.integer(item, VERSION))
