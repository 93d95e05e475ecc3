"""The hooks of all organisations, as items of the records table.

A hook is found by its key alone, before its organisation is known. GSI1 lists those of an
organisation. The event source of the update function filters these items out by their sort keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from rollcall.domain.errors import CorruptItem
from rollcall.domain.hooks import Hook, SealedSecret
from rollcall.domain.organisations import tenant
from rollcall.retry import Backoff
from rollcall.storage import attributes as av
from rollcall.storage import keys
from rollcall.storage.attributes import Item
from rollcall.storage.client import translated_errors, with_retries
from rollcall.storage.conditions import ITEM_EXISTS, VERSION, item_absent, number_unchanged
from rollcall.storage.hook_states import HookStates
from rollcall.storage.queries import index_keys

COUNTED = ("recorded", "ignored", "refused", "failed")


class HookStore:
    """Hooks, their secrets, and their counts (`rollcall.hooks.ports.ManagedHooks`)."""

    def __init__(self, client: Any, table: str, states: HookStates, backoff: Backoff) -> None:
        self._client = client
        self._table = table
        self._states = states
        self._backoff = backoff

    def hook(self, key: str) -> Hook | None:
        """One hook, read consistently. Raises CorruptItem, Unavailable."""
        request = partial(
            self._client.get_item,
            TableName=self._table,
            Key=keys.hook(key).attributes(),
            ConsistentRead=True,
        )
        item = with_retries(self._backoff, request).get("Item")
        return hook_of_item(item) if item else None

    def create(self, hook: Hook) -> None:
        """Store a new hook. Raises Conflict when its key is taken."""
        with translated_errors():
            self._client.put_item(TableName=self._table, Item=item_of_hook(hook), **item_absent())

    def replace_secrets(self, read: Hook, secrets: Sequence[SealedSecret]) -> None:
        """Replace the secrets. Raises Conflict when they changed since the hook was read."""
        unchanged = number_unchanged(VERSION, read.version)
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=keys.hook(read.key).attributes(),
                UpdateExpression="SET #secrets = :secrets, #read = :next",
                ConditionExpression=unchanged["ConditionExpression"],
                ExpressionAttributeNames={
                    "#secrets": "secrets",
                    **unchanged["ExpressionAttributeNames"],
                },
                ExpressionAttributeValues={
                    ":secrets": av.to_attribute(_listed(secrets)),
                    ":next": {"N": str(read.version + 1)},
                    **unchanged["ExpressionAttributeValues"],
                },
            )

    def count(self, key: str, outcome: str | None, at_ms: int | None) -> None:
        """Add 1 to a count, and set the time of the last delivery; see `Hooks.count`.

        It is not repeated when its reply is lost, so a count may be one too low or too high.
        """
        updates = []
        values: dict[str, Any] = {}
        names = {"#pk": keys.PK}
        if outcome is not None:
            updates.append("ADD #outcome :one")
            values[":one"] = {"N": "1"}
            names["#outcome"] = outcome
        if at_ms is not None:
            updates.append("SET #last = :at")
            values[":at"] = {"N": str(at_ms)}
            names["#last"] = "last_at_ms"
        with translated_errors():
            self._client.update_item(
                TableName=self._table,
                Key=keys.hook(key).attributes(),
                UpdateExpression=" ".join(updates),
                ConditionExpression=ITEM_EXISTS,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )

    def hooks(self, org_id: str) -> Iterator[Hook]:
        """The hooks of an organisation; one that was just created may be missing."""
        with tenant(org_id):
            partition = keys.hooks_of(org_id)
            found = list(index_keys(self._client, self._table, self._backoff, partition))
        for key in found:
            hook = self.hook(keys.hook_key_of(key.pk))
            if hook is not None:
                yield hook

    def remove(self, hook: Hook) -> None:
        """Remove a hook, then the states of its calls; no-op for what is gone."""
        request = partial(
            self._client.delete_item,
            TableName=self._table,
            Key=keys.hook(hook.key).attributes(),
        )
        with_retries(self._backoff, request)
        self._states.remove(hook.org_id, hook.key)


def item_of_hook(hook: Hook) -> Item:
    """A hook as it is stored."""
    key = keys.hook(hook.key)
    return av.to_item(
        {
            keys.PK: key.pk,
            keys.SK: key.sk,
            keys.GSI1PK: keys.hooks_of(hook.org_id),
            keys.GSI1SK: hook.key,
            "org_id": hook.org_id,
            "provider": hook.provider,
            "address": hook.address,
            "own": hook.own,
            "secrets": _listed(hook.secrets),
            "created_at_ms": hook.created_at_ms,
            VERSION: hook.version,
            "last_at_ms": hook.last_at_ms,
            **{name: getattr(hook, name) for name in COUNTED},
        }
    )


def _listed(secrets: Sequence[SealedSecret]) -> list[dict[str, Any]]:
    return [
        {"sealed": secret.sealed}
        | ({} if secret.ends_at_ms is None else {"ends_at_ms": secret.ends_at_ms})
        for secret in secrets
    ]


def hook_of_item(item: Item) -> Hook:
    """The inverse of `item_of_hook`. Raises CorruptItem."""
    entries = item.get("secrets", {}).get("L")
    if not isinstance(entries, list):
        raise CorruptItem("attribute 'secrets' is not a list")
    return Hook(
        key=keys.hook_key_of(av.text(item, keys.PK)),
        org_id=av.text(item, "org_id"),
        provider=av.text(item, "provider"),
        address=av.text(item, "address"),
        own=av.text(item, "own"),
        secrets=tuple(map(_secret, entries)),
        created_at_ms=av.integer(item, "created_at_ms"),
        version=av.integer(item, VERSION),
        last_at_ms=av.optional_integer(item, "last_at_ms"),
        **{name: av.integer(item, name) for name in COUNTED},
    )


def _secret(entry: Any) -> SealedSecret:
    stored = entry.get("M", {})
    sealed = stored.get("sealed", {}).get("B")
    if not isinstance(sealed, bytes):
        raise CorruptItem("a secret is not binary")
    return SealedSecret(sealed, av.optional_integer(stored, "ends_at_ms"))
