"""Apply the records table's stream to ledger pages and rollups.

Delivery is at least once: batches are retried, re-cut, bisected and replayed, and a timed-out
invocation may still finish. None of that changes the result; see docs/exactness.md. Records that no
retry can apply are quarantined, and the rest of the batch is applied. After any other failure, the
earliest record that is not known to be applied or quarantined is reported, so that the stream
delivers it and all later records again.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import update
from rollcall.lambdas.stream import partial_batch_response
from rollcall.retry import within_its_time
from rollcall.telemetry import observed

service = update()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A partial batch response: empty, or with one item identifier."""
    records = event["Records"]
    with observed(context.aws_request_id), within_its_time(context):
        return partial_batch_response(records, service(records))
