"""The comparison of facts: a wrong place is reported, and what is pending is not forgotten."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.errors import Unavailable
from rollcall.maintenance import audits
from tests.support import drift
from tests.support.reconciling import add, organisation, reconcile, stored
from tests.support.versions import NOW_MS as STORED_MS

pytestmark = pytest.mark.property


SEEDS = range(int(os.environ.get("ROLLCALL_TEST_DRIFTS", "6")))
few_and_all = pytest.mark.parametrize(
    "seeds",
    [pytest.param(SEEDS[:3], id="few"), pytest.param(SEEDS, id="all", marks=pytest.mark.slow)],
)


@pytest.mark.representatives(1)
@few_and_all
@pytest.mark.parametrize("plant", drift.FACTS_TO_LOOK_AT, ids=lambda plant: plant.__name__)
def test_facts_in_a_wrong_place_are_reported(plant: Any, seeds: range) -> None:
    with stored() as tables:
        for seed in seeds:
            tables.store.clear()
            made = organisation(tables, seed)
            assert plant(drift.Planter(tables, made.epoch(made.live), Random(seed)))
            for is_repairing in (False, True, False):
                reported = reconcile(made, is_repairing=is_repairing)
                assert reported.drift[audits.FACT_DAMAGED] == 1, (seed, reported)
                assert not reported.is_exact


def test_what_is_pending_is_not_forgotten_when_time_runs_out() -> None:
    """A run that ends while it looks again leaves all that it has still to look at to the next."""
    with stored() as tables:
        made = organisation(tables, 3)
        tables.now_ms = STORED_MS + 5_000
        lost = [
            {
                "type": "task",
                "id": f"task {n}",
                "created_at": "2026-01-01T00:00:00Z",
                "status": "hold",
            }
            for n in range(5)
        ]
        add(tables, made, lost, is_lost=True)
        is_over = False

        def sleep(seconds: float) -> None:
            nonlocal is_over
            tables.sleep(seconds)
            is_over = True

        def around(operation: str, send: Any) -> Any:
            if is_over and operation != "PutItem":  # how far it came is saved
                raise Unavailable("out of time")
            return send()

        bootstrap.time.sleep = sleep  # type: ignore[assignment]
        tables.client.around = around
        with pytest.raises(Unavailable):
            reconcile(made, is_repairing=True, grace_seconds=60)
        is_over = False
        tables.client.around = lambda _operation, send: send()
        audit = reconcile(made, is_repairing=True, grace_seconds=60)
        assert audit.drift == {audits.ROW_MISSING: 5}
        assert tables.violations(made) == []
