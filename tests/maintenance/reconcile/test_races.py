"""Reconcile while everything else goes on: no drift is invented, and none that is planted is missed.

Every seed is a deployment of the simulation: clients, the real ingest and updater, late replays,
faults, page splits, spills, and operators who compare or repair meanwhile, are killed and suspended
at any of their requests, and begin again. What is right is said by counting the raw items.

ROLLCALL_TEST_RACES=1000 runs as many seeds of each kind; ROLLCALL_TEST_RACES_FROM says where they
begin. A failure names its seed.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import islice

import pytest

from rollcall.maintenance.audits import Audit
from tests.simulation.world import simulating
from tests.support import drift
from tests.support.racing import Race

pytestmark = pytest.mark.property


RACES = int(os.environ.get("ROLLCALL_TEST_RACES", "0"))
FIRST = int(os.environ.get("ROLLCALL_TEST_RACES_FROM", "0"))
# What cannot be repaired without an operator is tested elsewhere.
PLANTS = [p for p in drift.PLANTS + drift.ODD_PLANTS if p is not drift.Planter.fact_is_garbage]
# Of what is reported, counting raw items does not see these.
_UNCOUNTED = ("page_phantom", "page_damaged", "rollup_damaged", "rollup_phantom")


@pytest.fixture(autouse=True)
def product() -> Iterator[None]:
    """The product, wired to whichever race there is."""
    gc.disable()  # worlds are cycles of greenlets: they are collected between two
    try:
        with simulating():
            yield
    finally:
        gc.enable()


def races(count: int) -> Iterator[Race]:
    """Races of so many seeds, or of as many as are asked for, with all tasks but the operators."""
    for seed in range(FIRST, FIRST + (RACES or count)):
        race = Race(seed)
        race.clients(race.random.choice((6, 12)))
        race.replayer()
        race.weather()
        yield race
        gc.collect()


def operators(race: Race, fewest: int = 1) -> list[object]:
    """One or two, who compare or repair once or twice."""
    random = race.random
    return [
        race.operator(
            is_repairing=random.random() < 0.6,
            runs=random.choice((1, 2)),
            after_ms=random.choice((0, 5_000, 60_000)),
        )
        for _ in range(random.choice((fewest, 1, 2)))
    ]


@pytest.mark.slow
def test_nothing_is_invented_while_writes_go_on() -> None:
    figures: Counter[str] = Counter()
    for race in races(20):
        race.run(*operators(race), is_checked=True)
        race.checker.check_at_rest()
        _nothing_was_reported(race)
        figures += race.counts
    print(dict(figures))
    assert figures["audits"] >= 20
    assert min(figures[kind] for kind in ("reconcile killed", "taken over")) > 0


@pytest.mark.slow
def test_nothing_is_invented_while_epochs_are_switched() -> None:
    figures: Counter[str] = Counter()
    for race in races(10):
        race.rebuild()
        race.run(*operators(race), is_checked=False)
        race.checker.check_at_rest()
        _nothing_was_reported(race)
        figures += race.counts
    print(dict(figures))
    assert figures["epochs switched"] >= 9


def _nothing_was_reported(race: Race) -> None:
    assert race.reported == [], race.seed
    for audit in race.audits:
        assert (audit.drift, audit.repaired) == ({}, 0), (race.seed, audit)


@pytest.mark.slow
@pytest.mark.parametrize("is_lost", [False, True], ids=["planted", "lost"])
def test_what_is_planted_or_lost_is_found_and_gone_after_one_pass(is_lost: bool) -> None:
    """Drift by hand in the middle of it all, or at least 2 % of the stream's records lost."""
    figures: Counter[str] = Counter()
    for race in races(12):
        if is_lost:
            race.world.drop_stream_records(race.random.choice((0.02, 0.05, 0.2)))
        else:
            _plant(race, figures)
        race.last = partial(_one_pass, race, figures)  # type: ignore[method-assign]
        race.run(*operators(race, 0), is_checked=False)
        figures += race.counts
        figures["reported"] += len(race.reported)
        figures["repaired"] += sum(audit.repaired for audit in race.audits)
        figures["lost"] += race.world.stream.dropped if is_lost else 0
    print(dict(figures))
    assert figures["missed"] == figures["invented"] == 0
    assert figures["wrong at rest"] >= 2


def _plant(race: Race, figures: Counter[str]) -> None:
    def run() -> None:
        for _ in range(race.random.choice((1, 1, 2, 4))):
            race.world.scheduler.pause(race.random.choice((500, 5_000, 60_000, 700_000)))
            plant = race.random.choice(PLANTS)
            planter = drift.Planter(
                race, race.organisation.epoch(race.organisation.live), race.random
            )
            try:
                is_planted = plant(planter) is not None
            except Exception:  # noqa: BLE001 - an earlier plant broke what this one reads
                is_planted = False
            figures["planted"] += is_planted

    race.planters.append(race.world.spawn("planter", run))


def _one_pass(race: Race, figures: Counter[str]) -> None:
    """When writes rest: one pass of repair, and all is exact."""
    for planter in race.planters:
        race.world.scheduler.join(planter)
    race.until_delivered(400_000)
    before, lag = race.faults(), race.source.lag
    repaired = race.compare(is_repairing=True, grace_seconds=0)
    race.until_delivered(3_000_000)
    left = race.faults()
    again = race.compare(is_repairing=False, grace_seconds=0)
    assert isinstance(repaired, Audit)
    assert isinstance(again, Audit)
    figures["wrong at rest"] += bool(before)
    figures["missed"] += bool(before) and not repaired.drift
    reported = [kind for kind in repaired.drift if kind not in _UNCOUNTED]
    figures["invented"] += bool(reported) and not before and not lag
    assert repaired.is_exact, (race.seed, repaired, before)
    assert [fault for fault in left if "a row twice" not in fault] == [], (race.seed, repaired)
    assert (again.drift, again.unsettled) == ({}, 0), (race.seed, again)


@pytest.mark.slow
def test_nothing_comes_back_of_an_organisation_that_is_deleted() -> None:
    figures: Counter[str] = Counter()
    for race in races(8):
        race.deletion()
        race.run(*operators(race), is_checked=False)
        assert race.left() == [], (race.seed, list(islice(race.left(), 3)))
        figures += race.counts
    print(dict(figures))
    assert figures["reconcile gave up"]
