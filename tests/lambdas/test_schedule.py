"""The log of scheduled audits: drift can raise an alarm, failures come last, nothing is quoted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import pytest

from rollcall.domain.errors import Conflict, CorruptItem
from rollcall.lambdas import schedule
from rollcall.lambdas.schedule import AuditsFailed, log_visits
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.reconcile.schedule import Outcome, Visit

HOUR_MS = 3_600_000
NOW_MS = 1_000 * HOUR_MS


def audit(hours_ago: float, **fields: Any) -> Audit:
    at_ms = NOW_MS - int(hours_ago * HOUR_MS)
    return replace(Audit("run", at_ms, at_ms, at_ms), **fields)


def logged(visits: Sequence[Visit]) -> tuple[list[dict[str, Any]], dict[str, int] | None]:
    """(lines of the log, the answer, None when it failed)."""
    out = io.StringIO()
    handler = schedule.logger.registered_handler
    stream, handler.stream = handler.stream, out  # type: ignore[attr-defined]
    answer = None
    try:
        with redirect_stdout(out):
            answer = log_visits(visits)
    except AuditsFailed:
        pass
    finally:
        handler.stream = stream  # type: ignore[attr-defined]
    return [json.loads(line) for line in out.getvalue().splitlines()], answer


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (audit(0), "INFO"),
        (audit(0, drift={"row_missing": 2, "rollup_differs": 1}), "ERROR"),
        (audit(0, drift={"row_missing": 2}, repaired=1), "ERROR"),
        (audit(0, drift={"row_missing": 2}, repaired=2), "WARNING"),
        (audit(0, unsettled=1), "WARNING"),
        (audit(0, unsettled=1, drift={"row_missing": 1}), "ERROR"),
    ],
)
def test_drift_is_logged_so_that_it_can_raise_an_alarm(found: Audit, level: str) -> None:
    for outcome, message in [
        (Outcome.FINISHED, "audited"),
        (Outcome.UNFINISHED, "audit unfinished"),
    ]:
        (line, summary), answer = logged([Visit("org_1", outcome, found)])
        assert (line["message"], line["level"], line["org_id"]) == (message, level, "org_1")
        assert line["drift"] == found.drift_count
        assert (line["repaired"], line["unsettled"]) == (found.repaired, found.unsettled)
        assert (summary["message"], summary["level"]) == ("audits", "INFO")
        assert answer is not None
        assert answer[outcome.value] == summary[outcome.value] == 1


def test_failures_are_raised_after_all_is_logged_and_quote_nothing() -> None:
    secret = "Anna Müller"
    try:
        int(secret)
    except ValueError as error:
        defect = error
    lines, answer = logged(
        [
            Visit("a", Outcome.FAILED, error=defect),
            Visit("b", Outcome.FAILED, audit(0), CorruptItem("attribute 'facts' is missing")),
            Visit("c", Outcome.TAKEN_OVER, audit(0), Conflict(secret)),
            Visit("d", Outcome.FINISHED, audit(0)),
            Visit("e", Outcome.WAITING),
        ]
    )
    assert answer is None
    assert [(line["message"], line["level"]) for line in lines] == [
        ("audit failed", "ERROR"),
        ("audit failed", "ERROR"),
        ("audit taken over", "WARNING"),
        ("audited", "INFO"),
        ("audits", "INFO"),
    ]
    assert lines[0]["error"] == "ValueError"
    assert lines[0]["places"][-1].startswith("test_schedule.py:")
    assert lines[1]["error"] == "CorruptItem(\"attribute 'facts' is missing\")"
    assert "Müller" not in json.dumps(lines, ensure_ascii=False)
    assert lines[-1]["waiting"] == 1


def test_a_visit_is_logged_before_the_next_one_begins() -> None:
    begun: list[str] = []

    def visits() -> Iterator[Visit]:
        for org_id in "ab":
            begun.append(f"visit {org_id}")
            yield Visit(org_id, Outcome.FINISHED, audit(0))

    original = schedule._log
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            schedule, "_log", lambda visit: (begun.append(f"log {visit.org_id}"), original(visit))
        )
        log_visits(visits())
    assert begun == ["visit a", "log a", "visit b", "log b"]
