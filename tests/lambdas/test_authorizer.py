"""The authorizer's event and policy: one header, and the routes that the scopes of a token open."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from rollcall.domain.organisations import Organisation, Token
from rollcall.ingest.authorize import CredentialsRefused, Grant
from rollcall.lambdas.authorizer import ROUTES, policy, single_header
from rollcall_cli.local.project import find_template
from rollcall_cli.local.template import load_template

NOW_MS = 1_800_000_000_000
TOKEN = Token("f" * 64, "org_1", ("read",), 0)


def grant(token: Token = TOKEN) -> Grant:
    return Grant(Organisation("org_1", "acme", "Acme", 0, live=4), token)


def test_the_policy_opens_the_routes_of_the_scopes_and_carries_the_grant() -> None:
    answer = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/api/x/y", grant())
    resources = answer["policyDocument"]["Statement"][0]["Resource"]
    prefix = "arn:aws:execute-api:eu-west-1:1:api/live/"
    assert resources == [prefix + path for route in ROUTES["read"] for path in (route, f"{route}/")]
    assert not set(ROUTES["ingest"]) & {each.removeprefix(prefix) for each in resources}
    assert answer["context"] == {
        "org_id": "org_1",
        "org_handle": "acme",
        "epoch": 4,
        "buckets": 1,
        "scopes": "read",
        "token_id": TOKEN.id,
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
    token = replace(TOKEN, **ends)
    context = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/x", grant(token))["context"]
    assert context.get("token_ends_at_ms") == end
    assert None not in context.values()  # the gateway refuses a null
    # It is the first moment in which the authorizer would refuse the token.
    if end is not None:
        assert (token.state(end - 1), token.state(end) != "active") == ("active", True)


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
    of_no_use = grant(replace(TOKEN, scopes=("retired",)))
    (statement,) = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/x", of_no_use)[
        "policyDocument"
    ]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == ["arn:aws:execute-api:eu-west-1:1:api/live/*"]


def test_a_route_that_several_scopes_open_is_in_the_policy_once() -> None:
    both = grant(replace(TOKEN, scopes=("read", "admin")))
    answer = policy("arn:aws:execute-api:eu-west-1:1:api/live/GET/x", both)
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Resource"].count("arn:aws:execute-api:eu-west-1:1:api/live/GET/v1/audit") == 1
    assert len(set(statement["Resource"])) == len(statement["Resource"])


def test_the_routes_that_scopes_open_are_those_of_the_template() -> None:
    template = load_template(find_template())
    # A path parameter is a wildcard in a policy's resource.
    served = {
        f"{route.method}{re.sub('{[^}]*}', '*', route.path)}"
        for route in template.api.routes
        if route.authorizer is not None
    }
    assert {route for routes in ROUTES.values() for route in routes} == served


def test_only_the_audit_is_opened_by_more_than_one_scope() -> None:
    opened = Counter(route for routes in ROUTES.values() for route in routes)
    assert {route for route, scopes in opened.items() if scopes > 1} == {"GET/v1/audit"}
