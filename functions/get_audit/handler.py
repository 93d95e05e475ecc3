"""Answer GET /v1/audit with the result of the latest audit."""

from rollcall.api.handlers import Request, Response, endpoint, json_response, refuse_others
from rollcall.bootstrap import audits
from rollcall.dialects.rollcall.audit import audit_body
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body

service = audits()


@endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: Request) -> Response:
    """The latest finished audit, and the progress of a running one."""
    refuse_others(request)
    last, running = service.both(request.caller.org_id)
    return json_response(200, audit_body(last, running))
