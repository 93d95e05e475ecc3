"""Exactly right under every fault: thousands of seeded schedules, and a kill at every operation.

A schedule that fails prints its seed; `python -m tests.simulation --seed N` replays it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.runner import State, Totals, report, run_many, run_range
from tests.simulation.scenario import ORG, OTHER, Scenario
from tests.simulation.schedule import MIN_WRITES, run_schedule
from tests.simulation.world import simulating
from tests.support.builders import call, deletion, full_call

pytestmark = pytest.mark.property


SCHEDULES = 2_000
PART = 500  # seeds that are run together, as large as the rarest fault needs to be seen often
ROOT = Path(__file__).parents[2]


@pytest.fixture
def product() -> Iterator[None]:
    """The product, wired to whichever world a test makes."""
    with simulating():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SCHEDULES, PART))
def test_every_schedule_is_exact(first: int) -> None:
    totals = run_range(first, first + PART)
    assert totals.schedules == PART
    assert totals.is_good, report(totals)
    assert totals.figures["writes"] >= MIN_WRITES * PART
    assert min(totals.figures[name] for name in ("redeliveries", "splits")) >= PART
    assert min(totals.figures[name] for name in ("rebuilds", "audits")) >= PART // 20
    assert totals.figures["hook deliveries acknowledged"] >= PART
    for name in ("hook calls", "hook deliveries again", "replayed of hooks/"):
        assert totals.figures[name] >= PART // 10, name
    # Every kind of fault did happen, often.
    kinds = "lost_reply throttle conflict in_progress broken_before broken_after".split()
    for kind in [*kinds, "unprocessed", "suspend", "kill", "outage"]:
        assert totals.faults[kind] >= 20, kind


@pytest.mark.slow
def test_processes_beside_each_other_add_up() -> None:
    """`run_many` cuts ranges in pieces of some seeds; these are three."""
    totals = Totals()
    run_many([(0, 2), (2, 4), (5, 6)], 2, lambda _first, _last, part: totals.merge(part))
    at_once = run_range(0, 4)
    at_once.merge(run_range(5, 6))
    assert (totals.schedules, totals.figures) == (5, at_once.figures)
    assert (totals.faults, totals.violations) == (at_once.faults, {})


def test_a_merge_may_be_refused_by_one_try_and_stored_by_another(product: None) -> None:
    """The first try waits until its time is over, reads what the second one stored, and ends."""
    assert not run_schedule(2889).violation


def test_an_epoch_is_removed_item_by_item(product: None) -> None:
    """The identities of a segment go before it, and the checker looks between the two."""
    assert not run_schedule(10_490).violation


def test_a_seed_replays_exactly(product: None) -> None:
    for seed in (3, 4):
        first, second = run_schedule(seed), run_schedule(seed)
        assert first == second
    assert run_schedule(5).trace_hash != second.trace_hash


@pytest.mark.slow
def test_a_seed_replays_exactly_in_another_process(product: None) -> None:
    """Nothing hangs on how a process hashes its texts."""
    # Enough of them that commands which compare and rebuild are at work in some.
    seeds = range(6, 22)
    code = f"""
from tests.simulation.runner import one_seed
print(*(one_seed(seed, "").trace_hash for seed in {seeds!r}), end="")
"""
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    reports = [run_schedule(seed) for seed in seeds]
    assert hashes == {" ".join(report.trace_hash for report in reports)}
    for name in ("audits", "rebuilds", "hook calls"):
        assert any(report.counts[name] for report in reports), name


@pytest.mark.slow
def test_a_resumed_run_adds_up(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = State.load(path)
    state.take(2, 4, run_range(2, 4))
    state.save(path)
    resumed = State.load(path)
    assert list(resumed.missing(0, 6)) == [(0, 2), (4, 6)]
    for start, end in list(resumed.missing(0, 6)):
        resumed.take(start, end, run_range(start, end))
    resumed.save(path)
    found, at_once = State.load(path), run_range(0, 6)
    assert found.done == [(0, 6)]
    assert not list(found.missing(1, 5))
    assert found.totals.figures == at_once.figures
    assert found.totals.faults == at_once.faults
    assert found.totals.schedules == at_once.schedules == 6


# ------------------------------------------------------- kill between any two operations
SMALL: list[tuple[str, list[Any]]] = [
    (ORG, [full_call("c1"), full_call("c2", outcome="other"), call("c3")]),
    (ORG, [full_call("c1", updated_at="2024-03-06T00:00:00Z", outcome="changed"), call("c4")]),
    (ORG, [deletion("call", "c2", "2024-03-07T00:00:00Z"), full_call("c5")]),
    (OTHER, [full_call("c1"), full_call("c1", updated_at="2024-03-06T00:00:00Z", cost=1)]),
]


def small_workload(function: str, operation: int | None) -> Scenario:
    """A fixed workload; the function's process dies just before its nth operation."""
    scenario = Scenario(seed=7, page_target_bytes=300)
    if operation is not None:
        scenario.world.kills[function, operation] = True
    for org_id, records in SMALL:
        scenario.send(records, org_id)
    scenario.start_stream(most_records=4)
    scenario.run()
    scenario.checker.check_at_rest()
    return scenario


@pytest.mark.slow
@pytest.mark.parametrize("function", ["ingest_records", "update_rollups"])
def test_kill_between_any_two_operations(function: str, product: None) -> None:
    undisturbed = small_workload(function, None)
    assert undisturbed.world.counts["splits"]
    operations = undisturbed.world.operations[function]
    assert operations > 10
    for operation in range(operations):
        scenario = small_workload(function, operation)
        assert scenario.world.faults.fired == {"kill": 1}, operation
