"""Answer POST /v1/query: measures of records by dimensions, as JSON or as CSV."""

from rollcall.api.handlers import (
    CSV_TYPE,
    JSON_TYPE,
    Request,
    Response,
    accepted_type,
    analytics_headers,
    csv_response,
    endpoint,
    json_response,
    limit_body,
    refuse_others,
)
from rollcall.bootstrap import report_query
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.dialects.rollcall.queries.answer import answer_body, answer_csv, next_cursor
from rollcall.dialects.rollcall.queries.request import parse_query

service = report_query()


@endpoint(problem_body, content_type=PROBLEM_TYPE, too_many_rows=422)
def lambda_handler(request: Request) -> Response:
    """One page of the rows of a query."""
    limit_body(request)
    refuse_others(request)
    media_type = accepted_type(request, (JSON_TYPE, CSV_TYPE))
    org_id = request.caller.org_id
    query = parse_query(request.json(), org_id, service.now_ms())
    report = service(request.reading, query.query)
    headers = analytics_headers(request.reading.meter)
    if media_type == CSV_TYPE:
        text, name = answer_csv(query, report)
        return csv_response(text, name, next_cursor(query, report, org_id), headers)
    return json_response(200, answer_body(query, report, org_id), headers)
