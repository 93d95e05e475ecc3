"""Who is authorized: a header with a token of an organisation, as long as the token lives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.domain.organisations import Organisation, Token, new_token, token_id
from rollcall.ingest.authorize import Authorize, CredentialsRefused, Grant

NOW_MS = 1_800_000_000_000
ORGANISATION = Organisation("org_1", "acme", "Acme", 0, live=4)


class Directory:
    def __init__(self, token: Token | None, organisation: Organisation | None) -> None:
        self._token, self._organisation = token, organisation
        self.reads = 0

    def token(self, wanted: str) -> Token | None:
        self.reads += 1
        return self._token if self._token and self._token.id == wanted else None

    def organisation(self, org_id: str) -> Organisation | None:
        return self._organisation

    def org_id_of_handle(self, handle: str) -> str | None: ...


def stored(text: str, **fields: int) -> Token:
    return Token(token_id(text), "org_1", ("read",), 0, **fields)


@pytest.mark.parametrize("scheme", ["Token", "token", "BEARER", "jwt", "JWT"])
def test_a_good_token_in_any_scheme(scheme: str) -> None:
    text = new_token()
    directory = Directory(stored(text), ORGANISATION)
    grant = Authorize(directory, lambda: NOW_MS)(f"{scheme} {text}")
    assert grant == Grant(ORGANISATION, stored(text))


def test_what_is_no_token_is_refused_before_anything_is_read() -> None:
    text = new_token()
    directory = Directory(stored(text), ORGANISATION)
    authorize = Authorize(directory, lambda: NOW_MS)
    for header in ("", "Token", text, f"Basic {text}", f"Token {text}x", f"Token {text[:-1]}"):
        with pytest.raises(CredentialsRefused, match=r"^Unauthorized$"):
            authorize(header)
    assert directory.reads == 0


def test_unknown_expired_revoked_and_orphaned_tokens_are_refused() -> None:
    text = new_token()
    deleting = replace(ORGANISATION, is_deleting=True)
    for directory in (
        Directory(None, ORGANISATION),
        Directory(stored(text, expires_at_ms=NOW_MS), ORGANISATION),
        Directory(stored(text, revoked_at_ms=NOW_MS), ORGANISATION),
        Directory(stored(text), None),
        Directory(stored(text), deleting),
    ):
        with pytest.raises(CredentialsRefused):
            Authorize(directory, lambda: NOW_MS)(f"Token {text}")
