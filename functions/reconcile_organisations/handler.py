"""Compare facts, pages and rollups of the organisations that are due, on a schedule.

An invocation audits as much as its time allows, and the next one goes on from there. Two at a time
do no harm: a run belongs to whoever began it last, and the other's next write is refused.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.bootstrap import reconcile_due
from rollcall.lambdas.schedule import log_visits
from rollcall.retry import within_its_time

service = reconcile_due()


def lambda_handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """How many organisations' audits ended how, and the drift that was found."""
    with within_its_time(context):
        return log_visits(service())
