"""The benchmarks' DynamoDB in memory, with every read that an analytics function makes.

Answers may be cut small, as DynamoDB cuts them at 1 MB, so that a dataset of a few kilobytes takes
every path that one of gigabytes would. What it does not know it refuses.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from benchmarks import capacity
from benchmarks.expressions import Attributes, BadUpdate
from benchmarks.memory_dynamodb import MemoryDynamoDb as Writes
from benchmarks.memory_dynamodb import Refusal, refuse_others
from rollcall.storage.guard import refuse_foreign_keys

_CONDITION = re.compile(r"(#?\w+) = (:\w+)(?: AND (.+))?")
_BETWEEN = re.compile(r"(#?\w+) BETWEEN (:\w+) AND (:\w+)")
_BEGINS = re.compile(r"begins_with\((#?\w+), ?(:\w+)\)")
_COMPARED = re.compile(r"(#?\w+) (<|<=|=|>=|>) (:\w+)")
_COMPARISONS: dict[str, Callable[[bytes, bytes], bool]] = {
    "<": lambda key, value: key < value,
    "<=": lambda key, value: key <= value,
    "=": lambda key, value: key == value,
    ">=": lambda key, value: key >= value,
    ">": lambda key, value: key > value,
}
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
# Both tables' index: its keys, then the table's, and nothing else of an item.
_INDEX = "GSI1"
_INDEX_KEYS = ("GSI1PK", "GSI1SK", "PK", "SK")


class MemoryDynamoDb(Writes):
    """Tables in memory.

    A Query stops once it has read `answer_bytes`; a BatchGetItem leaves what is beyond
    `batch_keys` keys unprocessed. `items_read` and `read_units` say what was read, whether or not
    it was reported.
    """

    def __init__(self, answer_bytes: int = 1024 * 1024, batch_keys: int = 100) -> None:
        super().__init__()
        self.answer_bytes = answer_bytes
        self.batch_keys = batch_keys
        self.items_read = 0
        self.read_units = 0.0
        self._before: dict[tuple[str, str], dict[str, Any]] = {}
        self._lag: Random | None = None
        self._lock = threading.Lock()

    def lag_behind(self, random: Random) -> None:
        """From now on let reads that are not consistent find some items as they are at this moment.

        Each such read draws again, for every item.
        """
        self._before = self.snapshot()
        self._lag = random

    def catch_up(self) -> None:
        """From now on let every read find what is stored."""
        self._before, self._lag = {}, None

    def forget_reads(self) -> None:
        self.items_read, self.read_units = 0, 0.0

    def clear(self) -> None:
        self._partitions.clear()
        self._order.clear()
        self.catch_up()

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "GetItem":
                return self._get(asked)
            case "BatchGetItem":
                return self._batch_get(asked)
            case "Query" if "IndexName" in asked:
                return self._search_index(asked)
            case "Query":
                return self._search(asked)
        return super().answer(operation, asked)

    def _get(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, _GET)
        item, size = self._at(asked["TableName"], asked["Key"], asked)
        answer = self._consumed(asked, asked["TableName"], int(item is not None), [[size]])
        return answer | ({"Item": _projected(item, asked)} if item is not None else {})

    def _batch_get(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, {"RequestItems", "ReturnConsumedCapacity"})
        ((table, request),) = asked["RequestItems"].items()
        refuse_others(request, {"Keys", "ConsistentRead"} | _PROJECTED)
        wanted = request["Keys"]
        if not 1 <= len(wanted) <= 100 or len({str(key) for key in wanted}) != len(wanted):
            raise NotImplementedError("1 to 100 keys, each once")
        now, later = wanted[: self.batch_keys], wanted[self.batch_keys :]
        found = [self._at(table, key, request) for key in now]
        items = [_projected(item, request) for item, _ in found if item is not None]
        reads = [[size] for _, size in found]
        consumed = self._consumed(asked | request, table, len(items), reads)
        return {
            "Responses": {table: items},
            "UnprocessedKeys": {table: request | {"Keys": later}} if later else {},
            **({"ConsumedCapacity": [consumed["ConsumedCapacity"]]} if consumed else {}),
        }

    def _search(self, asked: dict[str, Any]) -> dict[str, Any]:
        refuse_others(asked, _QUERY)
        table = asked["TableName"]
        pk, holds = _key_condition(asked)
        seen = self._seen(table, pk, asked)
        order = sorted((sk for sk in seen if holds(sk.encode())), key=str.encode)
        if not asked.get("ScanIndexForward", True):
            order.reverse()
        if start := asked.get("ExclusiveStartKey"):
            if start["PK"]["S"] != pk:
                raise NotImplementedError("a start key of another partition")
            after = start["SK"]["S"].encode()
            forward = asked.get("ScanIndexForward", True)
            order = [
                sk for sk in order if (sk.encode() > after if forward else sk.encode() < after)
            ]
        items: list[Attributes] = []
        sizes: list[int] = []
        is_cut = False
        for sk in order:
            stored = seen[sk]
            items.append(stored.attributes)
            sizes.append(stored.size)
            if len(items) == asked.get("Limit") or sum(sizes) >= self.answer_bytes:
                is_cut = True  # DynamoDB says so even where nothing follows
                break
        answer: dict[str, Any] = {
            "Items": [_projected(item, asked) for item in items],
            "Count": len(items),
            "ScannedCount": len(items),
            **self._consumed(asked, table, len(items), [sizes]),
        }
        if is_cut:
            answer["LastEvaluatedKey"] = {name: items[-1][name] for name in ("PK", "SK")}
        return answer

    def _search_index(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A Query of the sparse index that both tables have: keys only, never consistent."""
        refuse_others(asked, _QUERY)
        if asked["IndexName"] != _INDEX or asked.get("ConsistentRead"):
            raise Refusal("ValidationException", "no such index, or a consistent read of it")
        table = asked["TableName"]
        pk, holds = _key_condition(asked, "GSI1PK", "GSI1SK")
        entries = [
            {name: item.attributes[name] for name in _INDEX_KEYS}
            for (name, partition) in list(self._partitions)
            if name == table
            for item in self._seen(table, partition, asked).values()
            if item.attributes.get("GSI1PK") == {"S": pk} and "GSI1SK" in item.attributes
        ]
        entries = [entry for entry in entries if holds(entry["GSI1SK"]["S"].encode())]
        entries.sort(key=_index_order, reverse=not asked.get("ScanIndexForward", True))
        if start := asked.get("ExclusiveStartKey"):
            after = _index_order(start)
            is_forward = asked.get("ScanIndexForward", True)
            entries = [
                entry
                for entry in entries
                if (_index_order(entry) > after if is_forward else _index_order(entry) < after)
            ]
        sizes = list(itertools.accumulate(capacity.item_bytes(entry) for entry in entries))
        most = sum(size < self.answer_bytes for size in sizes) + 1
        most = min(most, asked.get("Limit", most))
        kept = entries[:most]
        answer: dict[str, Any] = {
            "Items": [_projected(entry, asked) for entry in kept],
            "Count": len(kept),
            **self._consumed(asked, table, len(kept), [sizes[len(kept) - 1 : len(kept)]]),
        }
        if len(entries) > len(kept):
            answer["LastEvaluatedKey"] = kept[-1]
        return answer

    def _consumed(
        self, asked: dict[str, Any], table: str, items: int, reads: Sequence[Sequence[int]]
    ) -> dict[str, Any]:
        """Count some reads, each of the sizes of items that were read together; what is reported."""
        units: float = sum(capacity.consistent_read_units(sum(sizes)) for sizes in reads)
        if not asked.get("ConsistentRead", False):
            units /= 2
        with self._lock:
            self.items_read += items
            self.read_units += units
        if asked.get("ReturnConsumedCapacity", "NONE") == "NONE":
            return {}
        if asked["ReturnConsumedCapacity"] != "TOTAL":
            raise NotImplementedError(asked["ReturnConsumedCapacity"])
        return {"ConsumedCapacity": {"TableName": table, "CapacityUnits": units}}

    def _at(
        self, table: str, key: Attributes, asked: dict[str, Any]
    ) -> tuple[Attributes | None, int]:
        if key.keys() != {"PK", "SK"}:
            raise NotImplementedError(f"a key of {sorted(key)}")
        stored = self._seen(table, key["PK"]["S"], asked).get(key["SK"]["S"])
        return (stored.attributes, stored.size) if stored else (None, 0)

    def _seen(self, table: str, pk: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A partition as a read finds it."""
        now = self._partitions.get((table, pk), {})
        if self._lag is None or asked.get("ConsistentRead", False):
            return now
        before = self._before.get((table, pk), {})
        with self._lock:
            found = {
                sk: (before if self._lag.randint(0, 1) else now).get(sk) for sk in now | before
            }
        return {sk: item for sk, item in found.items() if item is not None}


def _index_order(entry: Attributes) -> tuple[str, ...]:
    return tuple(entry[name]["S"] for name in _INDEX_KEYS[1:])


def _projected(item: Attributes, asked: dict[str, Any]) -> Attributes:
    if "ProjectionExpression" not in asked:
        return item
    names = asked.get("ExpressionAttributeNames", {})
    terms = [term.strip() for term in asked["ProjectionExpression"].split(",")]
    wanted = {names.get(term, term) for term in terms}
    return {name: value for name, value in item.items() if name in wanted}


def _key_condition(
    asked: dict[str, Any], pk_name: str = "PK", sk_name: str = "SK"
) -> tuple[str, Callable[[bytes], bool]]:
    """The partition, and which sort keys of it are asked for; keys compare by their UTF-8 bytes."""
    names = asked.get("ExpressionAttributeNames", {})
    values = asked["ExpressionAttributeValues"]
    expression = asked["KeyConditionExpression"]
    whole = _CONDITION.fullmatch(expression)
    if whole is None or names.get(whole[1], whole[1]) != pk_name:
        raise NotImplementedError(expression)
    pk, rest = values[whole[2]]["S"], whole[3]

    def value(name: str) -> bytes:
        return str(values[name]["S"]).encode()

    if rest is None:
        return pk, lambda key: True
    for pattern in (_BETWEEN, _BEGINS, _COMPARED):
        if match := pattern.fullmatch(rest):
            break
    else:
        raise NotImplementedError(expression)
    if names.get(match[1], match[1]) != sk_name:
        raise NotImplementedError(expression)
    if pattern is _BETWEEN:
        return pk, lambda key: value(match[2]) <= key <= value(match[3])
    if pattern is _BEGINS:
        return pk, lambda key: key.startswith(value(match[2]))
    compare = _COMPARISONS[match[2]]
    return pk, lambda key: compare(key, value(match[3]))


class MemoryClient:
    """The methods of botocore's client over a store, without building, signing and parsing.

    Guarded as the product's client is, and its errors are botocore's. `around(operation, send)`
    runs every request, and may raise before or after it. Binary attributes are bytes.
    """

    def __init__(
        self,
        store: MemoryDynamoDb,
        around: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]] | None = None,
    ) -> None:
        self.store = store
        self.around = around or (lambda _operation, send: send())
        self._tokens = itertools.count()

    def get_item(self, **asked: Any) -> dict[str, Any]:
        return self.request("GetItem", asked)

    def batch_get_item(self, **asked: Any) -> dict[str, Any]:
        return self.request("BatchGetItem", asked)

    def query(self, **asked: Any) -> dict[str, Any]:
        return self.request("Query", asked)

    def scan(self, **asked: Any) -> dict[str, Any]:
        return self.request("Scan", asked)

    def put_item(self, **asked: Any) -> dict[str, Any]:
        return self.request("PutItem", asked)

    def update_item(self, **asked: Any) -> dict[str, Any]:
        return self.request("UpdateItem", asked)

    def delete_item(self, **asked: Any) -> dict[str, Any]:
        return self.request("DeleteItem", asked)

    def batch_write_item(self, **asked: Any) -> dict[str, Any]:
        return self.request("BatchWriteItem", asked)

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        return self.request("TransactWriteItems", asked)

    def request(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Send one request, as often as `attempts` says, under one token if it is a transaction."""
        refuse_foreign_keys(asked, SimpleNamespace(name=operation))
        if operation == "TransactWriteItems":
            asked = {"ClientRequestToken": f"token-{next(self._tokens)}", **asked}
        return self.attempts(operation, asked)

    def attempts(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Send a request; raises ClientError when it is refused."""
        return self.around(operation, lambda: self.send(operation, asked))

    def send(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One exchange with the store."""
        try:
            return self.store.answer(operation, asked)
        except Refusal as refusal:
            raise client_error(operation, 400, refusal.answer) from None
        except BadUpdate as bad:
            answer = Refusal("ValidationException", str(bad)).answer
            raise client_error(operation, 400, answer) from None


def client_error(operation: str, status: int, answer: dict[str, Any]) -> ClientError:
    """The error that botocore makes of an answer."""
    members = {name: value for name, value in answer.items() if name not in ("__type", "message")}
    code = str(answer["__type"]).rpartition("#")[2]
    response = {
        "Error": {"Code": code, "Message": answer.get("message", "")},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0},
        **members,
    }
    return ClientError(response, operation)
