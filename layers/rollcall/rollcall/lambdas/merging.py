"""Logs scheduled merges of pages, one line per organisation, and builds the function's result."""

from __future__ import annotations

from collections.abc import Iterable

from rollcall.domain.errors import RollcallError
from rollcall.invocation import Metric, count
from rollcall.maintenance.merge_pages import Merged
from rollcall.telemetry import error_fields, logger


class MergesFailed(RollcallError):
    """Pages of some organisations could not be merged; the log has the errors."""


def log_merged(results: Iterable[Merged]) -> dict[str, int]:
    """Log each organisation when it ends, and return the sums.

    `segments` were made of `pages`; `changed` are runs of pages that were written meanwhile; `failed`
    and `waiting` are organisations with an error, and those for which the time did not suffice.
    Raises MergesFailed after the last one if any failed.
    """
    sums = dict.fromkeys(("segments", "pages", "changed", "failed", "waiting"), 0)
    for merged in results:
        of_this = {
            "segments": merged.segments,
            "pages": merged.pages,
            "changed": merged.changed,
            "failed": int(merged.error is not None),
            "waiting": int(merged.error is None and not merged.is_finished),
        }
        for name, number in of_this.items():
            sums[name] += number
        if merged.error is not None:
            fields = {"org_id": merged.org_id, **of_this, **error_fields(merged.error)}
            logger.error("pages not merged", extra=fields)
        elif merged.segments or merged.changed:
            logger.info("pages merged", extra={"org_id": merged.org_id, **of_this})
    logger.info("merging", extra=sums)
    count(Metric.PAGES_MERGED, sums["pages"])
    if sums["failed"]:
        raise MergesFailed(f"the pages of {sums['failed']} organisations could not be merged")
    return sums
