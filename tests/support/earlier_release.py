"""Rollups as the release before contribution version 2 wrote them.

Closed measures and open breakdowns were two items, and every measure was an attribute.
"""

from __future__ import annotations

from typing import Any

from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.rollup_items import META, measures_of

ANALYTICS = "rollcall-analytics"


def as_written_earlier(store: MemoryDynamoDb) -> int:
    """Replace every rollup, of contribution version 1, by the items of that release; how many."""
    items = [i for i in store.all_items(ANALYTICS) if "#ROLLUP#" in i["PK"]["S"]]
    for item in items:
        meta = {name: item[name] for name in META - {"whole"}}
        closed, opened = {}, {}
        for name, count in measures_of(item).items():
            if name[1:2] not in ("", "="):
                closed[name] = {"N": str(count)}
            elif name[0] != "t" or item["SK"]["S"] != "ALL":
                opened[name] = {"N": str(count)}
        # A measure that went back to zero stayed stored.
        store.put(ANALYTICS, {**meta, "s.none": {"N": "0"}, **closed})
        if opened:
            store.put(ANALYTICS, _sibling(meta) | opened)
    return len(items)


def siblings(store: MemoryDynamoDb) -> list[dict[str, Any]]:
    """The items of open breakdowns, which no release reads any more."""
    return [item for item in store.all_items(ANALYTICS) if "#OPEN#" in item["PK"]["S"]]


def _sibling(meta: dict[str, Any]) -> dict[str, Any]:
    opened = {"PK": {"S": meta["PK"]["S"].replace("#ROLLUP#", "#OPEN#", 1)}}
    return meta | opened | {"GSI1SK": {"S": f"OPEN#{meta['SK']['S']}"}}
