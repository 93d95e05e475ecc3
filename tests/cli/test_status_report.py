"""When `rollcall status` calls a deployment healthy, and what it prints."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from rollcall.maintenance.audits import Audit
from rollcall.maintenance.lag import Lag
from rollcall_cli.status_report import OrganisationStatus, Status

EXACT = Audit("run", 0, 0, finished_at_ms=1_795_000_000_000)
REPAIRED = replace(EXACT, drift={"row_missing": 2}, repaired=2)
DRIFT = replace(EXACT, drift={"row_missing": 3}, repaired=1, unsettled=4)
FRESH, LATE = Lag(0.42, True), Lag(30.1, False)


def one(lag: Lag | None, audit: Audit | None) -> OrganisationStatus:
    return OrganisationStatus("acme", lag, audit)


@pytest.mark.parametrize(
    ("answers", "failed", "lag", "audit"),
    list(
        product(
            (None, True, False), (None, 0, 2), (None, FRESH, LATE), (None, EXACT, REPAIRED, DRIFT)
        )
    ),
)
def test_what_was_checked_must_be_good_and_what_was_not_checked_counts_as_good(
    answers: bool | None, failed: int | None, lag: Lag | None, audit: Audit | None
) -> None:
    status = Status("here", "http://x", answers, failed, (one(FRESH, EXACT), one(lag, audit)))
    is_bad = answers is False or failed == 2 or lag is LATE or audit is DRIFT
    assert status.is_healthy == (not is_bad)
    assert status.document()["healthy"] == (not is_bad)


@pytest.mark.parametrize(
    ("lag", "audit", "row"),
    [
        (None, None, ["acme", "-", "never", "-"]),
        (FRESH, EXACT, ["acme", "0.4 s", "2026-11-18T11:06Z", "exact"]),
        (LATE, DRIFT, ["acme", "over 30.1 s", "2026-11-18T11:06Z", "2 drifted, 4 unverified"]),
        (FRESH, REPAIRED, ["acme", "0.4 s", "2026-11-18T11:06Z", "exact"]),
    ],
)
def test_rows(lag: Lag | None, audit: Audit | None, row: list[str]) -> None:
    assert one(lag, audit).row() == row


def test_what_was_not_checked_is_said() -> None:
    lines = Status("here", None, None, None, ()).lines()
    assert [line[8:] for line in lines] == [
        "reachable (here)",
        "not checked; pass --api or --stack-name",
        "not measured",
        "not checked; ROLLCALL_FAILURE_DESTINATION is not set",
        "none with drift",
    ]


def test_what_needs_attention_is_said() -> None:
    lines = Status("here", "http://x", False, 2, (one(LATE, DRIFT), one(FRESH, EXACT))).lines()
    assert [line[8:] for line in lines[1:]] == [
        "DOES NOT ANSWER at http://x",
        "1 BEHIND by more than 30.1 s",
        "2 objects; see rollcall redrive list",
        "1 with drift",
    ]


def test_the_json_document() -> None:
    status = Status("here", "http://x", True, 0, (one(FRESH, DRIFT), one(None, None)))
    assert status.document() == {
        "healthy": False,
        "tables": "here",
        "api": {"url": "http://x", "answers": True},
        "failed_objects": 0,
        "organisations": [
            {
                "handle": "acme",
                "lag_seconds": 0.42,
                "applied": True,
                "last_audit": {
                    "finished_at": "2026-11-18T11:06:40.000Z",
                    "exact": False,
                    "drift": 3,
                    "repaired": 1,
                    "unsettled": 4,
                },
            },
            {"handle": "acme", "lag_seconds": None, "applied": None, "last_audit": None},
        ],
    }
