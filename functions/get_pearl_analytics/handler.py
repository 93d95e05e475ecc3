"""Answer POST /v2/Pearl/{pearlId}/Analytics in NLPearl's published format."""

from rollcall.api.handlers import (
    Request,
    Response,
    analytics_headers,
    endpoint,
    json_response,
    require_campaign,
)
from rollcall.bootstrap import report_campaign
from rollcall.dialects import nlpearl
from rollcall.query.model import CampaignId

service = report_campaign()


@endpoint(nlpearl.error_body, too_many_rows=400)
def lambda_handler(request: Request) -> Response:
    """Measures of one Pearl's calls, in both directions, over an inclusive range under 91 days."""
    reading = request.reading
    named = CampaignId(request.path_parameter("pearlId"), None)
    campaign = require_campaign(request, reading, service, named)  # 404 comes before 400
    period = nlpearl.parse_period(request.json())
    body = nlpearl.outbound_body(service(reading, campaign, period), period)
    return json_response(200, body, analytics_headers(reading.meter))
