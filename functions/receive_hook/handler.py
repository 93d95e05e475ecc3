"""Answer POST /v1/hooks/{provider}/{hook_id}: record what a provider reports of a call."""

from rollcall.api.handlers import (
    NotAvailable,
    PublicRequest,
    Response,
    Unauthorized,
    json_response,
    limit_body,
    public_endpoint,
)
from rollcall.bootstrap import receive_hook
from rollcall.dialects.rollcall.hooks import UNAUTHENTIC, delivery_body
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.domain.errors import BrokenDestination
from rollcall.hooks.delivery import MAX_BODY_BYTES
from rollcall.hooks.signatures import Unauthentic

service = receive_hook()


@public_endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: PublicRequest) -> Response:
    """200 once the delivery is recorded or kept; 401 alike for all that is not authentic."""
    limit_body(request, MAX_BODY_BYTES)
    provider, hook_id = (request.path_parameter(name) for name in ("provider", "hook_id"))
    try:
        result = service(provider, hook_id, request.body, request.headers, request.query)
    except Unauthentic:
        raise Unauthorized(UNAUTHENTIC) from None
    except BrokenDestination as error:
        raise NotAvailable("The delivery could not be kept. Send it again later.") from error
    if result.has_empty_answer:
        return Response(200, "", content_type="text/plain")
    return json_response(200, delivery_body(result.reason))
