"""Every drift that is planted in a segment is reported, and one repair leaves none."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.organisations import Organisation
from rollcall.domain.time.calendar import LAST_MS
from rollcall.maintenance.merge_pages import MergePages
from rollcall.retry import Backoff
from rollcall.storage.merging import PageMerging
from tests.support import drift, segment_drift
from tests.support.reconciling import Stored, organisation, reconcile, stored

pytestmark = pytest.mark.property
SEEDS = range(2)


def merged(tables: Stored, seed: int) -> Organisation:
    """An organisation with segments of several types, and pages."""
    made = organisation(tables, seed, 120)
    merging = MergePages(
        bootstrap.directory(),
        PageMerging(tables.client, drift.ANALYTICS, Backoff()),
        lambda: LAST_MS,
        cold_after_hours=0,
        segment_bytes=2_500,
    )
    assert merging.organisation(made).segments
    assert tables.violations(made) == []
    return made


@pytest.mark.slow
@pytest.mark.parametrize("plant", segment_drift.SEGMENT_PLANTS, ids=lambda plant: plant.__name__)
def test_every_drift_planted_in_a_segment_is_reported_and_repaired(plant: Any) -> None:
    planted = 0
    with stored(page_target_bytes=500) as tables:
        for seed in SEEDS:
            tables.store.clear()
            made = merged(tables, seed)
            expected = plant(drift.Planter(tables, made.epoch(made.live), Random(seed)))
            if expected is None:
                continue
            planted += 1
            before = tables.everything()
            reported = reconcile(made, is_repairing=False)
            assert reported.drift.keys() & expected, (seed, reported)
            assert tables.everything() == before, "a comparison wrote something"

            repaired = reconcile(made, is_repairing=True)
            assert repaired.drift.keys() & expected, (seed, repaired)
            assert repaired.is_exact, (seed, repaired)
            assert tables.violations(made) == [], seed
            again = reconcile(made, is_repairing=False)
            assert (again.drift, again.unsettled) == ({}, 0), (seed, again)
    assert planted > len(SEEDS) / 2


@pytest.mark.slow
def test_nothing_is_reported_of_segments_that_are_whole() -> None:
    with stored(page_target_bytes=500) as tables:
        made = merged(tables, 1)
        before = tables.everything()
        for is_repairing in (False, True):
            audit = reconcile(made, is_repairing=is_repairing)
            assert (audit.drift, audit.unsettled, audit.repaired) == ({}, 0, 0)
        assert tables.everything() == before
