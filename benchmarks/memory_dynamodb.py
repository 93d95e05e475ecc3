"""DynamoDB's answers from memory, under a real botocore client: no network, no emulator.

botocore builds, signs and parses every request as ever; only the exchange is replaced. Knows the
requests that the updater makes, and every kind of write; refuses all others. Counts capacity units
by the published rules. `seconds` is the CPU time spent in here, to be taken off what is measured
around it.

Stored items are never changed in place, so what a reader was given stays as it was.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse

from benchmarks import capacity
from benchmarks.expressions import Attributes, BadUpdate, condition, updated

_MAX_ITEM_BYTES = 400 * 1024
_TOKEN_MS = 600_000
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_TOO_LARGE = "Item size to update has exceeded the maximum allowed size"

_KEYED = {"TableName", "Key"}
_CONDITIONAL = {
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
}
_KNOWN_PARAMETERS = {
    "Put": {"TableName", "Item"} | _CONDITIONAL,
    "Update": _KEYED | _CONDITIONAL | {"UpdateExpression"},
    "Delete": _KEYED | _CONDITIONAL,
    "ConditionCheck": _KEYED | _CONDITIONAL,
}


@dataclass(frozen=True, slots=True)
class _Item:
    attributes: Attributes
    size: int


class Refusal(Exception):
    """An error that DynamoDB answers with."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}
        self.answer |= members


