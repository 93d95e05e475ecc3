"""Answer POST /v1/Inbound/{inboundId}/Analytics in NLPearl's published format."""

from rollcall.api.body import limit_body
from rollcall.api.endpoint import analytics_headers, endpoint
from rollcall.api.errors import NotFound
from rollcall.api.http import Request, Response, json_response
from rollcall.api.parameters import refuse_others
from rollcall.bootstrap import report_campaign
from rollcall.dialects import nlpearl
from rollcall.domain.campaigns import CampaignId
from rollcall.domain.questions import Reading

service = report_campaign()


@endpoint(nlpearl.error_body, too_many_rows=400)
def lambda_handler(request: Request) -> Response:
    """Measures of one inbound campaign, over an inclusive range of less than 91 days."""
    limit_body(request)
    reading = Reading(request.caller.epoch)
    campaign = CampaignId(request.path_parameter("inboundId"), "inbound")
    if not service.is_known(reading, campaign):  # 404 comes before 400
        raise NotFound(nlpearl.UNKNOWN)
    refuse_others(request)
    period = nlpearl.parse_period(request.json())
    report = service(reading, campaign, period)
    return json_response(
        200, nlpearl.inbound_body(report, period), analytics_headers(reading.meter)
    )
