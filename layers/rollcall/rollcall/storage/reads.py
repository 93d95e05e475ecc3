"""Batched reads, and the count of what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from rollcall.domain.errors import Unavailable
from rollcall.domain.metering import ReadMeter
from rollcall.ledger.backoff import Backoff
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import patiently
from rollcall.storage.guard import PARTITION_VALUE

_MOST_KEYS: Final = 100  # BatchGetItem's own limit


def batch_get(
    client: Any,
    table: str,
    wanted: Iterable[keys.Key],
    backoff: Backoff,
    meter: ReadMeter | None = None,
) -> list[Item]:
    """The items that exist among `wanted`, read consistently, in no particular order.

    Keys that DynamoDB leaves unprocessed are asked for again; raises Unavailable when some stay
    unprocessed, so what is missing from the answer is missing from the table.
    """
    items: list[Item] = []
    for chunk in _chunks(dict.fromkeys(wanted)):
        left = [{keys.PK: {"S": key.pk}, keys.SK: {"S": key.sk}} for key in chunk]
        failures = 0
        while left:
            backoff.check()
            asked = {table: {"Keys": left, "ConsistentRead": True}}
            request = partial(
                client.batch_get_item, RequestItems=asked, ReturnConsumedCapacity="TOTAL"
            )
            answer = patiently(backoff, request)
            found = answer["Responses"].get(table, [])
            items.extend(found)
            if meter is not None:
                meter.count(len(found), consumed_units(answer))
            left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if left:
                failures += 1
                backoff.pause(failures, Unavailable("unprocessed keys"))
    return items


def keys_between(partition: str, first: str, last: str) -> dict[str, Any]:
    """A Query for the items of a partition whose sort keys lie between two, both included."""
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


def consumed_units(answer: dict[str, Any]) -> float:
    """The capacity units a request consumed, summed over tables."""
    capacity = answer.get("ConsumedCapacity") or []
    entries = capacity if isinstance(capacity, list) else [capacity]
    return float(sum(entry.get("CapacityUnits", 0.0) for entry in entries))


def _chunks(wanted: Iterable[keys.Key]) -> Iterator[list[keys.Key]]:
    iterator = iter(wanted)
    while chunk := list(islice(iterator, _MOST_KEYS)):
        yield chunk
