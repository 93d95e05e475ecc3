"""The states of calls that hooks report, as items of the records table.

The event source of the update function filters them out by their sort keys. While a call has no end,
GSI1 lists its state by the time of its last event; all others cost the index nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from rollcall.domain.organisations import tenant
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors, with_retries
from rollcall.storage.conditions import VERSION, version_unchanged
from rollcall.storage.guard import PARTITION_VALUE
from rollcall.storage.queries import key_of, keys_between, pages_of


class HookStates:
    """The states of the calls of all hooks (`rollcall.hooks.ports.States`)."""

    def __init__(self, client: Any, table: str, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._backoff = backoff

    def read(self, org_id: str, key: str, call_id: str) -> tuple[str | None, int]:
        """The state of a call and its version, read consistently; (None, 0) if nothing is stored."""
        request = partial(
            self._client.get_item,
            TableName=self._table,
            Key=keys.hook_state(org_id, key, call_id).attributes(),
            ConsistentRead=True,
        )
        item = with_retries(self._backoff, request).get("Item")
        return (av.text(item, "state"), av.integer(item, VERSION)) if item else (None, 0)

    def write(
        self,
        org_id: str,
        key: str,
        call_id: str,
        text: str,
        version: int,
        open_since_ms: int | None,
    ) -> None:
        """Store a state in place of the version read; see `States`. Raises Conflict, Unavailable."""
        place = keys.hook_state(org_id, key, call_id)
        values = {keys.PK: place.pk, keys.SK: place.sk, "state": text, VERSION: version + 1}
        if open_since_ms is not None:
            values[keys.GSI1PK] = keys.open_calls(org_id, key)
            values[keys.GSI1SK] = keys.open_since(open_since_ms)
        with translated_errors():
            self._client.put_item(
                TableName=self._table, Item=av.to_item(values), **version_unchanged(version)
            )

    def open_calls(self, org_id: str, key: str, before_ms: int) -> Iterator[str]:
        """The calls of a hook without an end and without an event since a time, longest first.

        The index is about a second behind. Raises Unavailable.
        """
        request = {
            "TableName": self._table,
            "IndexName": keys.GSI1,
            "KeyConditionExpression": "#pk = :pk AND #sk < :before",
            "ExpressionAttributeNames": {"#pk": keys.GSI1PK, "#sk": keys.GSI1SK},
            "ExpressionAttributeValues": {
                PARTITION_VALUE: {"S": keys.open_calls(org_id, key)},
                ":before": {"S": keys.open_since(before_ms)},
            },
        }
        for answer in pages_of(self._client, request, self._backoff):
            yield from (keys.call_of_hook_state(key_of(item).sk) for item in answer["Items"])

    def remove(self, org_id: str, key: str) -> None:
        """Remove the states of all calls of a hook. Raises Unavailable."""
        with tenant(org_id):
            for item in self._between(org_id, f"{key}#", f"{key}$"):
                self._delete(key_of(item))

    def forget(self, org_id: str, lead_id: str, calls: Collection[str]) -> None:
        """Remove the states of these calls, and those that name the lead. Raises Unavailable."""
        with tenant(org_id):
            # Every sort key begins with a hexadecimal digit.
            for item in self._between(org_id, "0", "g"):
                place = key_of(item)
                if keys.call_of_hook_state(place.sk) in calls or _names(item, lead_id):
                    self._delete(place)

    def _between(self, org_id: str, first: str, last: str) -> Iterator[Item]:
        request = {
            "TableName": self._table,
            "ConsistentRead": True,
            **keys_between(keys.hook_states(org_id), first, last),
        }
        for answer in pages_of(self._client, request, self._backoff):
            yield from answer["Items"]

    def _delete(self, place: keys.Key) -> None:
        delete = partial(self._client.delete_item, TableName=self._table, Key=place.attributes())
        with_retries(self._backoff, delete)


def _names(item: Item, lead_id: str) -> bool:
    """Whether a state has the id of a lead as one of its values. A damaged one counts as such."""
    try:
        fields = json.loads(av.text(item, "state"))["fields"].values()
        return any(json.loads(value) == lead_id for *_, value in fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return True
