"""Answer GET /api/workspaces/{workspaceId}/analytics in Nexus's published format."""

from rollcall.api.handlers import (
    Forbidden,
    Request,
    Response,
    analytics_headers,
    endpoint,
    json_response,
    refuse_others,
)
from rollcall.bootstrap import report_workspace
from rollcall.dialects import nexus

service = report_workspace()


@endpoint(nexus.error_body)
def lambda_handler(request: Request) -> Response:
    """Lifetime figures of one workspace, and its last 30 days."""
    reading = request.reading
    report = service(reading, request.path_parameter("workspaceId"))
    if report is None:  # unknown, or another organisation's: the answer is the same
        raise Forbidden(nexus.FORBIDDEN)
    refuse_others(request)
    return json_response(200, nexus.analytics_body(report), analytics_headers(reading.meter))
