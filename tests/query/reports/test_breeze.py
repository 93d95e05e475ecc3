"""The report of Breeze: groups, and buckets whose open ends are those of the data."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER, Bounds, Period
from rollcall.query.components import ALL_ROWS
from rollcall.query.grouping import GroupedRows
from rollcall.query.model import Selection, TimeBucket
from rollcall.query.reports.breeze import BreezeQuery, ReportBreeze
from tests.support.groups import groups
from tests.support.reading import reading

DAYS = TimeBucket(Granularity.DAY)
# A call on day 3, and one on day 5.
SOME = groups(
    DAYS,
    (ALL_ROWS,),
    (3 * MS_PER_DAY + 7, (3,), {ALL_ROWS: 1}, {}),
    (5 * MS_PER_DAY + 7, (5,), {ALL_ROWS: 1}, {}),
)
NOTHING = groups(DAYS, (ALL_ROWS,))


class Engine:
    def __init__(self, found: GroupedRows) -> None:
        self.found = found

    def aggregate(self, _reading: Any, asked: Any) -> GroupedRows:
        self.asked = asked
        return self.found


def over_time(found: GroupedRows, start_ms: int | None, end_ms: int | None) -> list[str] | None:
    engine: Any = Engine(found)
    query = BreezeQuery(DAYS, (ALL_ROWS,), Selection("call"), Bounds(start_ms, end_ms))
    report = ReportBreeze(engine)(reading(), query)
    assert report.groups is found
    timeline = report.timeline
    return None if timeline is None else [b.label for b in timeline.slice(0, len(timeline))]


def days(first: int, last: int) -> list[str]:
    return [f"1970-01-{day + 1:02d}" for day in range(first, last + 1)]


def test_groups_are_those_of_the_engine() -> None:
    engine: Any = Engine(groups(None, (ALL_ROWS,)))
    query = BreezeQuery(None, (ALL_ROWS,), Selection("call"), Bounds(5, None))
    assert ReportBreeze(engine)(reading(), query) == (engine.found, None)
    assert (engine.asked.period, engine.asked.dimensions) == (Period(5, EVER.end_ms), ())
    assert not engine.asked.is_limited


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(1, 8, days(1, 7)), (None, 8, days(3, 7)), (1, None, days(1, 5)), (None, None, days(3, 5))],
)
def test_an_open_range_begins_or_ends_at_the_data(
    start: int | None, end: int | None, expected: list[str]
) -> None:
    bounds = (None if day is None else day * MS_PER_DAY for day in (start, end))
    assert over_time(SOME, *bounds) == expected


def test_a_closed_range_has_its_buckets_without_data_and_an_open_one_has_none() -> None:
    assert over_time(NOTHING, MS_PER_DAY, 3 * MS_PER_DAY) == days(1, 2)
    assert over_time(NOTHING, None, 3 * MS_PER_DAY) is None
    assert over_time(NOTHING, MS_PER_DAY, None) is None
