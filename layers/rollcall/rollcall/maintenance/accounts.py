"""Manages organisations and tokens for the command line."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rollcall.domain.epochs import MAX_BUCKETS
from rollcall.domain.errors import Conflict, InvalidOperation
from rollcall.domain.organisations import (
    HANDLE_PATTERN,
    SCOPES,
    TOKEN_ID_PATTERN,
    Organisation,
    Token,
    abbreviated,
    new_token,
    token_id,
)
from rollcall.maintenance.ports import Accounts

_TOKEN_ID_PREFIX: Final = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """The text of a new token, which is shown only once, and its stored form."""

    text: str
    stored: Token


class Administer:
    """Manages organisations and tokens."""

    def __init__(self, directory: Accounts, now_ms: Callable[[], int]) -> None:
        self._directory = directory
        self._now_ms = now_ms

    def create_organisation(self, handle: str, name: str, buckets: int = 1) -> Organisation:
        """Create an organisation. Raises InvalidOperation on a bad handle, name or bucket count."""
        if not HANDLE_PATTERN.fullmatch(handle):
            raise InvalidOperation(
                f"handle {handle!r} must be 1 to 63 letters, digits, '.', '_' and '-', "
                "beginning and ending with a letter or digit"
            )
        if not 1 <= len(name) <= 256 or not name.isprintable():
            raise InvalidOperation("name must have 1 to 256 printable characters")
        if not 1 <= buckets <= MAX_BUCKETS:
            raise InvalidOperation(f"buckets must be 1 to {MAX_BUCKETS}")
        organisation = Organisation(
            id=f"org_{secrets.token_hex(10)}",
            handle=handle,
            name=name,
            created_at_ms=self._now_ms(),
            buckets=buckets,
            bucket_counts={0: buckets} if buckets > 1 else {},
        )
        try:
            self._directory.create_organisation(organisation)
        except Conflict:
            holder = self._directory.org_id_of_handle(handle)
            if holder is None:
                raise
            # Our own id: the SDK repeated the request after its first reply was lost.
            if holder != organisation.id:
                raise InvalidOperation(f"handle {handle!r} is taken") from None
        return organisation

    def organisations(self) -> list[Organisation]:
        """Every organisation, by handle."""
        return list(self._directory.organisations())

    def issue_token(
        self,
        handle: str,
        scopes: Sequence[str],
        expires_at_ms: int | None = None,
        name: str | None = None,
    ) -> IssuedToken:
        """Create a token.

        Raises InvalidOperation on an unknown handle or scope, a past expiry, or a bad name.
        """
        if not scopes or not set(scopes) <= set(SCOPES):
            raise InvalidOperation(f"scopes must be some of {', '.join(SCOPES)}")
        if expires_at_ms is not None and expires_at_ms <= self._now_ms():
            raise InvalidOperation("the expiry must be in the future")
        if name is not None and (not 1 <= len(name) <= 64 or not name.isprintable()):
            raise InvalidOperation("a token's name must have 1 to 64 printable characters")
        organisation = self._organisation(handle)
        ordered = tuple(scope for scope in SCOPES if scope in scopes)
        return self._issue(organisation.id, ordered, expires_at_ms, name)

    def tokens(self, handle: str) -> list[Token]:
        """Every token of an organisation, oldest first."""
        return self._directory.tokens(self._organisation(handle).id)

    def revoke_token(self, id_prefix: str) -> Token:
        """Revoke a token now, and return it as it was before; an earlier revocation is kept.

        The id may be abbreviated. Raises InvalidOperation when it is unknown or ambiguous.
        """
        token = self._token(id_prefix)
        self._revoke(token.id, self._now_ms())
        return token

    def rotate_token(self, id_prefix: str, overlap_ms: int) -> IssuedToken:
        """Create a token with the old one's name, scopes and expiry; the old one ends after the overlap.

        The id may be abbreviated. Raises InvalidOperation when it is unknown or ambiguous, or the
        token is expired or revoked.
        """
        old = self._token(id_prefix)
        now_ms = self._now_ms()
        if old.state(now_ms) != "active":
            raise InvalidOperation(f"token {old.id} is {old.state(now_ms)}")
        issued = self._issue(old.org_id, old.scopes, old.expires_at_ms, old.name)
        self._revoke(old.id, now_ms + overlap_ms)
        return issued

    def _issue(
        self,
        org_id: str,
        scopes: tuple[str, ...],
        expires_at_ms: int | None,
        name: str | None,
    ) -> IssuedToken:
        text = new_token()
        stored = Token(token_id(text), org_id, scopes, self._now_ms(), expires_at_ms, name=name)
        try:
            self._directory.put_token(stored)
        except Conflict:
            # Ids are hashes of 178 random bits: a taken one is our own repeated write.
            if self._directory.token(stored.id) != stored:
                raise
        return IssuedToken(text, stored)

    def _revoke(self, token_id: str, at_ms: int) -> None:
        try:
            self._directory.revoke_token(token_id, at_ms)
        except Conflict:
            stored = self._require_token(token_id)
            if stored.revoked_at_ms is None or stored.revoked_at_ms > at_ms:
                raise

    def _organisation(self, handle: str) -> Organisation:
        org_id = self._directory.org_id_of_handle(handle)
        organisation = self._directory.organisation(org_id) if org_id is not None else None
        if organisation is None:
            raise InvalidOperation(f"no organisation has the handle {handle!r}")
        if organisation.is_deleting:
            raise InvalidOperation(f"the organisation {handle!r} is being deleted")
        return organisation

    def _token(self, id_prefix: str) -> Token:
        """The only token whose id begins with a prefix; a whole id needs no listing."""
        if TOKEN_ID_PATTERN.fullmatch(id_prefix):
            return self._require_token(id_prefix)
        if not _TOKEN_ID_PREFIX.fullmatch(id_prefix):
            raise InvalidOperation(
                f"{id_prefix!r} must be a token id, or its first 4 or more hex digits"
            )
        found = [
            token_id
            for organisation in self._directory.organisations()
            for token_id in self._directory.token_ids(organisation.id, id_prefix)
        ]
        if not found:
            raise InvalidOperation(f"no token has an id that begins with {id_prefix!r}")
        if len(found) > 1:
            raise InvalidOperation(
                f"{len(found)} token ids begin with {id_prefix!r}: {', '.join(abbreviated(found))}"
            )
        return self._require_token(found[0])

    def _require_token(self, token_id: str) -> Token:
        stored = self._directory.token(token_id)
        if stored is None:
            raise InvalidOperation(f"no token has the id {token_id!r}")
        return stored
