"""Answer GET /v1/values/{dimension} with its values, the most frequent first."""

from rollcall.api.handlers import Request, Response, analytics_headers, endpoint, json_response
from rollcall.bootstrap import report_values
from rollcall.clock import now_ms
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.dialects.rollcall.queries.values import parse_values, values_body

service = report_values()


@endpoint(problem_body, content_type=PROBLEM_TYPE, too_many_rows=422)
def lambda_handler(request: Request) -> Response:
    """The values, their names, and how many records have each."""
    query = parse_values(request.path_parameter("dimension"), request.query, now_ms())
    values = service(request.reading, query)
    return json_response(200, values_body(values), analytics_headers(request.reading.meter))
