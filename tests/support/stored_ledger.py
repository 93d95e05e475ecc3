"""A real table's pages and rollups, read into the in-memory ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rollcall.domain.measures import RollupKey
from rollcall.storage import keys
from rollcall.storage.page_items import page_of_item
from rollcall.storage.rollups import stored_rollup
from tests.support.fakes import MemoryLedger, StoredPage


def everything(query: Callable[..., Any], **asked: Any) -> Iterator[dict[str, Any]]:
    """All items of a Query, however many answers they come in."""
    while True:
        answer = query(**asked)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


class Stored:
    """What a real table holds, read back through GSI1, in the in-memory store's shape."""

    def __init__(self, client: Any, org_id: str, epoch: int) -> None:
        self.memory = MemoryLedger()
        prefix = keys.epoch_prefix(org_id, epoch)
        for found in everything(
            client.query,
            TableName="rollcall-analytics",
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :pk",
            ExpressionAttributeValues={":pk": {"S": prefix}},
        ):
            item = client.get_item(
                TableName="rollcall-analytics",
                Key={"PK": found["PK"], "SK": found["SK"]},
                ConsistentRead=True,
            )["Item"]
            self._take(item, item["PK"]["S"].removeprefix(prefix))

    def _take(self, item: dict[str, Any], rest: str) -> None:
        kind, name, *scope = rest.rstrip("#").split("#")
        if kind == "LEDGER":
            page = page_of_item(name, item)
            data = item["data"]["B"]
            stored = StoredPage(page.start, page.end, page.version, data)
            self.memory.pages.setdefault(name, {})[item["SK"]["S"]] = stored
            return
        bucket = item["SK"]["S"].removeprefix("DAY#")
        key = RollupKey(name, tuple(map(keys.unescape, scope)), bucket)
        self.memory.stored[key] = stored_rollup(key, item)
