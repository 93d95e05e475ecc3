"""The comparison of pages against items that nothing of ours would write, and against lost pages."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from rollcall.maintenance import audits
from rollcall.storage import keys
from tests.support import drift
from tests.support.drift import ANALYTICS
from tests.support.reconciling import organisation, reconcile, stored

pytestmark = pytest.mark.property


SEEDS = range(int(os.environ.get("ROLLCALL_TEST_DRIFTS", "6")))
# Each plant finds what it needs in the organisation of seed 1.
one_and_all = pytest.mark.parametrize(
    "seeds",
    [pytest.param([1], id="one"), pytest.param(SEEDS, id="all", marks=pytest.mark.slow)],
)
IN_EPOCH: Any = re.compile(r"(B\d+#|)([A-Z]+)#.*")
DAY = re.compile(r"DAY#\d{4}-\d{2}-\d{2}")


def ill_formed(tables: Any, made: Any) -> list[str]:
    """What an item of the live epoch has otherwise than docs/data-model.md says, keys apart."""
    found = []
    prefix = f"ORG#{made.id}#E{made.live}#"
    for item in tables.all(ANALYTICS):
        pk, sk = item["PK"]["S"], item["SK"]["S"]
        assert pk.startswith(prefix)
        of_bucket, kind = IN_EPOCH.fullmatch(pk.removeprefix(prefix)).groups()
        listed = of_bucket + ("PAGE#" if kind == "LEDGER" else f"{kind}#{sk}")
        is_right = (
            kind in ("LEDGER", "ROLLUP")
            and item.get("GSI1PK") == {"S": prefix}
            and item.get("GSI1SK") == {"S": listed}
            and int(item.get("v", {}).get("N", "0")) >= 1
            and "N" in item.get("applied_at", {})
            and (kind == "LEDGER" or sk == "ALL" or DAY.fullmatch(sk))
            and (kind == "LEDGER" or item["whole"] == item["v"])
        )
        if not is_right:
            found.append(f"{pk} {sk} {sorted(item)}")
    return found


def _is_allowed(violation: str) -> bool:
    """A mark is one way, and a row that no fact can kill stays as a tombstone."""
    return "spilled without need" in violation or "a row twice" in violation


def test_a_lost_page_hides_only_what_its_rows_add_to() -> None:
    """Without a repair the contents of those rollups are unknown; all others are reported."""
    with stored() as tables:
        made = organisation(tables, 3)
        ledger = keys.ledger(made.epoch(made.live).buckets[0], "call")
        lost = [item for item in tables.all(ANALYTICS) if item["PK"]["S"] == ledger]
        assert len(lost) > 1
        for item in lost[1:]:
            tables.delete(ANALYTICS, item)
        wrong = 0
        for item in tables.all(ANALYTICS):
            pk = item["PK"]["S"]
            if any(f"#ROLLUP#{family}#" in pk for family in ("calls", "tasks", "leads")):
                count = next(n for n in ("calls", "tasks", "leads") if f"#ROLLUP#{n}#" in pk)
                raised = {"N": str(int(item.get(count, {"N": "0"})["N"]) + 2)}
                tables.put(ANALYTICS, {**item, count: raised})
                wrong += count != "calls"
        audit = reconcile(made, is_repairing=False)
        assert audit.drift[audits.PAGE_MISSING]
        assert audit.drift[audits.ROLLUP_DIFFERS] == wrong
        assert audit.unsettled
        assert reconcile(made, is_repairing=True).is_exact
        assert tables.violations(made) == []


@pytest.mark.representatives(5)
@one_and_all
@pytest.mark.parametrize("plant", drift.ODD_PLANTS, ids=lambda plant: plant.__name__)
def test_items_that_no_writer_makes_are_reported_and_repaired(
    plant: Any, seeds: Sequence[int]
) -> None:
    planted = 0
    with stored() as tables:
        for seed in seeds:
            tables.store.clear()
            made = organisation(tables, seed)
            assert not ill_formed(tables, made)
            expected = plant(drift.Planter(tables, made.epoch(made.live), Random(seed)))
            if expected is None:
                continue
            planted += 1
            before = tables.everything()
            reported = reconcile(made, is_repairing=False)
            assert reported.drift.keys() & expected, (seed, reported)
            assert not reported.is_exact
            assert tables.everything() == before, "a comparison wrote something"

            repaired = reconcile(made, is_repairing=True)
            assert repaired.drift.keys() & expected, (seed, repaired)
            assert repaired.is_exact, (seed, repaired)
            assert [v for v in tables.violations(made) if not _is_allowed(v)] == [], seed
            assert ill_formed(tables, made) == [], seed
            again = reconcile(made, is_repairing=False)
            assert (again.drift, again.unsettled) == ({}, 0), (seed, again)
    assert planted >= len(seeds) / 3


def test_an_item_of_another_organisation_is_reported_and_left_alone() -> None:
    with stored() as tables:
        made, other = organisation(tables, 1), organisation(tables, 2)
        prefix = keys.epoch_prefix(other.id, other.live)
        item = next(i for i in tables.all(ANALYTICS) if i["PK"]["S"].startswith(prefix))
        listed = {"S": keys.epoch_prefix(made.id, made.live)}
        tables.put(ANALYTICS, item | {"GSI1PK": listed})
        for is_repairing in (False, True):
            audit = reconcile(made, is_repairing=is_repairing)
            assert (audit.drift_count, audit.repaired) == (1, 0)
        assert reconcile(other, is_repairing=True).repaired == 1
        for organisation_ in (made, other):
            assert reconcile(organisation_, is_repairing=False).drift == {}
            assert tables.violations(organisation_) == []
