"""Answer POST /v1/calls/search: the calls behind a number, as JSON or as CSV."""

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
from rollcall.bootstrap import search_calls
from rollcall.clock import now_ms
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.dialects.rollcall.queries.search import calls_body, calls_csv, next_page, parse_search

service = search_calls()


@endpoint(problem_body, content_type=PROBLEM_TYPE, too_many_rows=422)
def lambda_handler(request: Request) -> Response:
    """One page of the calls that match."""
    limit_body(request)
    refuse_others(request)
    media_type = accepted_type(request, (JSON_TYPE, CSV_TYPE))
    org_id = request.caller.org_id
    search = parse_search(request.json(), org_id, now_ms())
    found = service(request.reading, search.search)
    headers = analytics_headers(request.reading.meter)
    if media_type == CSV_TYPE:
        text, name = calls_csv(search, found)
        return csv_response(text, name, next_page(search, found, org_id), headers)
    return json_response(200, calls_body(search, found, org_id), headers)
