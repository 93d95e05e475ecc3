"""Tokens: their form, their states, and what the authorizer makes of a header."""

from __future__ import annotations

import re
import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.organisations import (
    Organisation,
    Token,
    is_well_formed,
    new_token,
    token_id,
)
from rollcall.ingest.authorize import Authorize, CredentialsRefused
from rollcall.lambdas.authorizer import ROUTES, policy, single_header
from rollcall_cli.local.stack import find_template
from rollcall_cli.local.template import load_template

NOW_MS = 1_800_000_000_000
DIGITS = string.digits + string.ascii_letters
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


def test_new_tokens_are_well_formed_and_distinct() -> None:
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(is_well_formed(token) and len(token) == 39 for token in tokens)


@given(st.integers(3, 38), st.sampled_from(DIGITS))
def test_one_mistyped_digit_is_refused(place: int, digit: str) -> None:
    token = new_token()
    typed = token[:place] + digit + token[place + 1 :]
    assert is_well_formed(typed) == (typed == token)


@pytest.mark.parametrize("scheme", ["Token", "token", "BEARER", "jwt", "JWT"])
def test_a_good_token_in_any_scheme(scheme: str) -> None:
    text = new_token()
    grant = Authorize(Directory(stored(text), ORGANISATION), lambda: NOW_MS)(f"{scheme} {text}")
    answer = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/api/x/y", grant)
    resources = answer["policyDocument"]["Statement"][0]["Resource"]
    prefix = "arn:aws:execute-api:eu-west-1:1:api/live/"
    assert resources == [prefix + path for route in ROUTES["read"] for path in (route, f"{route}/")]
    assert not any("v1/records" in resource for resource in resources)
    assert answer["context"] == {
        "org_id": "org_1",
        "org_handle": "acme",
        "epoch": 4,
        "scopes": "read",
        "token_id": token_id(text),
    }


@pytest.mark.parametrize(
    ("ends", "end"),
    [
        ({}, None),
        ({"expires_at_ms": NOW_MS + 9}, NOW_MS + 9),
        ({"revoked_at_ms": NOW_MS + 5}, NOW_MS + 5),  # a rotation overlaps
        ({"expires_at_ms": NOW_MS + 9, "revoked_at_ms": NOW_MS + 5}, NOW_MS + 5),
        ({"expires_at_ms": NOW_MS + 2, "revoked_at_ms": NOW_MS + 5}, NOW_MS + 2),
    ],
)
def test_the_end_of_a_token_is_in_the_context(ends: dict[str, int], end: int | None) -> None:
    text = new_token()
    token = stored(text, **ends)
    grant = Authorize(Directory(token, ORGANISATION), lambda: NOW_MS)(f"Token {text}")
    context = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/x", grant)["context"]
    assert context.get("token_ends_at_ms") == end
    assert None not in context.values()  # the gateway refuses a null
    # It is the first moment in which the authorizer would refuse the token.
    if end is not None:
        assert (token.state(end - 1), token.state(end) != "active") == ("active", True)


def test_what_is_no_token_is_refused_before_anything_is_read() -> None:
    text = new_token()
    directory = Directory(stored(text), ORGANISATION)
    authorize = Authorize(directory, lambda: NOW_MS)
    for header in ("", "Token", text, f"Basic {text}", f"Token {text}x", f"Token {text[:-1]}"):
        with pytest.raises(CredentialsRefused, match=r"^Unauthorized$"):
            authorize(header)
    assert directory.reads == 0


def test_states() -> None:
    token = stored(new_token())
    assert token.state(NOW_MS) == "active"
    assert replace(token, expires_at_ms=NOW_MS).state(NOW_MS) == "expired"
    assert replace(token, expires_at_ms=NOW_MS + 1).state(NOW_MS) == "active"
    assert replace(token, revoked_at_ms=NOW_MS, expires_at_ms=1).state(NOW_MS) == "revoked"
    assert replace(token, revoked_at_ms=NOW_MS + 1).state(NOW_MS) == "active"


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


def test_a_repeated_header_is_refused_whatever_its_case() -> None:
    for headers in (
        {},
        {"authorization": ["a", "a"]},
        {"Authorization": ["a"], "AUTHORIZATION": ["b"]},
    ):
        with pytest.raises(CredentialsRefused):
            single_header({"multiValueHeaders": headers}, "Authorization")
    assert single_header({"multiValueHeaders": {"authorization": ["a"]}}, "Authorization") == "a"


def test_a_token_that_opens_nothing_is_denied_everything() -> None:
    text = new_token()
    of_no_use = replace(stored(text), scopes=("retired",))
    grant = Authorize(Directory(of_no_use, ORGANISATION), lambda: NOW_MS)(f"Token {text}")
    (statement,) = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/x", grant)[
        "policyDocument"
    ]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == ["arn:aws:execute-api:eu-west-1:1:api/live/*"]


def test_every_route_of_the_template_is_opened_by_one_scope_and_nothing_else_is() -> None:
    template = load_template(find_template())
    # A path parameter is a wildcard in a policy's resource.
    served = {
        f"{route.method}{re.sub('{[^}]*}', '*', route.path)}" for route in template.api.routes
    }
    opened = [route for routes in ROUTES.values() for route in routes]
    assert sorted(opened) == sorted(served)
