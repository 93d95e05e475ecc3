"""Authorize a request: the token's organisation, and a policy for the routes its scopes open."""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import authorize
from rollcall.lambdas.authorizer import policy, single_header
from rollcall.retry import within_its_time

service = authorize()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A REQUEST authorizer's answer.

    Bad credentials raise an error whose message is "Unauthorized": the gateway answers 401 and
    never caches it. Any other error is the gateway's 500, so a store that fails lets nobody in.
    """
    with within_its_time(context):
        return policy(event["methodArn"], service(single_header(event, "Authorization")))
