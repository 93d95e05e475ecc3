"""Authorize a request: find the token's organisation, and allow the routes of its permissions."""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import authorize
from rollcall.invocation import invocation
from rollcall.lambdas.authorizer import policy, single_header
from rollcall.retry import within_its_time

service = authorize()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The answer of a REQUEST authorizer.

    Bad credentials raise an error whose message is "Unauthorized": the gateway answers 401 and
    never caches it. Any other error becomes the gateway's 500, so that no request is allowed while
    the store fails.
    """
    request_id = str((event.get("requestContext") or {}).get("requestId", ""))
    with invocation(request_id), within_its_time(context):
        return policy(event["methodArn"], service(single_header(event, "Authorization")))
