"""The answers to deliveries of providers, and the list of an organisation's hooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from typing_extensions import TypedDict

from rollcall.domain.hooks import Hook
from rollcall.domain.time.calendar import format_instant

UNAUTHENTIC: Final = "The request is not signed with a secret of this hook."


class ProviderDelivery(TypedDict):
    """What the provider sends, in its own format: JSON, or a form from Twilio."""


class Delivered(TypedDict, total=False):
    """What became of an authentic delivery; it has one of the two fields."""

    recorded: bool
    """True: it is part of what is known of its call."""
    ignored: str
    """Why it is not: it says nothing of a call, or cannot be mapped and is kept."""


class DeliveryRefused(TypedDict):
    """The delivery was refused before it was read; the body is that of the gateway's own errors."""

    status_code: int
    message: str
    error: str
    detail: str


class HookFound(TypedDict):
    """One hook, without its id and its secrets."""

    hook: str
    """Its key, which `rollcall hook show` takes."""
    provider: str
    created_at: str
    recorded: int
    """Deliveries that are part of a call."""
    ignored: int
    """Deliveries that say nothing of a call."""
    refused: int
    """Requests that were not signed with a secret of the hook, or too long ago."""
    failed: int
    """Deliveries that are kept in the failure destination, because they cannot be mapped."""
    last_delivery_at: str | None
    """When the last authentic delivery came."""
    secrets: int
    """How many secrets are valid: two during a rotation."""


class HookList(TypedDict):
    """The hooks of an organisation, oldest first."""

    hooks: list[HookFound]


def delivery_body(reason: str) -> Delivered:
    """The body of the answer to an authentic delivery; no reason means that it is recorded."""
    return {"ignored": reason} if reason else {"recorded": True}


def hooks_body(hooks: Iterable[Hook], now_ms: int) -> HookList:
    """The body of the list."""
    ordered = sorted(hooks, key=lambda hook: (hook.created_at_ms, hook.key))
    return {"hooks": [hook_found(hook, now_ms) for hook in ordered]}


def hook_found(hook: Hook, now_ms: int) -> HookFound:
    """One entry of the list."""
    return {
        "hook": hook.key,
        "provider": hook.provider,
        "created_at": format_instant(hook.created_at_ms),
        "recorded": hook.recorded,
        "ignored": hook.ignored,
        "refused": hook.refused,
        "failed": hook.failed,
        "last_delivery_at": None if hook.last_at_ms is None else format_instant(hook.last_at_ms),
        "secrets": len(hook.valid_secrets(now_ms)),
    }
