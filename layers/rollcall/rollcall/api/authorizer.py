"""API Gateway's REQUEST authorizer on the wire: its event in, its policy out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollcall.usecases.authorize import Grant, Unauthorized


def single_header(event: Mapping[str, Any], name: str) -> str:
    """A header's only value. Raises Unauthorized when it is missing or sent more than once."""
    values = [
        value
        for header, sent in (event.get("multiValueHeaders") or {}).items()
        if header.lower() == name.lower()
        for value in sent
    ]
    if len(values) != 1:
        raise Unauthorized
    return str(values[0])


def policy(method_arn: str, grant: Grant) -> dict[str, Any]:
    """The policy for the whole API, so that its cached copy is right for every route."""
    api_and_stage = "/".join(method_arn.split("/")[:2])
    allow = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": [f"{api_and_stage}/{route}" for route in grant.routes],
    }
    return {
        "principalId": grant.organisation.id,
        "policyDocument": {"Version": "2012-10-17", "Statement": [allow]},
        "context": {
            "org_id": grant.organisation.id,
            "org_handle": grant.organisation.handle,
            "epoch": grant.organisation.live,
            "scopes": " ".join(grant.token.scopes),
            "token_id": grant.token.id,
        },
    }
