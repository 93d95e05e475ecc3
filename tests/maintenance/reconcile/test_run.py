"""Reconcile finds every planted drift, repairs it, and invents none."""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest

from rollcall import bootstrap
from rollcall.domain.errors import Unavailable
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile import run as reconcile_module
from tests.support import drift
from tests.support.reconciling import add, organisation, reconcile, stored
from tests.support.versions import NOW_MS as STORED_MS
from tests.support.versions import versions_of

pytestmark = pytest.mark.property


# ROLLCALL_TEST_DRIFTS=200 plants each kind two hundred times.
SEEDS = range(int(os.environ.get("ROLLCALL_TEST_DRIFTS", "5")))


@pytest.mark.slow
@pytest.mark.parametrize("plant", drift.PLANTS, ids=lambda plant: plant.__name__)
def test_every_planted_drift_is_reported_and_repaired(plant):
    planted = 0
    with stored() as tables:
        for seed in SEEDS:
            tables.store.clear()
            made = organisation(tables, seed)
            assert tables.violations(made) == []
            planter = drift.Planter(tables, made.epoch(made.live), Random(seed))
            expected = plant(planter)
            if expected is None:
                continue
            planted += 1
            assert plant is drift.Planter.page_of_no_type or tables.violations(made), seed
            before = tables.everything()

            reported = reconcile(made, is_repairing=False)
            assert reported.drift.keys() & expected, (seed, reported)
            assert not reported.is_exact
            assert tables.everything() == before, "a comparison wrote something"

            repaired = reconcile(made, is_repairing=True)
            assert repaired.drift.keys() & expected, (seed, repaired)
            if plant is drift.Planter.fact_is_garbage:
                assert repaired.drift_count - repaired.repaired == 1, (seed, repaired)
                continue
            assert repaired.is_exact, (seed, repaired)
            assert tables.violations(made) == [], seed
            again = reconcile(made, is_repairing=False)
            assert (again.drift, again.unsettled) == ({}, 0), (seed, again)
    assert planted > len(SEEDS) / 2


@pytest.mark.slow
def test_nothing_is_reported_where_nothing_differs():
    with stored() as tables:
        for seed in range(8):
            tables.store.clear()
            made = organisation(tables, seed)
            before = tables.everything()
            for is_repairing in (False, True):
                audit = reconcile(made, is_repairing=is_repairing)
                assert (audit.drift, audit.unsettled, audit.repaired) == ({}, 0, 0), seed
                assert 0 not in (audit.facts, audit.rows, audit.pages, audit.rollups)
            assert tables.everything() == before


def test_a_difference_began_after_the_last_run_that_left_none():
    """However often it is reported, and also when it is repaired at last."""
    with stored() as tables:
        made = organisation(tables, 1)
        exact = reconcile(made, is_repairing=False)
        assert drift.Planter(tables, made.epoch(made.live), Random(1)).rollup_altered()
        for is_repairing in (False, False, True):
            tables.now_ms += 60_000
            audit = reconcile(made, is_repairing=is_repairing)
            assert [d.since_ms for d in audit.differences] == [exact.started_at_ms]
        assert drift.Planter(tables, made.epoch(made.live), Random(2)).rollup_altered()
        tables.now_ms += 60_000
        again = reconcile(made, is_repairing=False)
        assert [d.since_ms for d in again.differences] == [audit.started_at_ms]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4 * len(SEEDS)))
def test_many_drifts_at_once_are_all_gone_after_one_pass(seed):
    random = Random(seed)
    with stored() as tables:
        made = organisation(tables, seed, 90)
        planter = drift.Planter(tables, made.epoch(made.live), random)
        plants = [p for p in drift.PLANTS if p is not drift.Planter.fact_is_garbage]
        expected = set()
        for plant in random.sample(plants, random.randint(2, 6)):
            try:
                expected |= plant(planter) or set()
            except Exception:  # noqa: BLE001 - an earlier plant broke what this one reads
                continue
        audit = reconcile(made, is_repairing=True)
        assert audit.drift_count
        assert audit.drift.keys() <= set(audits.KINDS)
        assert tables.violations(made) == [], (seed, audit)
        again = reconcile(made, is_repairing=False)
        assert (again.drift, again.unsettled) == ({}, 0), (seed, audit, again)


