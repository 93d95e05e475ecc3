"""Audit the organisations that are due, on a schedule.

An invocation audits as much as its time allows, and the next one resumes from there. Two at a time
do no harm: a run belongs to the invocation that began it last, and the next write of the other one
is refused.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import reconcile_due
from rollcall.lambdas.schedule import log_visits
from rollcall.retry import within_its_time
from rollcall.telemetry import observed

service = reconcile_due()


def lambda_handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The number of audits by outcome, and the drift that they found."""
    with observed(context.aws_request_id), within_its_time(context):
        return log_visits(service())