def refuse_others(asked: dict[str, Any], known: set[str]) -> None:
    """Raises NotImplementedError on a parameter that nobody here looks at."""
    if unknown := asked.keys() - known:
        raise NotImplementedError(f"{sorted(unknown)}")


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

    # The real limits of one transaction.
    most_actions = 100
    most_transaction_bytes = 4 * 1024 * 1024

    def __init__(self) -> None:
        self._partitions: dict[tuple[str, str], dict[str, _Item]] = {}
        self._order: dict[tuple[str, str], list[str]] = {}
        self.units: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.seconds = 0.0
        # Called with every write that is made: the table, the item before and after (None: absent).
        self.on_write: Callable[[str, Attributes | None, Attributes | None], None] | None = None
        # How DynamoDB tells the time that a ClientRequestToken is remembered for.
        self.now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        self._tokens: dict[str, tuple[int, list[Any]]] = {}

    def copy(self) -> MemoryDynamoDb:
        """The same items, counters at zero."""
        fork = MemoryDynamoDb()
        fork.restore(self.snapshot())
        return fork

    def snapshot(self, table: str | None = None) -> dict[tuple[str, str], dict[str, _Item]]:
        """What is stored now, in all tables or in one."""
        return {
            place: dict(partition)
            for place, partition in self._partitions.items()
            if table in (None, place[0])
        }

    def restore(
        self, snapshot: dict[tuple[str, str], dict[str, _Item]], table: str | None = None
    ) -> None:
        """Put back what was stored, as a restored backup does: no listener is called."""
        for place in [place for place in self._partitions if table in (None, place[0])]:
            del self._partitions[place], self._order[place]
        for place, partition in snapshot.items():
            self._partitions[place] = dict(partition)
            self._order[place] = sorted(partition)

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

    def item(self, table: str, pk: str, sk: str) -> dict[str, dict[str, Any]]:
        """One item. Raises KeyError where there is none."""
        return self._partitions[table, pk][sk].attributes

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
        status, answer = self.exchange(operation, json.loads(request.body))
        body = json.dumps(answer).encode()
        headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(body))}
        self.seconds += time.thread_time() - started
        return AWSResponse(request.url, status, headers, _Raw(body))

    def exchange(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the answer to one request."""
        try:
            return 200, self.answer(operation, asked)
        except Refusal as refusal:
            return 400, refusal.answer
        except BadUpdate as bad:
            return 400, Refusal("ValidationException", str(bad)).answer

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request. Raises Refusal or BadUpdate."""
        match operation:
            case "GetItem":
                return self._get_item(asked)
            case "BatchGetItem":
                return self._batch_get_item(asked)
            case "Query":
                return self._query(asked)
            case "TransactWriteItems":
                return self._transact(asked)
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._write_one(operation.removesuffix("Item"), asked)
            case "BatchWriteItem":
                return self._batch_write(asked)
        raise NotImplementedError(operation)

    def _find(self, table: str, pk: str, sk: str) -> _Item | None:
        return self._partitions.get((table, pk), {}).get(sk)

    def _store(self, table: str, attributes: Attributes, size: int) -> None:
        pk, sk = attributes["PK"]["S"], attributes["SK"]["S"]
        partition = self._partitions.setdefault((table, pk), {})
        stored = partition.get(sk)
        if stored is None:
            insort(self._order.setdefault((table, pk), []), sk)
        partition[sk] = _Item(attributes, size)
        if self.on_write is not None:
            self.on_write(table, stored.attributes if stored else None, attributes)

    def _remove(self, table: str, pk: str, sk: str) -> None:
        stored = self._partitions.get((table, pk), {}).pop(sk, None)
        if stored is not None:
            order = self._order[table, pk]
            del order[bisect_left(order, sk)]
            if self.on_write is not None:
                self.on_write(table, stored.attributes, None)

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
    def _transact(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, {"TransactItems", "ClientRequestToken"})
        if self._was_made(asked):
            return {}
        actions = [next(iter(action.items())) for action in asked["TransactItems"]]
        self._check_transaction(actions)
        self._refuse_failed([self._failure(name, request) for name, request in actions])
        # Computed before any is made, so that one that is refused leaves nothing behind.
        try:
            results = [self._result(name, request) for name, request in actions]
        except BadUpdate:
            wrong_type = {"Code": "ValidationError", "Message": _WRONG_TYPE}
            self._refuse_failed([wrong_type])
            raise
        too_large = {"Code": "ValidationError", "Message": _TOO_LARGE}
        self._refuse_failed(
            [too_large if r is not None and r.size > _MAX_ITEM_BYTES else None for r in results]
        )
        if sum(result.size for result in results if result) > self.most_transaction_bytes:
            raise Refusal("ValidationException", "the transaction is too large")
        for (name, request), result in zip(actions, results, strict=True):
            if name != "ConditionCheck":
                self._make(name, request, result, is_transaction=True)
        if token := asked.get("ClientRequestToken"):
            self._tokens[token] = (self.now_ms() + _TOKEN_MS, asked["TransactItems"])
            if len(self._tokens) > 1_000:
                del self._tokens[next(iter(self._tokens))]
        return {}

    def _failure(self, name: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Why an action's condition fails; None when it holds."""
        item = self._item_of(name, request)
        if self._holds(request, item):
            return None
        shows = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
        return {"Code": "ConditionalCheckFailed", **({"Item": item} if shows else {})}

    @staticmethod
    def _refuse_failed(failures: list[dict[str, Any] | None]) -> None:
        if any(failures):
            raise Refusal(
                "TransactionCanceledException",
                "Transaction cancelled",
                CancellationReasons=[failure or {"Code": "None"} for failure in failures],
            )

    def _was_made(self, asked: dict[str, Any]) -> bool:
        """Whether a transaction is the repetition of one that was made in the last ten minutes."""
        until_ms, items = self._tokens.get(asked.get("ClientRequestToken", ""), (0, []))
        if until_ms <= self.now_ms():
            return False
        if items != asked["TransactItems"]:
            raise Refusal("IdempotentParameterMismatchException", "another request had that token")
        return True

    def _check_transaction(self, actions: list[tuple[str, dict[str, Any]]]) -> None:
        for name, request in actions:
            refuse_others(request, _KNOWN_PARAMETERS[name])
        keys = {
            (request["TableName"], *_key(request["Item"] if name == "Put" else request["Key"]))
            for name, request in actions
        }
        if not 1 <= len(actions) <= self.most_actions or len(keys) != len(actions):
            raise Refusal("ValidationException", "too many actions, or two on one item")

    def _write_one(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        known = _KNOWN_PARAMETERS[name] | {"ReturnConsumedCapacity", "ReturnValues"}
        refuse_others(asked, known)
        if asked.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD", "ALL_NEW"):
            raise NotImplementedError(asked["ReturnValues"])
        item = self._item_of(name, asked)
        if not self._holds(asked, item):
            shows = asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
            raise Refusal(
                "ConditionalCheckFailedException",
                "The conditional request failed",
                **({"Item": item} if shows else {}),
            )
        result = self._result(name, asked)
        if result is not None and result.size > _MAX_ITEM_BYTES:
            raise Refusal("ValidationException", _TOO_LARGE)
        self._make(name, asked, result)
        match asked.get("ReturnValues"):
            case "ALL_OLD" if item:
                return {"Attributes": item}
            case "ALL_NEW" if result:
                return {"Attributes": result.attributes}
        return {}

    def _batch_write(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, {"RequestItems", "ReturnConsumedCapacity"})
        requests = []
        for table, entries in asked["RequestItems"].items():
            for entry in entries:
                ((kind, request),) = entry.items()
                requests.append((kind.removesuffix("Request"), {"TableName": table, **request}))
        keys = {
            (request["TableName"], *_key(request["Item"] if name == "Put" else request["Key"]))
            for name, request in requests
        }
        if not 1 <= len(requests) <= 25 or len(keys) != len(requests):
            raise Refusal("ValidationException", "1 to 25 requests, each on an item of its own")
        for name, request in requests:
            if name not in ("Put", "Delete"):
                raise NotImplementedError(name)
            refuse_others(request, {"TableName", "Item", "Key"})
            result = self._result(name, request)
            if result is not None and result.size > _MAX_ITEM_BYTES:
                raise Refusal("ValidationException", _TOO_LARGE)
            self._make(name, request, result)
        return {"UnprocessedItems": {}}

    def _item_of(self, name: str, request: dict[str, Any]) -> Attributes:
        pk, sk = _key(request["Item"] if name == "Put" else request["Key"])
        stored = self._find(request["TableName"], pk, sk)
        return stored.attributes if stored else {}

    @staticmethod
    def _holds(request: dict[str, Any], item: Attributes) -> bool:
        expression = request.get("ConditionExpression")
        if expression is None:
            return True
        names = request.get("ExpressionAttributeNames", {})
        return condition(expression)(item, names, request.get("ExpressionAttributeValues", {}))

    def _result(self, name: str, request: dict[str, Any]) -> _Item | None:
        """The item that a write leaves. Raises Refusal, or BadUpdate."""
        match name:
            case "Put":
                result = dict(request["Item"])
            case "Update":
                stored = self._find(request["TableName"], *_key(request["Key"]))
                if stored is None:
                    key = dict(request["Key"])
                    stored = _Item(key, capacity.item_bytes(key))
                result = updated(
                    stored.attributes,
                    request["UpdateExpression"],
                    request.get("ExpressionAttributeNames", {}),
                    request.get("ExpressionAttributeValues", {}),
                )
                return _Item(result, stored.size + _growth(stored.attributes, result))
            case "Delete" | "ConditionCheck":
                return None
            case _:
                raise NotImplementedError(name)
        if not all(_key(result)):
            raise Refusal("ValidationException", "an empty key")
        return _Item(result, capacity.item_bytes(result))

    def _make(
        self,
        name: str,
        request: dict[str, Any],
        result: _Item | None,
        *,
        is_transaction: bool = False,
    ) -> None:
        table = request["TableName"]
        pk, sk = _key(request["Item"] if name == "Put" else request["Key"])
        stored = self._find(table, pk, sk)
        before = stored.size if stored else 0
        after = result.size if result else 0
        if result is None:
            self._remove(table, pk, sk)
        else:
            self._store(table, result.attributes, after)
        kind = kind_of(pk)
        units = capacity.transactional_write_units if is_transaction else capacity.write_units
        self.items[kind] += 1
        self.units[kind] += units(max(before, after))
        if stored is None and result is not None:
            self.units["index"] += 1  # its entry in the keys-only index


def _growth(before: Attributes, after: Attributes) -> int:
    """Bytes that an item grew by, counting what is not the very same attribute."""
    grown = 0
    for name, value in after.items():
        old = before.get(name)
        if old is not value:
            grown += capacity.value_bytes(value)
            grown -= capacity.value_bytes(old) if old is not None else -len(name.encode())
    gone = {name: before[name] for name in before.keys() - after.keys()}
    return grown - capacity.item_bytes(gone)


def _key(attributes: Attributes) -> tuple[str, str]:
    return attributes["PK"]["S"], attributes["SK"]["S"]
