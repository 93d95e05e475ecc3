"""Token to organisation, and which routes its scopes open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rollcall.domain.organisations import Organisation, Token, is_well_formed, token_id
from rollcall.usecases.ports import Directory

# What each scope opens, as METHOD/path of the gateway; `*` stands for anything. What no scope
# names stays shut.
ROUTES: Final[dict[str, tuple[str, ...]]] = {
    "ingest": ("POST/v1/records", "POST/v1/records/"),
    "read": (
        "GET/api/v2/platform/*",
        "GET/api/workspaces/*",
        "POST/analytics",
        "POST/analytics/",
        "POST/agent/voice/breeze-buddy/analytics",
        "POST/agent/voice/breeze-buddy/analytics/",
        "POST/v1/Inbound/*",
        "POST/v1/Outbound/*",
        "POST/v2/Pearl/*",
    ),
    "admin": ("GET/v1/audit", "GET/v1/audit/"),
}


class Unauthorized(Exception):
    """The credentials are missing, malformed, unknown, expired or revoked.

    API Gateway answers 401 to an authorizer's error with exactly this message.
    """

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@dataclass(frozen=True, slots=True)
class Grant:
    """Who the caller is."""

    organisation: Organisation
    token: Token

    @property
    def routes(self) -> list[str]:
        """The routes the token's scopes open."""
        return [route for scope in self.token.scopes for route in ROUTES.get(scope, ())]


class Authorize:
    """Resolves an Authorization header."""

    def __init__(self, directory: Directory, now_ms: Callable[[], int]) -> None:
        self._directory = directory
        self._now_ms = now_ms

    def __call__(self, header: str) -> Grant:
        """The grant behind a header's value. Raises Unauthorized, or the store's own errors."""
        scheme, _, token = header.strip().partition(" ")
        token = token.strip()
        if scheme.lower() not in ("token", "bearer", "jwt") or not is_well_formed(token):
            raise Unauthorized
        stored = self._directory.token(token_id(token))
        if stored is None or stored.state(self._now_ms()) != "active":
            raise Unauthorized
        organisation = self._directory.organisation(stored.org_id)
        if organisation is None or organisation.is_deleting:
            raise Unauthorized
        return Grant(organisation, stored)
