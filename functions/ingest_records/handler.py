"""Answer POST /v1/records: take facts in, each judged alone, durable before it is acknowledged."""

from rollcall.api import ingest as wire
from rollcall.api.endpoint import endpoint
from rollcall.api.http import Request, Response
from rollcall.bootstrap import ingest
from rollcall.dialects.rollcall.problem import PROBLEM_TYPE, problem_body

service = ingest()


@endpoint(problem_body, content_type=PROBLEM_TYPE)
def lambda_handler(request: Request) -> Response:
    """1 to 500 records; 200 when all are good, 207 when some are, 422 when none is."""
    documents = wire.parse_body(request)
    changes, refusals = wire.parse_documents(documents)
    receipt = service(request.caller.org_id, changes)
    return wire.render(documents, refusals, receipt)
