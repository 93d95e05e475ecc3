"""Hooks as they are stored, and signed deliveries as the gateway hands them to the function."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rollcall.domain.hooks import Hook, SealedSecret, hook_key
from rollcall.hooks.maps import schemes_of
from rollcall.storage.attributes import Item
from rollcall.storage.hooks import item_of_hook
from rollcall_cli.hooks.signing import signed
from tests.support.hook_events import OWN, SECRETS

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ADDRESS = "https://api.example.com/live/v1/hooks"


@dataclass(frozen=True)
class SentHook:
    """A hook of an organisation, as its provider knows it."""

    id: str
    org_id: str
    provider: str

    @property
    def key(self) -> str:
        return hook_key(self.id)

    @property
    def url(self) -> str:
        return f"{_ADDRESS}/{self.provider}/{self.id}"

    @property
    def secret(self) -> str:
        return SECRETS[self.provider]

    def item(self, now_ms: int, own: Mapping[str, Any] | None = None) -> Item:
        """The hook as the command stores it; its secret is not encrypted."""
        hook = Hook(
            key=self.key,
            org_id=self.org_id,
            provider=self.provider,
            address=self.url.rpartition("/")[0],
            own=json.dumps(OWN.get(self.provider, {}) if own is None else own),
            secrets=(SealedSecret(self.secret.encode()),),
            created_at_ms=now_ms,
        )
        return item_of_hook(hook)

    def headers(self, body: bytes, signed_at_ms: int) -> dict[str, str]:
        """The headers that sign a body."""
        scheme = schemes_of(self.provider)[0]
        return signed(scheme, self.secret, self.url, body, signed_at_ms)

    def event(self, body: bytes, signed_at_ms: int) -> dict[str, Any]:
        """A signed delivery."""
        headers = self.headers(body, signed_at_ms).items()
        return proxy_event(self.provider, self.id, body, {n: [v] for n, v in headers})


def new_hook(random: Random, org_id: str, provider: str) -> SentHook:
    """A hook whose id is drawn."""
    return SentHook("hk_" + "".join(random.choices(_DIGITS, k=32)), org_id, provider)


def proxy_event(
    provider: str,
    hook_id: str,
    body: bytes,
    headers: Mapping[str, Sequence[str]],
    query: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Any request to the route of a hook."""
    return {
        "httpMethod": "POST",
        "path": f"/v1/hooks/{provider}/{hook_id}",
        "pathParameters": {"provider": provider, "hook_id": hook_id},
        "multiValueQueryStringParameters": query,
        "multiValueHeaders": headers,
        "requestContext": {"requestId": "delivery"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
