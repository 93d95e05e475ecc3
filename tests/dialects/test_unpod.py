"""Unpod's bodies out of totals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects import unpod
from rollcall.domain.choices import TASK_STATUSES
from rollcall.domain.organisations import Organisation
from rollcall.query.reports.totals import Totals

counts = st.integers(0, 10**9)
statuses = st.fixed_dictionaries({}, optional={f"s.{status}": counts for status in TASK_STATUSES})


@pytest.mark.property
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("calls", "s.completed", "s.failed", "s.busy", "timed", "seconds"), counts
        ),
    ),
    st.fixed_dictionaries({}, optional={"tasks": counts}),
    statuses,
)
def test_every_figure_is_a_measure_and_zero_where_there_is_none(
    calls: Any, tasks: Any, by_status: Any
) -> None:
    data = unpod.analytics_body(Totals(calls, tasks | by_status))["data"]
    assert data["total_calls"] == calls.get("calls", 0)
    assert data["completed_calls"] == calls.get("s.completed", 0)
    assert data["failed_calls"] == calls.get("s.failed", 0)
    assert data["total_tasks"] == tasks.get("tasks", 0)
    assert data["task_status_breakdown"] == {
        status: by_status.get(f"s.{status}", 0)
        for status in ("pending", "running", "completed", "failed")
    }
    timed = calls.get("timed", 0)
    exact = Decimal(calls.get("seconds", 0)) / timed if timed else Decimal(0)
    rounded = exact.quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert Decimal(str(data["avg_duration_seconds"])) == rounded


def test_the_list_has_the_organisation_of_the_token_alone() -> None:
    body = unpod.organisations_body(Organisation("org_1", "acme", "Acme é", 1_500))
    assert (body["status_code"], body["message"]) == (200, "Organizations fetched successfully")
    assert body["data"] == [
        {
            "id": "org_1",
            "name": "Acme é",
            "domain_handle": "acme",
            "created_at": "1970-01-01T00:00:01.500Z",
        }
    ]


def test_an_error_has_its_status_in_the_body() -> None:
    assert unpod.error_body(404, unpod.SPACE_UNKNOWN) == {
        "status_code": 404,
        "message": "Space not found.",
    }
