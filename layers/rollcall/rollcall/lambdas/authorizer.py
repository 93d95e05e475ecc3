"""API Gateway's REQUEST authorizer: reads its event and builds its policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollcall.ingest.authorize import CredentialsRefused, Grant

# The routes that each permission opens, as METHOD/path. The gateway matches the path as it was sent,
# and a slash may follow each. A route without a permission is denied; a test compares this table with
# the template.
ROUTES: Final[dict[str, tuple[str, ...]]] = {
    "ingest": ("POST/v1/records",),
    "read": (
        "GET/api/v2/platform/organisation/analytics",
        "GET/api/v2/platform/organizations",
        "GET/api/workspaces/*/analytics",
        "GET/v1/audit",
        "GET/v1/calls/*",
        "GET/v1/records/*/*",
        "GET/v1/schema",
        "GET/v1/values/*",
        "POST/agent/voice/breeze-buddy/analytics",
        "POST/analytics",
        "POST/v1/Inbound/*/Analytics",
        "POST/v1/Outbound/*/Analytics",
        "POST/v1/calls/search",
        "POST/v1/query",
        "POST/v2/Pearl/*/Analytics",
    ),
    "admin": ("GET/v1/audit", "GET/v1/hooks"),
}


def single_header(event: Mapping[str, Any], name: str) -> str:
    """The single value of a header.

    Raises CredentialsRefused when the header is missing or was sent more than once.
    """
    values = [
        value
        for header, sent in (event.get("multiValueHeaders") or {}).items()
        if header.lower() == name.lower()
        for value in sent
    ]
    if len(values) != 1:
        raise CredentialsRefused
    return str(values[0])


def policy(method_arn: str, grant: Grant) -> dict[str, Any]:
    """The policy for the whole API: API Gateway caches it and uses it for every route."""
    api_and_stage = "/".join(method_arn.split("/")[:2])
    scopes = grant.token.scopes
    opened = dict.fromkeys(route for scope in scopes for route in ROUTES.get(scope, ()))
    routes = [path for route in opened for path in (route, f"{route}/")]
    # The cached policy may outlive the token, so the endpoint checks the expiry again.
    ends_at_ms = grant.token.ends_at_ms
    end = {} if ends_at_ms is None else {"token_ends_at_ms": ends_at_ms}
    statement = {
        "Effect": "Allow" if routes else "Deny",
        "Action": "execute-api:Invoke",
        "Resource": [f"{api_and_stage}/{route}" for route in routes or ["*"]],
    }
    return {
        "principalId": grant.organisation.id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {
            "org_id": grant.organisation.id,
            "org_handle": grant.organisation.handle,
            "epoch": grant.organisation.live,
            "buckets": grant.organisation.epoch(grant.organisation.live).bucket_count,
            "scopes": " ".join(scopes),
            "token_id": grant.token.id,
            **end,
        },
    }
