"""Answer GET /v1/hooks with the hooks of the caller's organisation, and what came through them."""

from rollcall.api.handlers import Request, Response, endpoint, json_response, refuse_others
from rollcall.bootstrap import hooks
from rollcall.clock import now_ms
from rollcall.dialects.rollcall.hooks import hooks_body
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body

service = hooks()


@endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: Request) -> Response:
    """Every hook with its counts, oldest first; without its id and its secrets."""
    refuse_others(request)
    return json_response(200, hooks_body(service.hooks(request.caller.org_id), now_ms()))