class Died(BaseException):
    """The process ended here."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_a_repair_that_dies_anywhere_is_finished_by_the_next(seed):
    """Before a request or after it, at moments all over the run."""
    random = Random(seed)
    with stored() as tables:
        made = organisation(tables, seed)
        planter = drift.Planter(tables, made.epoch(made.live), random)
        for plant in (
            drift.Planter.fact_removed,
            drift.Planter.row_lost,
            drift.Planter.row_altered,
            drift.Planter.rollup_altered,
            drift.Planter.page_inside_another,
        ):
            plant(planter)
        planted = tables.store.snapshot()
        count = _requests_of(tables, made)
        for moment in sorted(random.sample(range(count), min(count, 12))):
            tables.store.restore(planted)
            _die_at(tables, moment, random.random() < 0.5)
            with pytest.raises(Died):
                reconcile(made, is_repairing=True)
            tables.client.around = lambda _operation, send: send()
            assert reconcile(made, is_repairing=True).is_exact, (seed, moment)
            assert tables.violations(made) == [], (seed, moment)


def _requests_of(tables, made):
    count = 0

    def counted(_operation, send):
        nonlocal count
        count += 1
        return send()

    tables.client.around = counted
    assert reconcile(made, is_repairing=True).is_exact
    return count


def _die_at(tables, moment, is_before):
    count = 0

    def around(_operation, send):
        nonlocal count
        count += 1
        if count - 1 != moment:
            return send()
        if not is_before:
            send()
        raise Died

    tables.client.around = around


@pytest.mark.slow
def test_a_run_out_of_time_goes_on_where_it_was(monkeypatch):
    """Every call has time for some more requests; the differences add up to those of one run."""
    with stored() as tables:
        made = organisation(tables, 7, 120)
        planter = drift.Planter(tables, made.epoch(made.live), Random(7))
        assert drift.Planter.row_lost(planter)
        assert drift.Planter.rollup_of_an_unknown_template(planter)
        whole = reconcile(made, is_repairing=False)
        monkeypatch.setattr(reconcile_module, "_SAVE_EVERY_US", 0)
        calls = 0
        reported = []
        tables.client.around = lambda _operation, send: _after(left, send)
        while True:
            calls += 1
            left = [40 + 10 * calls]
            reported.clear()
            try:
                audit = reconcile(made, is_repairing=False, report=reported.append)
                break
            except Unavailable:
                assert calls < 100
        assert calls > 3
        assert audit.drift == whole.drift
        assert Counter(difference.kind for difference in reported) == whole.drift
        assert (audit.facts, audit.rows) == (whole.facts, whole.rows)
        tables.client.around = lambda _operation, send: send()
        assert reconcile(made, is_repairing=True).is_exact
        assert tables.violations(made) == []


def _after(left, send):
    left[0] -= 1
    if left[0] < 0 and left[0] > -20:
        raise Unavailable("out of time")
    return send()


TASK = {"type": "task", "id": "new", "created_at": "2026-01-01T00:00:00Z", "status": "hold"}


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_may_be_on_its_way_is_waited_for(is_lost):
    """A version younger than the grace is reported only when it does not come in time."""
    with stored() as tables:
        made = organisation(tables, 3)
        tables.now_ms = STORED_MS + 5_000
        add(tables, made, [TASK], is_lost=True)

        def sleep(seconds):
            tables.sleep(seconds)
            if not is_lost:
                bootstrap.apply_facts()(made, versions_of([TASK]))

        bootstrap.time.sleep = sleep
        audit = reconcile(made, is_repairing=True, grace_seconds=60)
        assert 50 < tables.slept_seconds < 60
        reported = {audits.ROW_MISSING: 1} if is_lost else {}
        assert (audit.drift, audit.repaired) == (reported, len(reported))
        if is_lost:
            assert audit.differences[0].since_ms == STORED_MS
        assert tables.violations(made) == []
