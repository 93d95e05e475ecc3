"""DynamoDB's answers from memory, under a real botocore client: no network, no emulator.

botocore builds, signs and parses every request as ever; only the exchange is replaced. Knows the
requests that the updater makes and refuses all others, and counts capacity units by the published
rules. `seconds` is the CPU time spent in here, to be taken off what is measured around it.
"""

from __future__ import annotations

import copy
import json
import re
import time
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse

from benchmarks import capacity

_ABSENT = re.compile(r"attribute_not_exists\((\S+)\)")
_EQUAL = re.compile(r"(\S+) = (\S+)")
_UPDATE = re.compile(r"(?:SET (?P<set>.*?))?\s*(?:ADD (?P<add>.*))?")


@dataclass(slots=True)
class _Item:
    attributes: dict[str, dict[str, Any]]
    size: int


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body


def kind_of(pk: str) -> str:
    """What an analytics item is: page, rollup or open."""
    for mark, kind in (("#LEDGER#", "page"), ("#ROLLUP#", "rollup"), ("#OPEN#", "open")):
        if mark in pk:
            return kind
    return "other"


class MemoryDynamoDb:
    """Tables in memory. `attach` puts them under a client, `copy` forks them."""

    def __init__(self) -> None:
        self._partitions: dict[tuple[str, str], dict[str, _Item]] = {}
        self._order: dict[tuple[str, str], list[str]] = {}
        self.units: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.seconds = 0.0

    def copy(self) -> MemoryDynamoDb:
        """The same items, counters at zero."""
        fork = MemoryDynamoDb()
        fork._partitions = copy.deepcopy(self._partitions)
        fork._order = copy.deepcopy(self._order)
        return fork

    def attach(self, client: Any) -> None:
        client.meta.events.register("before-send.dynamodb", self._send)

    def put(self, table: str, item: dict[str, dict[str, Any]]) -> None:
        self._store(table, item, capacity.item_bytes(item))

    def sizes(self, table: str, kind: str) -> list[int]:
        """The sizes of all items of one kind."""
        return [
            item.size
            for (name, pk), partition in self._partitions.items()
            if name == table and kind_of(pk) == kind
            for item in partition.values()
        ]

    def all_items(self, table: str) -> Iterator[dict[str, dict[str, Any]]]:
        for (name, _), partition in self._partitions.items():
            if name == table:
                yield from (item.attributes for item in partition.values())

    def items_of(self, table: str, kind: str) -> list[dict[str, dict[str, Any]]]:
        return [
            self._partitions[name, pk][sk].attributes
            for (name, pk), order in self._order.items()
            if name == table and kind_of(pk) == kind
            for sk in order
        ]

    # -- the exchange ------------------------------------------------------------------------
    def _send(self, request: Any, **_: Any) -> AWSResponse:
        started = time.thread_time()
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        self.requests[operation] += 1
        status, answer = self.answer(operation, json.loads(request.body))
        body = json.dumps(answer).encode()
        headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(body))}
        self.seconds += time.thread_time() - started
        return AWSResponse(request.url, status, headers, _Raw(body))

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the answer to one request."""
        match operation:
            case "GetItem":
                return 200, self._get_item(asked)
            case "BatchGetItem":
                return 200, self._batch_get_item(asked)
            case "Query":
                return 200, self._query(asked)
            case "TransactWriteItems":
                return self._transact(asked)
        raise NotImplementedError(operation)

    def _find(self, table: str, pk: str, sk: str) -> _Item | None:
        return self._partitions.get((table, pk), {}).get(sk)

    def _store(self, table: str, attributes: dict[str, dict[str, Any]], size: int) -> None:
        pk, sk = attributes["PK"]["S"], attributes["SK"]["S"]
        partition = self._partitions.setdefault((table, pk), {})
        if sk not in partition:
            insort(self._order.setdefault((table, pk), []), sk)
        partition[sk] = _Item(attributes, size)

    def _read(self, what: str, size: int) -> None:
        self.units[f"read {what}"] += capacity.consistent_read_units(size)

    def _get_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = asked["Key"]
        item = self._find(asked["TableName"], key["PK"]["S"], key["SK"]["S"])
        self._read("other", item.size if item else 0)
        return {"Item": item.attributes} if item else {}

    def _batch_get_item(self, asked: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, list[Any]] = {}
        for table, request in asked["RequestItems"].items():
            found[table] = []
            for key in request["Keys"]:
                item = self._find(table, key["PK"]["S"], key["SK"]["S"])
                self._read(kind_of(key["PK"]["S"]), item.size if item else 0)
                if item:
                    found[table].append(item.attributes)
        return {"Responses": found, "UnprocessedKeys": {}}

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["KeyConditionExpression"] != "#pk = :pk AND #sk <= :position":
            raise NotImplementedError(asked["KeyConditionExpression"])
        values = asked["ExpressionAttributeValues"]
        pk = values[":pk"]["S"]
        order = self._order.get((asked["TableName"], pk), [])
        place = bisect_right(order, values[":position"]["S"])
        item = self._find(asked["TableName"], pk, order[place - 1]) if place else None
        self._read(kind_of(pk), item.size if item else 0)
        return {"Items": [item.attributes] if item else [], "Count": int(item is not None)}

    # -- writes ------------------------------------------------------------------------------
    def _transact(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        actions = [next(iter(action.items())) for action in asked["TransactItems"]]
        reasons = [{"Code": "None"} for _ in actions]
        for reason, (name, request) in zip(reasons, actions, strict=True):
            key = request["Item"] if name == "Put" else request["Key"]
            item = self._find(request["TableName"], key["PK"]["S"], key["SK"]["S"])
            if not self._holds(request, item.attributes if item else {}):
                reason["Code"] = "ConditionalCheckFailed"
        if any(reason["Code"] != "None" for reason in reasons):
            answer = {
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled",
                "CancellationReasons": reasons,
            }
            return 400, answer
        for name, request in actions:
            self._write(name, request)
        return 200, {}

    @staticmethod
    def _holds(request: dict[str, Any], item: dict[str, Any]) -> bool:
        names = request.get("ExpressionAttributeNames", {})
        for clause in filter(None, request.get("ConditionExpression", "").split(" AND ")):
            if absent := _ABSENT.fullmatch(clause):
                if names.get(absent[1], absent[1]) in item:
                    return False
            elif equal := _EQUAL.fullmatch(clause):
                wanted = request["ExpressionAttributeValues"][equal[2]]
                if item.get(names.get(equal[1], equal[1])) != wanted:
                    return False
            else:
                raise NotImplementedError(clause)
        return True

    def _write(self, name: str, request: dict[str, Any]) -> None:
        table = request["TableName"]
        key = request["Item"] if name == "Put" else request["Key"]
        pk = key["PK"]["S"]
        stored = self._find(table, pk, key["SK"]["S"])
        before = stored.size if stored else 0
        if name == "Put":
            after = capacity.item_bytes(request["Item"])
            self._store(table, request["Item"], after)
        elif name == "Update":
            after = self._update(request, stored)
        else:
            raise NotImplementedError(name)
        kind = kind_of(pk)
        self.items[kind] += 1
        self.units[kind] += capacity.transactional_write_units(max(before, after))
        if stored is None:
            self.units["index"] += 1  # its entry in the keys-only index

    def _update(self, request: dict[str, Any], stored: _Item | None) -> int:
        if stored is None:
            attributes = dict(request["Key"])
            stored = _Item(attributes, capacity.item_bytes(attributes))
            self._store(request["TableName"], attributes, stored.size)
            stored = self._find(request["TableName"], attributes["PK"]["S"], attributes["SK"]["S"])
            assert stored is not None
        names = request["ExpressionAttributeNames"]
        values = request["ExpressionAttributeValues"]
        clauses = _UPDATE.fullmatch(request["UpdateExpression"])
        if clauses is None:
            raise NotImplementedError(request["UpdateExpression"])
        changed = {}
        for term in filter(None, (clauses["set"] or "").split(", ")):
            name, value = term.split(" = ")
            changed[names[name]] = values[value]
        for term in filter(None, (clauses["add"] or "").split(", ")):
            name, value = term.split(" ")
            total = int(stored.attributes.get(names[name], {"N": "0"})["N"])
            total += int(values[value]["N"])
            changed[names[name]] = {"N": str(total)}
        for name, attribute in changed.items():
            old = stored.attributes.get(name)
            stored.size += capacity.value_bytes(attribute)
            stored.size -= capacity.value_bytes(old) if old else -len(name.encode())
            stored.attributes[name] = attribute
        return stored.size
