"""Answer GET /v1/schema with everything that queries may name."""

from rollcall.api.handlers import Request, Response, endpoint, json_response, refuse_others
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.dialects.rollcall.queries.schema import schema_body


@endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: Request) -> Response:
    """Datasets, measures, dimensions, fields with their operators, periods and limits."""
    refuse_others(request)
    return json_response(200, schema_body())
