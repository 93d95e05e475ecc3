"""Manage the hooks of organisations for the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.hooks import (
    MAX_SECRETS,
    Hook,
    SealedSecret,
    hook_key,
    is_hook_id,
    is_hook_key,
    new_hook_id,
)
from rollcall.hooks.events import HookMap
from rollcall.hooks.maps import PROVIDERS, hook_table
from rollcall.hooks.ports import Cipher, ManagedHooks
from rollcall.mapping.maps import BadMap

_MAX_SECRET_CHARACTERS = 1_024
_MAX_MAP_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True)
class CreatedHook:
    """The id of a new hook, which is shown only once, and its stored form."""

    id: str
    stored: Hook

    @property
    def url(self) -> str:
        """The address to give to the provider."""
        return f"{self.stored.address}/{self.id}"


class ManageHooks:
    """Creates, lists, rotates and removes hooks."""

    def __init__(
        self,
        hooks: ManagedHooks,
        cipher: Callable[[], Cipher],
        org_id_of_handle: Callable[[str], str | None],
        now_ms: Callable[[], int],
    ) -> None:
        self._hooks = hooks
        self._cipher = cipher
        self._org_id_of_handle = org_id_of_handle
        self._now_ms = now_ms

    def create(
        self, handle: str, provider: str, secret: str, api_url: str, own: Mapping[str, Any]
    ) -> CreatedHook:
        """Create a hook of an organisation; `own` is the user's part of its map.

        Raises InvalidOperation for an unknown handle or provider, a bad secret, and a wrong map.
        """
        if provider not in PROVIDERS:
            raise InvalidOperation(f"{provider!r} is not one of {', '.join(PROVIDERS)}")
        _check_secret(provider, secret)
        text = json.dumps(own, ensure_ascii=False, default=_refuse)
        if len(text) > _MAX_MAP_CHARACTERS:
            raise InvalidOperation(f"the map has more than {_MAX_MAP_CHARACTERS:,} characters")
        _check_map(provider, json.loads(text))
        hook_id, org_id = new_hook_id(), self.org(handle)
        key = hook_key(hook_id)
        hook = Hook(
            key=key,
            org_id=org_id,
            provider=provider,
            address=f"{api_url.rstrip('/')}/v1/hooks/{provider}",
            own=text,
            secrets=(SealedSecret(self._cipher().seal(secret, key)),),
            created_at_ms=self._now_ms(),
        )
        self._hooks.create(hook)
        return CreatedHook(hook_id, hook)

    def of(self, handle: str) -> list[Hook]:
        """The hooks of an organisation, oldest first. Raises InvalidOperation."""
        found = self._hooks.hooks(self.org(handle))
        return sorted(found, key=lambda hook: (hook.created_at_ms, hook.key))

    def find(self, name: str) -> Hook:
        """The hook with an id, or with a key as lists show it. Raises InvalidOperation."""
        key = hook_key(name) if is_hook_id(name) else name
        hook = self._hooks.hook(key) if is_hook_key(key) else None
        if hook is None:
            raise InvalidOperation("there is no such hook")
        return hook

    def rotate(self, name: str, secret: str, overlap_ms: int) -> Hook:
        """Add a secret; the one before stays valid for the overlap, and older ones end now.

        Raises InvalidOperation, and Conflict when another rotation was first.
        """
        hook = self.find(name)
        _check_secret(hook.provider, secret)
        kept: tuple[SealedSecret, ...] = ()
        if overlap_ms > 0:
            ends_at_ms = self._now_ms() + overlap_ms
            kept = (SealedSecret(hook.secrets[0].sealed, ends_at_ms),)
        added = SealedSecret(self._cipher().seal(secret, hook.key))
        self._hooks.replace_secrets(hook, (added, *kept)[:MAX_SECRETS])
        return self.find(hook.key)

    def secret(self, hook: Hook) -> str:
        """The current secret, for signing a sample."""
        return self._cipher().open(hook.secrets[0].sealed, hook.key)

    def remove(self, name: str) -> Hook:
        """Remove a hook and what it knows of calls; their records stay. Raises InvalidOperation."""
        hook = self.find(name)
        self._hooks.remove(hook)
        return hook

    def org(self, handle: str) -> str:
        """The id of the organisation with a handle. Raises InvalidOperation."""
        org_id = self._org_id_of_handle(handle)
        if org_id is None:
            raise InvalidOperation(f"no organisation has the handle {handle!r}")
        return org_id


def _check_secret(provider: str, secret: str) -> None:
    if not 1 <= len(secret) <= _MAX_SECRET_CHARACTERS or not secret.isprintable():
        raise InvalidOperation(
            f"the secret must have 1 to {_MAX_SECRET_CHARACTERS:,} printable characters"
        )
    key, colon, rest = secret.partition(":")
    if provider == "livekit" and not (key and colon and rest):
        raise InvalidOperation("the secret of LiveKit must be KEY:SECRET")
    if secret == "whsec_":
        raise InvalidOperation("the secret has no key after whsec_")


def _check_map(provider: str, own: Mapping[str, Any]) -> None:
    try:
        table = hook_table(provider, own)
        HookMap(table)
    except BadMap as error:
        raise InvalidOperation(str(error)) from None
    missing = [name for name in ("id", "started_at", "status") if not _gives(table, name)]
    if missing:
        raise InvalidOperation(f"the map gives no {' and no '.join(missing)}")
    if sum(name.startswith("payload.") for name in [*table.fields, *table.constants]) > 32:
        raise InvalidOperation("the map gives more than 32 payload keys")


def _gives(table: Any, name: str) -> bool:
    return name in table.fields or name in table.constants


def _refuse(value: object) -> Any:
    raise InvalidOperation(f"the map has a {type(value).__name__}, which no map may have")
