"""Unpod's shapes: organisation analytics and the list of organisations.

Source: Unpod's published API reference, "Organisation analytics" (`GET
/api/v2/platform/organisation/analytics/`): header `Org-Handle`, query `space_token`, body and status
codes. Rounding and the order of checks are Rollcall's, where the reference is silent.
"""

from __future__ import annotations

from typing import Any, Final

from rollcall.domain.calendar import format_instant
from rollcall.domain.numbers import divide
from rollcall.domain.organisations import Organisation
from rollcall.usecases.count import Totals

SPACE_UNKNOWN: Final = "Space not found."

_BREAKDOWN: Final = ("pending", "running", "completed", "failed")


def error_body(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"status_code": status, "message": message}


def analytics_body(totals: Totals) -> dict[str, Any]:
    """The body of organisation analytics. The average is over calls that have a duration."""
    calls, tasks = totals.calls, totals.tasks
    return {
        "status_code": 200,
        "message": "Analytics fetched successfully",
        "data": {
            "total_calls": calls.get("calls", 0),
            "completed_calls": calls.get("s.completed", 0),
            "failed_calls": calls.get("s.failed", 0),
            "avg_duration_seconds": divide(calls.get("seconds", 0), calls.get("timed", 0), 1),
            "total_tasks": tasks.get("tasks", 0),
            "task_status_breakdown": {s: tasks.get(f"s.{s}", 0) for s in _BREAKDOWN},
        },
    }


def organisations_body(organisation: Organisation) -> dict[str, Any]:
    """The body of the list of organisations: the one that the token belongs to."""
    return {
        "status_code": 200,
        "message": "Organizations fetched successfully",
        "data": [
            {
                "id": organisation.id,
                "name": organisation.name,
                "domain_handle": organisation.handle,
                "created_at": format_instant(organisation.created_at_ms),
            }
        ],
    }
