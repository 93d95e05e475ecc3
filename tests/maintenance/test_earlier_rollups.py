"""A deployment whose rollups an earlier release wrote: exact before, during and after a rebuild."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.organisations import Organisation
from rollcall.maintenance import audits
from rollcall.storage import keys
from rollcall.storage.rollups import stored_rollup
from tests.support.agreement import check, without_ties
from tests.support.answering import deployed
from tests.support.earlier_release import as_written_earlier, siblings
from tests.support.generate import mixed_records
from tests.support.neutral import neutral
from tests.support.oracle import Oracle
from tests.support.queries_of_dialects import scenario
from tests.support.rebuilding import NOW_MS, PATIENCE, World
from tests.support.reconciling import organisation, reconcile, stored

pytestmark = pytest.mark.property


@pytest.mark.representatives(2)
@pytest.mark.parametrize("seed", range(6))
def test_answers_stay_exact_while_rollups_of_both_forms_are_stored(seed: int) -> None:
    asked = scenario(Random(f"earlier/{seed}"), queries=25)
    with deployed(NOW_MS) as deployment:
        deployment.contribution_version = 1
        oracle = Oracle()
        records = without_ties(asked.records, Oracle(), NOW_MS)
        middle = len(records) // 2
        org_id = deployment.organisation(records[:middle], oracle)
        as_written_earlier(deployment.store)
        for query in asked.queries:
            check(deployment, org_id, oracle, query)
        deployment.add(records[middle:], oracle)
        for query in asked.queries:
            check(deployment, org_id, oracle, query)


def test_a_rebuild_replaces_them_while_both_epochs_are_written() -> None:
    world = World(organisation=Organisation("org#1", "acme", "Acme", 1, 2, contributions={0: 1}))
    records = [r for r in mixed_records(7, 80, days=2, spaces=2, others=2) if isinstance(r, dict)]
    third = len(records) // 3
    world.put(records[:third])
    assert as_written_earlier(world.store) > 20
    assert siblings(world.store)
    world.put(records[third : 2 * third])
    assert _checked_measures(world) > 50
    run = world.rebuild.go_on(world.org_id, world.rebuild.begin(world.org_id), PATIENCE)
    assert set(world.organisation.written) == {0, 1}
    world.put(records[2 * third :])
    assert _checked_measures(world) > 50
    world.run_to_its_end(world.rebuild, run)
    world.assert_rebuilt(1)
    assert not siblings(world.store)


def _checked_measures(world: World) -> int:
    """How many measures epoch 0 has; each is right, and those it lacks are of spilled breakdowns."""
    found: list[Any] = []
    spilled: list[Any] = []
    for item in world.items(0):
        if "#ROLLUP#" in item["PK"]["S"]:
            place = keys.Key(item["PK"]["S"], item["SK"]["S"])
            key = keys.parse_rollup(Bucket(Epoch(world.org_id, 0)), place)
            stored = stored_rollup(key, item)
            found.append((key, stored.measures))
            spilled.append((key, dict.fromkeys(stored.spilled, 1)))
    measures, due = neutral(found), world.oracle.rollups()
    assert {name: due.get(name) for name in measures} == measures
    missing = {(*name[:3], name[3][0]) for name in due.keys() - measures.keys()}
    assert missing <= {(*name[:3], name[3][0]) for name in neutral(spilled)}
    return len(measures)


def test_a_comparison_reports_the_items_without_a_reader_and_removes_them() -> None:
    with stored() as tables:
        made = organisation(tables, 1)
        as_written_earlier(tables.store)
        left = len(siblings(tables.store))
        assert left > 10
        assert reconcile(made, is_repairing=False).drift == {audits.ROLLUP_PHANTOM: left}
        assert reconcile(made, is_repairing=True).drift == {audits.ROLLUP_PHANTOM: left}
        assert reconcile(made, is_repairing=False).drift == {}
        assert not siblings(tables.store)
