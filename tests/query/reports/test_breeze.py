"""The report of Breeze: a tally, or a series whose open ends are those of the data."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.domain.measures import Group
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER, Bounds, Period
from rollcall.domain.time.zones import UTC
from rollcall.query.model import Selection
from rollcall.query.reports.breeze import BreezeQuery, ByBucket, OverTime, ReportBreeze
from rollcall.query.results import Series, Tally
from tests.support.reading import reading

TALLY = Tally()
# A call on day 3, and one on day 5.
SERIES = Series([3, 5], [1, 1], [0, 0], 3 * MS_PER_DAY + 7, 5 * MS_PER_DAY + 7)
NOTHING = Series([], [], [], None, None)


class Engine:
    def __init__(self, series: Series) -> None:
        self.found = series

    def tally(self, _reading: Any, query: Any, groups: Any, zone: Any) -> Tally:
        self.asked = (query.period, groups, zone)
        return TALLY

    def series(
        self, _reading: Any, query: Any, granularity: Any, zone: Any, *, is_timed: bool
    ) -> Series:
        self.asked = (query.period, granularity, zone, is_timed)
        return self.found


def over_time(series: Series, start_ms: int | None, end_ms: int | None) -> list[str] | None:
    engine: Any = Engine(series)
    query = BreezeQuery(
        ByBucket(Granularity.DAY, True), Selection("call"), Bounds(start_ms, end_ms), UTC
    )
    found = ReportBreeze(engine)(reading(), query)
    assert isinstance(found, OverTime)
    assert engine.asked == (query.query.period, Granularity.DAY, UTC, True)
    timeline = found.timeline
    return None if timeline is None else [b.label for b in timeline.slice(0, len(timeline))]


def days(first: int, last: int) -> list[str]:
    return [f"1970-01-{day + 1:02d}" for day in range(first, last + 1)]


def test_a_tally_is_that_of_the_engine() -> None:
    engine: Any = Engine(NOTHING)
    query = BreezeQuery((Group.CALLS,), Selection("call"), Bounds(5, None), UTC)
    assert ReportBreeze(engine)(reading(), query) is TALLY
    assert engine.asked == (Period(5, EVER.end_ms), (Group.CALLS,), UTC)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(1, 8, days(1, 7)), (None, 8, days(3, 7)), (1, None, days(1, 5)), (None, None, days(3, 5))],
)
def test_an_open_range_begins_or_ends_at_the_data(
    start: int | None, end: int | None, expected: list[str]
) -> None:
    bounds = (None if day is None else day * MS_PER_DAY for day in (start, end))
    assert over_time(SERIES, *bounds) == expected


def test_a_closed_range_has_its_buckets_without_data_and_an_open_one_has_none() -> None:
    assert over_time(NOTHING, MS_PER_DAY, 3 * MS_PER_DAY) == days(1, 2)
    assert over_time(NOTHING, None, 3 * MS_PER_DAY) is None
    assert over_time(NOTHING, MS_PER_DAY, None) is None
