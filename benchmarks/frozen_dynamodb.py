"""DynamoDB's answers to reads from memory, under a real botocore client, almost for nothing.

Items are kept as the JSON text in which they go out, so that answering costs next to nothing and
what is measured around it is the reader's own share. Knows the reads of `rollcall.storage` and
refuses everything else. Nothing can be written: a benchmark loads it with `put` before it measures.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse

from benchmarks import capacity

# A Query stops after the item that takes it past this.
_MAX_BYTES = 1_048_576
_CONDITION = re.compile(
    r"#pk = :pk"
    r"(?: AND (?:#sk BETWEEN (?P<first>:\w+) AND (?P<last>:\w+)|#sk <= (?P<most>:\w+)))?"
)
_KNOWN = {
    "TableName",
    "KeyConditionExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ExclusiveStartKey",
    "ScanIndexForward",
    "Limit",
    "ConsistentRead",
    "ReturnConsumedCapacity",
}


@dataclass(slots=True)
class _Item:
    text: str
    size: int
    # Projections, made when first asked for.
    parts: dict[str, str] = field(default_factory=dict)

    def projected(self, asked: dict[str, Any]) -> str:
        expression = asked.get("ProjectionExpression")
        if expression is None:
            return self.text
        part = self.parts.get(expression)
        if part is None:
            names = asked.get("ExpressionAttributeNames", {})
            wanted = [names.get(name, name) for name in expression.split(", ")]
            whole = json.loads(self.text)
            kept = {name: whole[name] for name in wanted if name in whole}
            part = self.parts[expression] = json.dumps(kept, separators=(",", ":"))
        return part


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body


class FrozenDynamoDb:
    """Tables in memory that are only read. `seconds` is the CPU time spent in here."""

    def __init__(self) -> None:
        self._partitions: dict[tuple[str, str], dict[str, _Item]] = {}
        self._order: dict[tuple[str, str], list[str]] = {}
        self.seconds = 0.0
        self.requests = 0

    def put(self, table: str, text: str) -> None:
        """Keep an item, given as the JSON text of its attributes; within a table in any order."""
        item = json.loads(text)
        key = (table, item["PK"]["S"])
        self._partitions.setdefault(key, {})[item["SK"]["S"]] = _Item(
            text, capacity.item_bytes(item)
        )
        self._order.pop(key, None)

    def attach(self, client: Any) -> None:
        client.meta.events.register("before-send.dynamodb", self._send)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        started = time.thread_time()
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        asked = json.loads(request.body)
        match operation:
            case "GetItem":
                text = self._get_item(asked)
            case "BatchGetItem":
                text = self._batch_get_item(asked)
            case "Query":
                text = self._query(asked)
            case _:
                raise NotImplementedError(operation)
        body = text.encode()
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "content-length": str(len(body)),
            "x-amz-crc32": str(zlib.crc32(body)),  # botocore checks it, as it does DynamoDB's
        }
        self.seconds += time.thread_time() - started
        self.requests += 1
        return AWSResponse(request.url, 200, headers, _Raw(body))

    def _get_item(self, asked: dict[str, Any]) -> str:
        found = self._find(asked["TableName"], asked["Key"])
        return f'{{"Item":{found.projected(asked)}}}' if found else "{}"

    def _batch_get_item(self, asked: dict[str, Any]) -> str:
        tables, capacities = [], []
        for table, request in asked["RequestItems"].items():
            found = [self._find(table, key) for key in request["Keys"]]
            is_consistent = request.get("ConsistentRead", False)
            units = sum(_units(item.size if item else 0, is_consistent) for item in found)
            texts = ",".join(item.projected(request) for item in found if item)
            tables.append(f'"{table}":[{texts}]')
            capacities.append(f'{{"TableName":"{table}","CapacityUnits":{units}}}')
        return (
            f'{{"Responses":{{{",".join(tables)}}},"UnprocessedKeys":{{}},'
            f'"ConsumedCapacity":[{",".join(capacities)}]}}'
        )

    def _find(self, table: str, key: dict[str, Any]) -> _Item | None:
        return self._partitions.get((table, key["PK"]["S"]), {}).get(key["SK"]["S"])

    def _query(self, asked: dict[str, Any]) -> str:
        condition = _CONDITION.fullmatch(asked["KeyConditionExpression"])
        if condition is None or asked.keys() - _KNOWN:
            raise NotImplementedError(asked)
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        table, pk = asked["TableName"], values[":pk"]
        partition = self._partitions.get((table, pk), {})
        order = self._sorted(table, pk)
        first, end = 0, len(order)
        if condition["first"]:
            first = bisect_left(order, values[condition["first"]])
            end = bisect_right(order, values[condition["last"]])
        elif condition["most"]:
            end = bisect_right(order, values[condition["most"]])
        is_ascending = asked.get("ScanIndexForward", True)
        if start := asked.get("ExclusiveStartKey"):
            if is_ascending:
                first = max(first, bisect_right(order, start["SK"]["S"]))
            else:
                end = min(end, bisect_left(order, start["SK"]["S"]))
        indices = range(first, end) if is_ascending else range(end - 1, first - 1, -1)
        texts, size, more = [], 0, ""
        for index in indices:
            item = partition[order[index]]
            texts.append(item.projected(asked))
            size += item.size
            if size > _MAX_BYTES or len(texts) == asked.get("Limit"):
                key = {"PK": {"S": pk}, "SK": {"S": order[index]}}
                more = f',"LastEvaluatedKey":{json.dumps(key)}'
                break
        units = _units(size, asked.get("ConsistentRead", False))
        return (
            f'{{"Items":[{",".join(texts)}],"Count":{len(texts)},"ScannedCount":{len(texts)}{more},'
            f'"ConsumedCapacity":{{"TableName":"{table}","CapacityUnits":{units}}}}}'
        )

    def _sorted(self, table: str, pk: str) -> list[str]:
        order = self._order.get((table, pk))
        if order is None:
            order = self._order[table, pk] = sorted(self._partitions.get((table, pk), {}))
        return order


def _units(size: int, is_consistent: bool) -> float:
    rule = capacity.consistent_read_units if is_consistent else capacity.eventual_read_units
    return float(rule(size))
