"""Rollups as queries read them: those that are stored, with their cost and freshness."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import ALL, CALLS, ORG, RollupKey
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.time.calendar import parse_date
from rollcall.query.metering import ReadMeter
from rollcall.storage.rollups import RollupStore, rollup_of_item
from tests.support.builders import call
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment

FIRST = parse_date("2024-03-01") or 0


def filled(answer_bytes: int = 1024 * 1024) -> tuple[RollupStore, Organisation, Deployment]:
    at = Deployment()
    at.store.limits.answer_bytes = answer_bytes
    organisation = at.organisation()
    days = [f"2024-03-{day:02d}T12:00:00Z" for day in (1, 2, 5, 5, 9)]
    at.put(organisation, *(call(f"{n}", started_at=day, outcome="x") for n, day in enumerate(days)))
    at.drain()
    return RollupStore(at.client, ANALYTICS, BACKOFF), organisation, at


def test_what_is_stored_of_what_is_wanted_is_read() -> None:
    rollups, organisation, _ = filled()
    all_time, day = RollupKey(CALLS, ORG, ALL), RollupKey(CALLS, ORG, "2024-03-05")
    wanted = [all_time, day, day._replace(is_open=True), day._replace(bucket="2024-03-03")]
    meter = ReadMeter()
    with tenant(organisation.id):
        found = rollups.read(organisation.id, 0, wanted, meter)
        assert rollups.read(organisation.id, 1, wanted, ReadMeter()) == {}
    assert found.keys() == set(wanted[:3])
    assert (found[all_time].measures["calls"], found[day].measures["calls"]) == (5, 2)
    assert found[wanted[2]].measures["o=x"] == 2
    assert (meter.items, meter.used_rollups, meter.used_ledger) == (3, True, False)
    assert meter.as_of_ms is not None
    assert meter.units > 0


@pytest.mark.parametrize("answer_bytes", [1, 1024 * 1024])
def test_days_come_in_order_with_the_measures_that_are_wanted(answer_bytes: int) -> None:
    rollups, organisation, _ = filled(answer_bytes)
    meter = ReadMeter()

    def days(of: range, **options: Any) -> dict[int, Any]:
        with tenant(organisation.id):
            found = rollups.days(organisation.id, 0, CALLS, ORG, of, meter, **options)
            return {day - FIRST + 1: dict(rollup.measures) for day, rollup in found}

    march = range(FIRST, FIRST + 31)
    closed = days(march, names=["calls", "answered"])
    assert list(closed) == [1, 2, 5, 9]
    assert closed[5] == {"calls": 2, "answered": 2}
    assert list(days(range(FIRST + 1, FIRST + 5), names=["calls"])) == [2, 5]
    assert days(march, names=None)[9]["o=x"] == 1
    assert days(range(FIRST + 20, FIRST + 22), names=["calls"]) == {}
    assert meter.items == 4 + 2 + 4


def test_marks_of_spilled_breakdowns_are_no_measures() -> None:
    item = {"PK": {"S": "x"}, "v": {"N": "3"}, "applied_at": {"N": "5"}, "o=x": {"N": "-2"},
            "spilled.p": {"BOOL": True}}  # fmt: skip
    assert rollup_of_item(item) == ({"o=x": -2}, frozenset("p"))


@pytest.mark.parametrize("garbage", [{"S": "1"}, {}, {"N": None}, {"N": "1.5"}])
def test_a_measure_that_is_no_integer_is_damage(garbage: Any) -> None:
    with pytest.raises(CorruptItem, match="a measure of a rollup is not an integer"):
        rollup_of_item({"PK": {"S": "x"}, "calls": garbage})


def test_a_rollup_without_a_day_in_its_key_is_damage() -> None:
    rollups, organisation, at = filled()
    item = next(dict(i) for i in at.items(ANALYTICS) if i["SK"]["S"] == "DAY#2024-03-05")
    with tenant(organisation.id):
        at.client.put_item(TableName=ANALYTICS, Item=item | {"SK": {"S": "DAY#2024-03-05x"}})
        march = range(FIRST, FIRST + 31)
        found = rollups.days(organisation.id, 0, CALLS, ORG, march, ReadMeter(), names=["calls"])
        with pytest.raises(CorruptItem, match="no day in its key"):
            list(found)
