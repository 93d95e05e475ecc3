"""Queries and batched reads, and the capacity that they consume."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from rollcall.domain.errors import Unavailable
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import with_retries
from rollcall.storage.guard import PARTITION_VALUE

_MAX_KEYS: Final = 100  # BatchGetItem's own limit


def batch_get(
    client: Any,
    table: str,
    wanted: Iterable[keys.Key],
    backoff: Backoff,
    meter: ReadMeter | None = None,
    projection: Mapping[str, Any] = MappingProxyType({}),
    *,
    is_consistent: bool = True,
) -> list[Item]:
    """The items that exist among `wanted`, in no particular order.

    `projection` are the attributes to read (see `projected`); by default, all are.
    Keys that DynamoDB leaves unprocessed are requested again. Raises Unavailable when some stay
    unprocessed, so an item that is missing from the result is missing from the table.
    """
    items: list[Item] = []
    for chunk in chunks(dict.fromkeys(wanted)):
        left = [key.attributes() for key in chunk]
        attempts = backoff.attempts()
        while left:
            backoff.check()
            asked = {table: {"Keys": left, "ConsistentRead": is_consistent, **projection}}
            request = partial(
                client.batch_get_item, RequestItems=asked, ReturnConsumedCapacity="TOTAL"
            )
            answer = with_retries(backoff, request)
            found = answer["Responses"].get(table, [])
            items.extend(found)
            if meter is not None:
                meter.count(len(found), consumed_units(answer))
            left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if left:
                attempts.failed(Unavailable("unprocessed keys"))
    return items


def index_keys(
    client: Any, table: str, backoff: Backoff, partition: str, kind: str | None = None
) -> Iterator[keys.Key]:
    """The primary keys that GSI1 lists in a partition, of one kind or all; see `index_entries`."""
    return map(key_of, index_entries(client, table, backoff, partition, kind))


def index_entries(
    client: Any, table: str, backoff: Backoff, partition: str, kind: str | None = None
) -> Iterator[Item]:
    """The entries of a partition of GSI1, keys only, of one kind (see `keys.index_sort`) or all.

    The index is about a second behind the table, so an item that was just written may be missing,
    and one that was just removed may still be listed.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": keys.GSI1,
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": keys.GSI1PK},
        "ExpressionAttributeValues": {PARTITION_VALUE: {"S": partition}},
    }
    if kind is not None:
        request["KeyConditionExpression"] += " AND begins_with(#sk, :kind)"
        request["ExpressionAttributeNames"]["#sk"] = keys.GSI1SK
        request["ExpressionAttributeValues"][":kind"] = {"S": kind}
    for answer in pages_of(client, request, backoff):
        yield from answer["Items"]


def keys_under(client: Any, table: str, backoff: Backoff, partition: str) -> Iterator[keys.Key]:
    """The primary keys of a partition, read consistently, in order of the sort key."""
    request: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "KeyConditionExpression": "#pk = :pk",
        "ProjectionExpression": "#pk, #sk",
        "ExpressionAttributeNames": {"#pk": keys.PK, "#sk": keys.SK},
        "ExpressionAttributeValues": {PARTITION_VALUE: {"S": partition}},
    }
    for answer in pages_of(client, request, backoff):
        yield from map(key_of, answer["Items"])


def key_of(item: Item) -> keys.Key:
    """The primary key of an item."""
    return keys.Key(av.text(item, keys.PK), av.text(item, keys.SK))


def pages_of(client: Any, request: dict[str, Any], backoff: Backoff) -> Iterator[dict[str, Any]]:
    """Every answer to a Query, one (1 MB) in memory at a time.

    Raises Unavailable when a request fails in every retry: the result is never silently incomplete.
    """
    request = dict(request)
    while True:
        backoff.check()
        answer = with_retries(backoff, partial(client.query, **request))
        yield answer
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def keys_between(partition: str, first: str, last: str) -> dict[str, Any]:
    """A Query for the items of a partition whose sort keys are between two, both included."""
    return _query("#pk = :pk AND #sk BETWEEN :first AND :last", partition, first=first, last=last)


def page_at(partition: str, position: str) -> dict[str, Any]:
    """A Query for the last item of a partition whose sort key is at or before a position."""
    at_or_before = _query("#pk = :pk AND #sk <= :position", partition, position=position)
    return at_or_before | {"ScanIndexForward": False, "Limit": 1}


def _query(condition: str, partition: str, **values: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#pk": keys.PK, "#sk": keys.SK},
        "ExpressionAttributeValues": {
            PARTITION_VALUE: {"S": partition},
            **{f":{name}": {"S": value} for name, value in values.items()},
        },
    }


def projected(names: Iterable[str]) -> dict[str, Any]:
    """The part of a request that reads some attributes only."""
    wanted = {f"#{n}": name for n, name in enumerate(dict.fromkeys(names))}
    return {"ProjectionExpression": ", ".join(wanted), "ExpressionAttributeNames": wanted}


def consumed_units(answer: dict[str, Any]) -> float:
    """The capacity units a request consumed, summed over tables."""
    capacity = answer.get("ConsumedCapacity") or []
    entries = capacity if isinstance(capacity, list) else [capacity]
    return float(sum(entry.get("CapacityUnits", 0.0) for entry in entries))


def chunks(wanted: Iterable[keys.Key]) -> Iterator[list[keys.Key]]:
    """Keys in as many parts as requests are needed to read them."""
    iterator = iter(wanted)
    while chunk := list(islice(iterator, _MAX_KEYS)):
        yield chunk
