"""The body of GET /v1/audit: figures of the last audit, never zeros in their place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.dialects.rollcall.audit import LatestAudit, RunningAudit, audit_body
from rollcall.domain.time.calendar import format_instant
from rollcall.maintenance.audits import Audit
from tests.support.auditing import difference

RUNNING = Audit(
    "run", started_at_ms=1_000, checked_at_ms=2_000, facts=3, rows=4, pages=5, rollups=6
)
LAST = replace(RUNNING, finished_at_ms=9_000, repaired=1, unsettled=2)
FIGURES = ("facts", "rows", "pages", "rollups", "drift", "repaired", "unsettled", "exact")


@pytest.mark.parametrize("last", [None, RUNNING])
def test_until_an_audit_has_finished_every_figure_is_null(last: Audit | None) -> None:
    body = audit_body(last, None)
    assert body.keys() == LatestAudit.__annotations__.keys()
    assert {body[name] for name in FIGURES} == {None}  # type: ignore[literal-required]
    assert (body["last_run"], body["started_at"], body["running"]) == (None, None, None)
    assert (body["drift_by_kind"], body["differences"]) == ({}, [])


def test_a_finished_audit_has_every_figure() -> None:
    drift = {"row_missing": 2, "rollup_differs": 1, "page_damaged": 0}
    body = audit_body(replace(LAST, drift=drift, differences=(difference(amount=7),)), RUNNING)
    assert body.keys() == LatestAudit.__annotations__.keys()
    assert (body["last_run"], body["started_at"]) == (format_instant(9_000), format_instant(1_000))
    assert [body[name] for name in FIGURES] == [3, 4, 5, 6, 3, 1, 2, False]  # type: ignore[literal-required]
    assert body["drift_by_kind"] == {"rollup_differs": 1, "row_missing": 2}
    assert [each["amount"] for each in body["differences"]] == [7]
    assert body["running"] is not None
    assert body["running"].keys() == RunningAudit.__annotations__.keys()
    assert body["running"]["checked_at"] == format_instant(2_000)


def test_an_audit_is_exact_when_no_drift_is_left_and_nothing_is_unverified() -> None:
    exact = replace(LAST, repaired=0, unsettled=0)
    assert audit_body(exact, None)["exact"] is True
    assert audit_body(replace(exact, unsettled=1), None)["exact"] is False
    assert audit_body(replace(exact, drift={"row_missing": 1}), None)["exact"] is False
    assert audit_body(replace(exact, drift={"row_missing": 1}, repaired=1), None)["exact"] is True
