"""Answer GET /v1/health, without a token: whether the records table answers."""

from rollcall import __version__
from rollcall.api.handlers import (
    NotAvailable,
    PublicRequest,
    Response,
    json_response,
    public_endpoint,
    refuse_others,
)
from rollcall.bootstrap import directory
from rollcall.dialects.rollcall.health import health_body
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.domain.errors import Unavailable

service = directory()


@public_endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: PublicRequest) -> Response:
    """200 with the version, or 503; nothing of any organisation."""
    refuse_others(request)
    try:
        service.check()
    except Unavailable as error:
        raise NotAvailable("The records table does not answer.") from error
    return json_response(200, health_body(__version__))
