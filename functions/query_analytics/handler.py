"""Answer POST /analytics, and Breeze Buddy's own path, in Breeze's published format."""

from rollcall.api.handlers import (
    Request,
    Response,
    analytics_headers,
    endpoint,
    json_response,
    limit_body,
    refuse_others,
)
from rollcall.bootstrap import report_breeze
from rollcall.dialects import breeze

service = report_breeze()


@endpoint(breeze.error_body, too_many_rows=422)
def lambda_handler(request: Request) -> Response:
    """Answers any type of query, with any of the ten filters."""
    limit_body(request)
    refuse_others(request)
    query = breeze.parse_query(request.json())
    reading = request.reading
    body = breeze.answer_body(query, service(reading, query.query))
    return json_response(200, body, analytics_headers(reading.meter))
