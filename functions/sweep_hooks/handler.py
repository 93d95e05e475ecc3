"""End the calls of hooks whose end never came, on a schedule.

An invocation sweeps as many calls as its time allows, and the next one resumes. Two at a time do no
harm: the second finds a call ended.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import sweep_hooks
from rollcall.retry import within_its_time
from rollcall.telemetry import observed

service = sweep_hooks()


def lambda_handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The number of calls by outcome."""
    with observed(context.aws_request_id), within_its_time(context):
        return service()
