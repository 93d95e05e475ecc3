"""Hooks: where a provider sends the events of its calls, and the secrets that sign them.

The id of a hook is `hk_` and 32 random base-62 digits (190 bits). It is part of an address and shown
once; stored is only its key, the first half of its SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID: Final = re.compile(r"hk_[0-9A-Za-z]{32}")
_KEY: Final = re.compile(r"[0-9a-f]{32}")
MAX_SECRETS: Final = 2


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """An encrypted secret; `ends_at_ms` is set when a rotation replaces it."""

    sealed: bytes
    ends_at_ms: int | None = None

    def is_valid(self, now_ms: int) -> bool:
        """Whether deliveries that are signed with it are accepted."""
        return self.ends_at_ms is None or now_ms < self.ends_at_ms


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of an organisation. `own` is the user's part of its map, as JSON.

    `address` is the public address up to and including the provider; the id of the hook follows it.
    The counts are of deliveries; `last_at_ms` is when the last authentic one came.
    """

    key: str
    org_id: str
    provider: str
    address: str
    own: str
    secrets: tuple[SealedSecret, ...]
    created_at_ms: int
    version: int = 1
    recorded: int = 0
    ignored: int = 0
    refused: int = 0
    failed: int = 0
    last_at_ms: int | None = None

    def valid_secrets(self, now_ms: int) -> list[bytes]:
        """The encrypted secrets that are valid at an instant."""
        return [secret.sealed for secret in self.secrets if secret.is_valid(now_ms)]


def new_hook_id() -> str:
    """A new id."""
    return "hk_" + "".join(secrets.choice(_DIGITS) for _ in range(32))


def is_hook_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return _ID.fullmatch(text) is not None


def is_hook_key(text: str) -> bool:
    """Whether a text has the form of a key."""
    return _KEY.fullmatch(text) is not None


def hook_key(hook_id: str) -> str:
    """The key of the hook with an id, which need not exist."""
    return hashlib.sha256(hook_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
