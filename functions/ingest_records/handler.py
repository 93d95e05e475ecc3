"""Answer POST /v1/records: check each record on its own, and store it before acknowledging it."""

from rollcall.api import ingest as wire
from rollcall.api.handlers import Request, Response, endpoint, json_response
from rollcall.bootstrap import ingest
from rollcall.clock import now_ms
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body
from rollcall.dialects.rollcall.records import verdicts_body
from rollcall.invocation import Metric, count

service = ingest()


@endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: Request) -> Response:
    """Takes 1 to 500 records; answers 200 if all are valid, 207 if some are, 422 if none is."""
    documents = wire.parse_body(request)
    changes, refusals = wire.parse_documents(documents, now_ms())
    receipt = service(request.caller.org_id, changes)
    count(Metric.RECORDS_ACCEPTED, receipt.accepted)
    rejected = len(documents) - receipt.accepted - receipt.unchanged - receipt.stale
    count(Metric.RECORDS_REJECTED, rejected)
    return json_response(*verdicts_body(documents, refusals, receipt))
