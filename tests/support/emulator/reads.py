"""GetItem, BatchGetItem and Query, of a table or of its index.

Answers hold the items themselves: `items.plain` and `items.json_text` render them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from tests.support.emulator.items import Attributes, Item, projection
from tests.support.emulator.key_conditions import KeyCondition, key_condition
from tests.support.emulator.limits import Limits
from tests.support.emulator.metering import Meter
from tests.support.emulator.refusals import Refusal, refuse_others
from tests.support.emulator.tables import Tables

_COMMON = {"TableName", "ConsistentRead", "ReturnConsumedCapacity"}
_PROJECTED = {"ProjectionExpression", "ExpressionAttributeNames"}
_GET = _COMMON | _PROJECTED | {"Key"}
_QUERY = (
    _COMMON
    | _PROJECTED
    | {
        "KeyConditionExpression",
        "ExpressionAttributeValues",
        "ExclusiveStartKey",
        "IndexName",
        "Limit",
        "ScanIndexForward",
    }
)
_KEYS = ("PK", "SK")
# Both tables' index: its keys, then the table's, and nothing else of an item.
_INDEX = "GSI1"
_INDEX_KEYS = ("GSI1PK", "GSI1SK", *_KEYS)


class Reads:
    """Answers to reads of some tables, within limits, counted by a meter."""

    def __init__(self, tables: Tables, limits: Limits, meter: Meter) -> None:
        self._tables = tables
        self._limits = limits
        self._meter = meter

    def get_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, _GET)
        item = self._find(asked["TableName"], asked["Key"], asked)
        if item is None:
            return self._consumed(asked, [0], 0)
        return {"Item": item.view(projection(asked)), **self._consumed(asked, [item.size], 1)}

    def batch_get_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, {"RequestItems", "ReturnConsumedCapacity"})
        if len(asked["RequestItems"]) != 1:
            raise NotImplementedError("keys of one table")
        ((table, request),) = asked["RequestItems"].items()
        refuse_others(request, {"Keys", "ConsistentRead"} | _PROJECTED)
        wanted = request["Keys"]
        if not 1 <= len(wanted) <= 100 or len({str(key) for key in wanted}) != len(wanted):
            raise NotImplementedError("1 to 100 keys, each once")
        now, later = wanted[: self._limits.batch_keys], wanted[self._limits.batch_keys :]
        found = [self._find(table, key, request) for key in now]
        names = projection(request)
        views = [item.view(names) for item in found if item is not None]
        sizes = [item.size if item else 0 for item in found]
        consumed = self._consumed(asked | request | {"TableName": table}, sizes, len(views))
        return {
            "Responses": {table: views},
            "UnprocessedKeys": {table: request | {"Keys": later}} if later else {},
            **({"ConsumedCapacity": [consumed["ConsumedCapacity"]]} if consumed else {}),
        }

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, _QUERY)
        if "IndexName" not in asked:
            condition = key_condition(asked, *_KEYS)
            return self._first_of(self._queried(asked, condition), asked, _KEYS)
        if asked["IndexName"] != _INDEX or asked.get("ConsistentRead"):
            raise Refusal("ValidationException", "no such index, or a consistent read of it")
        condition = key_condition(asked, *_INDEX_KEYS[:2])
        return self._first_of(self._index_queried(asked, condition), asked, _INDEX_KEYS)

    def _find(self, table: str, key: Attributes, asked: dict[str, Any]) -> Item | None:
        if key.keys() != set(_KEYS):
            raise NotImplementedError(f"a key of {sorted(key)}")
        is_consistent = asked.get("ConsistentRead", False)
        partition = self._tables.partition(table, key["PK"]["S"], is_consistent=is_consistent)
        return partition.items.get(key["SK"]["S"])

    def _queried(self, asked: dict[str, Any], condition: KeyCondition) -> Iterator[Item]:
        """Items of a partition that a Query asks for, in its direction."""
        is_consistent = asked.get("ConsistentRead", False)
        partition = self._tables.partition(
            asked["TableName"], condition.pk, is_consistent=is_consistent
        )
        order = partition.order
        places = condition.range_in(order)
        is_ascending = asked.get("ScanIndexForward", True)
        if start := asked.get("ExclusiveStartKey"):
            if start["PK"]["S"] != condition.pk:
                raise NotImplementedError("a start key of another partition")
            places = _beyond(places, order, start["SK"]["S"], is_ascending=is_ascending)
        for place in places if is_ascending else reversed(places):
            yield partition.items[order[place]]

    def _index_queried(self, asked: dict[str, Any], condition: KeyCondition) -> list[Item]:
        """Entries of the sparse index that a Query asks for, in its direction."""
        found = [
            (_index_place(attributes), item)
            for partition in self._tables.partitions(asked["TableName"], is_consistent=False)
            for item in partition.items.values()
            if (attributes := item.attributes).get("GSI1PK") == {"S": condition.pk}
            and "GSI1SK" in attributes
            and condition.holds(attributes["GSI1SK"]["S"])
        ]
        is_ascending = asked.get("ScanIndexForward", True)
        found.sort(key=itemgetter(0), reverse=not is_ascending)
        if start := asked.get("ExclusiveStartKey"):
            after = _index_place(start)
            found = [
                (place, item)
                for place, item in found
                if (place > after if is_ascending else place < after)
            ]
        return [item.view(_INDEX_KEYS) for _, item in found]

    def _first_of(
        self, found: Iterable[Item], asked: dict[str, Any], key_names: tuple[str, ...]
    ) -> dict[str, Any]:
        """The answer to a Query: as much of what it found as the limits allow."""
        items: list[Item] = []
        size = 0
        is_cut = False
        for item in found:
            items.append(item)
            size += item.size
            if len(items) == asked.get("Limit") or size >= self._limits.answer_bytes:
                is_cut = True  # DynamoDB says so even where nothing follows
                break
        names = projection(asked)
        answer: dict[str, Any] = {
            "Items": [item.view(names) for item in items],
            "Count": len(items),
            "ScannedCount": len(items),
            **self._consumed(asked, [size], len(items)),
        }
        if is_cut:
            answer["LastEvaluatedKey"] = items[-1].view(key_names)
        return answer

    def _consumed(self, asked: dict[str, Any], sizes: Iterable[int], items: int) -> dict[str, Any]:
        """Count reads, given as bytes that were read together; what is reported of them."""
        is_consistent = asked.get("ConsistentRead", False)
        units = self._meter.read(sizes, items, is_consistent=is_consistent)
        if asked.get("ReturnConsumedCapacity", "NONE") == "NONE":
            return {}
        if asked["ReturnConsumedCapacity"] != "TOTAL":
            raise NotImplementedError(asked["ReturnConsumedCapacity"])
        return {"ConsumedCapacity": {"TableName": asked["TableName"], "CapacityUnits": units}}


def _beyond(places: range, order: Sequence[str], start: str, *, is_ascending: bool) -> range:
    """Those places of a range whose keys follow a start key in the direction of a Query."""
    if is_ascending:
        return range(max(places.start, bisect_right(order, start)), places.stop)
    return range(places.start, min(places.stop, bisect_left(order, start)))


def _index_place(entry: Attributes) -> tuple[str, ...]:
    """Where an entry stands within its partition of the index."""
    return tuple(entry[name]["S"] for name in _INDEX_KEYS[1:])
