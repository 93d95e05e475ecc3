"""Ledger pages and the transactions that change them: the ledger's store port on DynamoDB."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import RollupKey
from rollcall.ledger.backoff import Backoff
from rollcall.ledger.page import Rows
from rollcall.ledger.transaction import (
    OpenBreakdowns,
    OpenPut,
    PageWrite,
    RollupAdd,
    Transaction,
)
from rollcall.ledger.tree import Page
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Attribute, Item
from rollcall.storage.client import translated_errors
from rollcall.storage.reads import batch_get, page_at
from rollcall.storage.rollups import APPLIED_AT, SPILLED_PREFIX, VERSION, rollup_of_item


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

    def open_breakdowns(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, OpenBreakdowns]:
        """The open breakdowns that are stored, read consistently; absent ones are left out."""
        key_of = {keys.rollup(self._org_id, self._epoch, key): key for key in wanted}
        items = batch_get(self._client, self._table, key_of, self._backoff)
        return {
            key_of[keys.Key(av.text(i, keys.PK), av.text(i, keys.SK))]: open_of_item(i)
            for i in items
        }

    def commit(self, transaction: Transaction) -> None:
        """Write all of a transaction or nothing; see the port."""
        now: Attribute = {"N": str(self._now_ms())}
        requests = [
            *(self._put_page(write, now) for write in transaction.pages),
            *(self._add(add, now) for add in transaction.adds),
            *(self._put_open(put, now) for put in transaction.puts),
        ]
        with translated_errors():
            self._client.transact_write_items(TransactItems=requests)

    def _put_page(self, write: PageWrite, now: Attribute) -> dict[str, Any]:
        page = write.page
        item: Item = {
            keys.PK: {"S": keys.ledger(self._org_id, self._epoch, write.record_type)},
            keys.SK: {"S": page.start},
            keys.GSI1PK: {"S": keys.epoch_prefix(self._org_id, self._epoch)},
            keys.GSI1SK: {"S": "PAGE"},
            "start": {"S": page.start},
            "end": {"S": page.end},
            "n": {"N": str(len(page.rows))},
            "data": {"B": page.data},
            VERSION: {"N": str(write.version)},
            APPLIED_AT: now,
        }
        return {"Put": {"TableName": self._table, "Item": item, **_unchanged(write.version_read)}}

    def _put_open(self, put: OpenPut, now: Attribute) -> dict[str, Any]:
        item: Item = {
            **self._rollup_key(put.key),
            keys.GSI1PK: {"S": keys.epoch_prefix(self._org_id, self._epoch)},
            keys.GSI1SK: {"S": "OPEN"},
            VERSION: {"N": str(put.version_read + 1)},
            APPLIED_AT: now,
            **{SPILLED_PREFIX + breakdown: {"BOOL": True} for breakdown in put.spilled},
            **{name: {"N": str(count)} for name, count in put.counts.items()},
        }
        return {"Put": {"TableName": self._table, "Item": item, **_unchanged(put.version_read)}}

    def _add(self, add: RollupAdd, now: Attribute) -> dict[str, Any]:
        names = {"#v": VERSION, "#t": APPLIED_AT, "#p": keys.GSI1PK, "#k": keys.GSI1SK}
        values = {
            ":v": {"N": "1"},
            ":t": now,
            ":p": {"S": keys.epoch_prefix(self._org_id, self._epoch)},
            ":k": {"S": "OPEN" if add.key.is_open else "ROLLUP"},
        }
        # Equal amounts share one value: most are 1, and every value is a term to be parsed.
        value_of = {1: ":v"}
        terms = ["#v :v"]
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
            "UpdateExpression": f"SET #t = :t, #p = :p, #k = :k ADD {', '.join(terms)}",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        if add.unspilled:
            not_spilled = []
            for breakdown in add.unspilled:
                names[f"#s{breakdown}"] = SPILLED_PREFIX + breakdown
                not_spilled.append(f"attribute_not_exists(#s{breakdown})")
            request["ConditionExpression"] = " AND ".join(not_spilled)
        return {"Update": request}

    def _rollup_key(self, key: RollupKey) -> Item:
        pk, sk = keys.rollup(self._org_id, self._epoch, key)
        return {keys.PK: {"S": pk}, keys.SK: {"S": sk}}


def _unchanged(version_read: int) -> dict[str, Any]:
    """The condition that an item still has the version that was read (0: is still absent)."""
    if version_read == 0:
        nobody_wrote_it = "attribute_not_exists(#pk)"
        return {
            "ConditionExpression": nobody_wrote_it,
            "ExpressionAttributeNames": {"#pk": keys.PK},
        }
    nobody_changed_it = "#v = :read"
    return {
        "ConditionExpression": nobody_changed_it,
        "ExpressionAttributeNames": {"#v": VERSION},
        "ExpressionAttributeValues": {":read": {"N": str(version_read)}},
    }


def page_of_item(record_type: str, item: Item) -> Page:
    """A stored page. Raises CorruptItem on a format this release does not know."""
    data = item.get("data", {}).get("B")
    if isinstance(data, str):  # as Lambda and the CLI print binary attributes
        data = base64.b64decode(data)
    if not isinstance(data, bytes):
        raise CorruptItem("a ledger page without data")
    return Page(
        start=av.text(item, "start"),
        end=av.text(item, "end"),
        version=av.integer(item, VERSION),
        rows=Rows.decode(record_type, data),
    )


def open_of_item(item: Item) -> OpenBreakdowns:
    """The open breakdowns of a stored sibling item."""
    measures, spilled = rollup_of_item(item)
    return OpenBreakdowns(measures, spilled, av.integer(item, VERSION))
