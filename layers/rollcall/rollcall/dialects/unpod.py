"""Unpod's dialect: organisation analytics and the list of organisations.

Source: Unpod's published API reference, "Organisation analytics" (`GET
/api/v2/platform/organisation/analytics/`): header `Org-Handle`, query `space_token`, body and
status codes. Where it is silent, docs/contract.md says what Rollcall decided: rounding and the
order of checks.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from typing_extensions import TypedDict

from rollcall.domain.decimals import Number, divide
from rollcall.domain.organisations import Organisation
from rollcall.domain.time.calendar import format_instant
from rollcall.query.reports.totals import Totals

SPACE_UNKNOWN: Final = "Space not found."


class TaskStatusBreakdown(TypedDict):
    """Tasks of four statuses; tasks of other statuses are in the total only."""

    pending: int
    running: int
    completed: int
    failed: int


class OrganisationTotals(TypedDict):
    """Lifetime totals of calls and tasks, of the organisation or of one space."""

    total_calls: int
    """Calls of every status, including those that are neither completed nor failed."""
    completed_calls: int
    failed_calls: int
    avg_duration_seconds: Number
    """Over the calls that have a duration, to one decimal; 0.0 when there is none."""
    total_tasks: int
    task_status_breakdown: TaskStatusBreakdown


class OrganisationAnalytics(TypedDict):
    """The body of organisation analytics."""

    status_code: Literal[200]
    message: Literal["Analytics fetched successfully"]
    data: OrganisationTotals


class OrganisationEntry(TypedDict):
    """One organisation; `domain_handle` is what `Org-Handle` takes."""

    id: str
    name: str
    domain_handle: str
    created_at: str


class Organisations(TypedDict):
    """The body of the list of organisations: the one that the token belongs to."""

    status_code: Literal[200]
    message: Literal["Organizations fetched successfully"]
    data: list[OrganisationEntry]


class Error(TypedDict):
    """The body of an error."""

    status_code: int
    message: str


def error_body(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"status_code": status, "message": message}


def analytics_body(totals: Totals) -> OrganisationAnalytics:
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
            "task_status_breakdown": {
                "pending": tasks.get("s.pending", 0),
                "running": tasks.get("s.running", 0),
                "completed": tasks.get("s.completed", 0),
                "failed": tasks.get("s.failed", 0),
            },
        },
    }


def organisations_body(organisation: Organisation) -> Organisations:
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
