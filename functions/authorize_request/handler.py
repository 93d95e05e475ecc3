"""Authorize a request: the token's organisation, and a policy for the routes its scopes open."""

from collections.abc import Mapping
from typing import Any

from rollcall.api.authorizer import policy, single_header
from rollcall.bootstrap import authorize
from rollcall.ledger.backoff import time_limit

service = authorize()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A REQUEST authorizer's answer.

    Bad credentials raise an error whose message is "Unauthorized": the gateway answers 401 and
    never caches it. Any other error is the gateway's 500, so a store that fails lets nobody in.
    """
    with time_limit(context.get_remaining_time_in_millis() / 1000):
        return policy(event["methodArn"], service(single_header(event, "Authorization")))
