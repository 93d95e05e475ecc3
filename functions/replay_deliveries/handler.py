"""Replay the deliveries to hooks that wait: each once it is kept, and on a schedule what still waits.

An invocation of the schedule replays as many as its time allows, and the next one resumes. Two at a time
do no harm: a delivery may be recorded twice, which changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import replay_deliveries
from rollcall.lambdas.objects import created_object
from rollcall.retry import within_its_time
from rollcall.telemetry import observed

service = replay_deliveries()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The number of deliveries by outcome."""
    with observed(context.aws_request_id), within_its_time(context):
        name = created_object(event)
        return service() if name is None else service.one(name)
