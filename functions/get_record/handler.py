"""Answer GET /v1/records/{type}/{id} with one record of any type."""

from rollcall.api.handlers import (
    NotFound,
    Request,
    Response,
    analytics_headers,
    endpoint,
    json_response,
    refuse_others,
)
from rollcall.bootstrap import find_record
from rollcall.dialects.rollcall.documents import RECORD_UNKNOWN, record_body
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body

service = find_record()


@endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: Request) -> Response:
    """The record as it is stored, and whether the figures hold that version yet."""
    reading = request.reading
    record_type, record_id = request.path_parameter("type"), request.path_parameter("id")
    found = service(reading, record_type, record_id)
    if found is None:
        raise NotFound(RECORD_UNKNOWN)
    refuse_others(request)  # 404 comes before 400
    return json_response(200, record_body(*found), analytics_headers(reading.meter))
