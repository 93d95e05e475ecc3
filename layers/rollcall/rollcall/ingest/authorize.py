"""Resolves a token to its organisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollcall.domain.organisations import Organisation, Token, is_well_formed, token_id
from rollcall.ingest.ports import Directory


class CredentialsRefused(Exception):
    """The credentials are missing, malformed, unknown, expired or revoked.

    API Gateway answers 401 to an authorizer's error with exactly this message.
    """

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@dataclass(frozen=True, slots=True)
class Grant:
    """The caller: a token and its organisation."""

    organisation: Organisation
    token: Token


class Authorize:
    """Resolves an Authorization header."""

    def __init__(
        self,
        directory: Directory,
        now_ms: Callable[[], int],
        record_use: Callable[[Token], None] = lambda _token: None,
    ) -> None:
        self._directory = directory
        self._now_ms = now_ms
        self._record_use = record_use

    def __call__(self, header: str) -> Grant:
        """The grant of a header's value. Raises CredentialsRefused, and the errors of the store."""
        scheme, _, token = header.strip().partition(" ")
        token = token.strip()
        if scheme.lower() not in ("token", "bearer", "jwt") or not is_well_formed(token):
            raise CredentialsRefused
        stored = self._directory.token(token_id(token))
        if stored is None or stored.state(self._now_ms()) != "active":
            raise CredentialsRefused
        # Before the next read, so that the write runs at the same time.
        self._record_use(stored)
        organisation = self._directory.organisation(stored.org_id)
        if organisation is None or organisation.is_deleting:
            raise CredentialsRefused
        return Grant(organisation, stored)
