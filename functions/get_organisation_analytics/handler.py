"""Answer GET /api/v2/platform/organisation/analytics/ in Unpod's published format."""

from rollcall.api.handlers import (
    NotFound,
    Request,
    Response,
    analytics_headers,
    endpoint,
    json_response,
    refuse_others,
    require_own_handle,
    single_value,
)
from rollcall.bootstrap import count, directory
from rollcall.dialects import unpod

service = count()
handles = directory()


@endpoint(unpod.error_body)
def lambda_handler(request: Request) -> Response:
    """Lifetime totals of the organisation, or of the space that `space_token` names."""
    require_own_handle(request, handles)
    reading = request.reading
    totals = service(reading, single_value(request, "space_token"))
    if totals is None:  # before unknown parameters are refused: 404 comes before 400
        raise NotFound(unpod.SPACE_UNKNOWN)
    refuse_others(request, "space_token")
    return json_response(200, unpod.analytics_body(totals), analytics_headers(reading.meter))
