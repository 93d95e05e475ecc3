"""Merge ledger pages at rest into segments, on a schedule.

An invocation merges as many as its time allows, and the next one resumes. Two at a time do no harm:
of two that merge the same pages, one is refused.
"""

from collections.abc import Mapping
from typing import Any

from rollcall.lambdas.merging import log_merged
from rollcall.merging import merge_pages
from rollcall.retry import within_its_time
from rollcall.telemetry import observed

service = merge_pages()


def lambda_handler(_event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """The number of segments, of pages merged into them, and of organisations by outcome."""
    with observed(context.aws_request_id), within_its_time(context):
        return log_merged(service())
