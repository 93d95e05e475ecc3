"""Replay the deliveries to hooks that wait, on a schedule.

An invocation replays as many as its time allows, and the next one resumes. Two at a time do no harm: a
delivery may be recorded twice, which changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import replay_deliveries
from rollcall.retry import within_its_time
from rollcall.telemetry import observed

service = replay_deliveries()


def lambda_handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The number of deliveries by outcome."""
    with observed(context.aws_request_id), within_its_time(context):
        return service()
