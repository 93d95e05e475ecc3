"""The buckets of ranges that have ends, and of ranges that begin or end with the data."""

from __future__ import annotations

import pytest

from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import Bounds
from rollcall.domain.time.zones import Zone
from rollcall.query.timelines import DataRange, timeline_of

UTC, APIA = Zone("UTC"), Zone("Pacific/Apia")
NO_DATA = DataRange(None, None, None)
# Samoa had no 30 December 2011: both ends of that day are this instant.
SKIPPED_MS = 1_325_239_200_000


@pytest.mark.parametrize("granularity", Granularity)
def test_a_day_that_the_zone_skipped_has_no_buckets(granularity):
    assert timeline_of(granularity, APIA, Bounds(SKIPPED_MS, SKIPPED_MS), NO_DATA) is None
    around = timeline_of(granularity, APIA, Bounds(SKIPPED_MS - 1, SKIPPED_MS + 1), NO_DATA)
    assert around is not None
    assert len(around) >= 1


def test_a_range_with_both_ends_has_its_buckets_without_data():
    timeline = timeline_of(Granularity.DAY, UTC, Bounds(0, 3 * MS_PER_DAY), NO_DATA)
    assert timeline is not None
    assert len(timeline) == 3


@pytest.mark.parametrize("bounds", [Bounds(None, None), Bounds(0, None), Bounds(None, MS_PER_DAY)])
def test_an_open_range_begins_and_ends_with_the_data(bounds):
    assert timeline_of(Granularity.DAY, UTC, bounds, NO_DATA) is None
    data = DataRange(5, 5, (0, 0))
    timeline = timeline_of(Granularity.DAY, UTC, bounds, data)
    assert timeline is not None
    assert len(timeline) == 1
