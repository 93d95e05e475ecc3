"""Rollups as queries read them: those that are stored, with their cost and freshness."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import CorruptItem
from rollcall.domain.measures import ALL, CALLS, ORG, RollupKey
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.time.calendar import day_text, parse_date
from rollcall.query.metering import ReadMeter
from rollcall.storage.rollups import RollupStore, stored_rollup
from tests.support.builders import call
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment
from tests.support.rollup_items import Item, with_measures

EXECUTOR = ThreadPoolExecutor(4)
FIRST = parse_date("2024-03-01") or 0


def filled(
    answer_bytes: int = 1024 * 1024, ledgers: int = 1
) -> tuple[RollupStore, Organisation, Deployment]:
    at = Deployment()
    at.store.limits.answer_bytes = answer_bytes
    organisation = at.organisation(ledgers=ledgers)
    days = [f"2024-03-{day:02d}T12:00:00Z" for day in (1, 2, 5, 5, 9)]
    at.put(organisation, *(call(f"{n}", started_at=day, outcome="x") for n, day in enumerate(days)))
    at.drain()
    return RollupStore(at.client, ANALYTICS, EXECUTOR, BACKOFF), organisation, at


def test_what_is_stored_of_what_is_wanted_is_read() -> None:
    rollups, organisation, _ = filled()
    all_time, day = RollupKey(CALLS, ORG, ALL), RollupKey(CALLS, ORG, "2024-03-05")
    wanted = [all_time, day, day._replace(bucket="2024-03-03")]
    meter, names = ReadMeter(), ["calls", "s.completed", "o"]
    with tenant(organisation.id):
        found = rollups.read(Epoch(organisation.id, 0), wanted, meter, names=names)
        assert rollups.read(Epoch(organisation.id, 1), wanted, ReadMeter(), names=names) == {}
    assert found.keys() == set(wanted[:2])
    assert found[all_time].measures == {"calls": 5, "s.completed": 5, "o=x": 5}
    assert found[day].measures == {"calls": 2, "s.completed": 2, "o=x": 2}
    assert (meter.items, meter.used_rollups, meter.used_ledger) == (2, True, False)
    assert meter.as_of_ms is not None
    assert meter.units > 0


@pytest.mark.parametrize("answer_bytes", [1, 1024 * 1024])
def test_days_come_in_order_with_the_measures_that_are_wanted(answer_bytes: int) -> None:
    rollups, organisation, _ = filled(answer_bytes)
    meter = ReadMeter()

    def days(of: range, **options: Any) -> dict[int, Any]:
        with tenant(organisation.id):
            found = rollups.days(Epoch(organisation.id, 0), CALLS, ORG, of, meter, **options)
            return {day - FIRST + 1: dict(rollup.measures) for day, rollup in found}

    march = range(FIRST, FIRST + 31)
    closed = days(march, names=["calls", "answered"])
    assert list(closed) == [1, 2, 5, 9]
    assert closed[5] == {"calls": 2, "answered": 2}
    assert list(days(range(FIRST + 1, FIRST + 5), names=["calls"])) == [2, 5]
    assert days(march, names=["calls", "o", "p"])[9] == {"calls": 1, "o=x": 1, "p": 1}
    assert days(range(FIRST + 20, FIRST + 22), names=["calls"]) == {}
    assert meter.items == 4 + 2 + 4


@cache
def two_years(ledgers: int) -> tuple[Deployment, Organisation]:
    """A call every 13 days."""
    at = Deployment()
    organisation = at.organisation(ledgers=ledgers)
    stored = {day: f"{day_text(FIRST + day)}T12:00:00Z" for day in range(0, 730, 13)}
    at.put(organisation, *(call(f"{day}", started_at=noon) for day, noon in stored.items()))
    at.drain()
    return at, organisation


@pytest.mark.property
@given(
    ledgers=st.sampled_from([1, 2]),
    first=st.integers(0, 400),
    count=st.integers(1, 730),
    requests=st.integers(0, 9),
)
def test_a_range_has_each_of_its_days_once_however_many_requests_read_it(
    ledgers: int, first: int, count: int, requests: int
) -> None:
    at, organisation = two_years(ledgers)
    wanted = range(FIRST + first, FIRST + first + count)
    epoch, meter = organisation.epoch(0), ReadMeter()
    with tenant(organisation.id):
        rollups = RollupStore(at.client, ANALYTICS, EXECUTOR, BACKOFF)
        days = rollups.days(epoch, CALLS, ORG, wanted, meter, names=["calls"], requests=requests)
        found = [(day, rollup.measures["calls"]) for day, rollup in days]
    assert found == [(FIRST + day, 1) for day in range(0, 730, 13) if FIRST + day in wanted]
    assert meter.items == len(found)


@pytest.mark.parametrize(
    ("ledgers", "days", "requests", "made"),
    [
        (1, 127, 4, 1),
        (1, 128, 4, 2),
        (1, 256, 4, 4),
        (1, 700, 4, 4),
        (1, 700, 1, 1),
        (2, 700, 4, 4),
        (2, 700, 3, 2),
        (2, 700, 0, 2),
    ],
)
def test_a_long_range_is_read_in_several_requests(
    ledgers: int, days: int, requests: int, made: int
) -> None:
    at, organisation = two_years(ledgers)
    wanted = range(FIRST, FIRST + days)
    with tenant(organisation.id), patch.object(at.client, "query", wraps=at.client.query) as query:
        rollups = RollupStore(at.client, ANALYTICS, EXECUTOR, BACKOFF)
        list(
            rollups.days(
                organisation.epoch(0),
                CALLS,
                ORG,
                wanted,
                ReadMeter(),
                names=["calls"],
                requests=requests,
            )
        )
    assert query.call_count == made


DAY = RollupKey(CALLS, ORG, "2024-03-05")
WHOLE: Item = {
    "PK": {"S": "x"},
    "v": {"N": "3"},
    "whole": {"N": "3"},
    "applied_at": {"N": "5"},
    **with_measures({}, {"calls": -2, "o=x": 4}),
    "p": {"BOOL": True},
}


def test_marks_of_spilled_breakdowns_are_no_measures() -> None:
    stored = stored_rollup(DAY, WHOLE)
    assert stored.measures == {"calls": -2, "o=x": 4}
    assert (stored.spilled, stored.version) == ({"p"}, 3)


@pytest.mark.parametrize("whole", [None, {"N": "2"}])
def test_an_item_that_was_changed_since_it_was_whole_has_its_closed_measures(whole: Any) -> None:
    """As an earlier release writes it: by adding to the closed measures and to the version."""
    item = {name: value for name, value in WHOLE.items() if name != "whole"}
    item |= {"whole": whole} if whole else {}
    stored = stored_rollup(DAY, item)
    assert stored.measures == {"calls": -2}
    assert stored.spilled == {"o", "p", "l", "t"}
    tasks = stored_rollup(DAY._replace(family="tasks"), {"v": {"N": "3"}, "tasks": {"N": "1"}})
    assert (tasks.measures, tasks.spilled) == ({"tasks": 1}, frozenset())


def test_what_an_earlier_release_adds_to_a_long_name_counts_beside_the_short_one() -> None:
    item = {**WHOLE, "s.fa": {"N": "5"}, "s.failed": {"N": "-2"}, "s.busy": {"N": "1"}}
    assert stored_rollup(DAY, item).counts == {"calls": -2, "s.failed": 3, "s.busy": 1}


@pytest.mark.parametrize("garbage", [{"S": "1"}, {}, {"N": None}, {"N": "1.5"}])
def test_a_measure_that_is_no_integer_is_damage(garbage: Any) -> None:
    with pytest.raises(CorruptItem, match="attribute 'calls' is not an integer"):
        stored_rollup(DAY, {**WHOLE, "calls": garbage})


@pytest.mark.parametrize("garbage", [{"N": "1"}, {"BOOL": False}, {"S": "x"}, {"B": 5}])
def test_a_breakdown_that_is_neither_bytes_nor_a_mark_is_damage(garbage: Any) -> None:
    with pytest.raises(CorruptItem, match="attribute 'o' is not binary"):
        stored_rollup(DAY, {**WHOLE, "o": garbage})


def test_a_rollup_without_a_day_in_its_key_is_damage() -> None:
    rollups, organisation, at = filled()
    item = next(dict(i) for i in at.items(ANALYTICS) if i["SK"]["S"] == "DAY#2024-03-05")
    with tenant(organisation.id):
        at.client.put_item(TableName=ANALYTICS, Item=item | {"SK": {"S": "DAY#2024-03-05x"}})
        march = range(FIRST, FIRST + 31)
        found = rollups.days(
            Epoch(organisation.id, 0), CALLS, ORG, march, ReadMeter(), names=["calls"]
        )
        with pytest.raises(CorruptItem, match="no day in its key"):
            list(found)


@pytest.mark.parametrize("ledgers", [2, 16, 64])
@pytest.mark.parametrize("answer_bytes", [1_000, 1024 * 1024])
def test_the_rollups_of_all_buckets_are_added(ledgers: int, answer_bytes: int) -> None:
    (one, only, _), (several, divided, at) = filled(), filled(answer_bytes, ledgers)
    assert len({pk for pk in map(_pk, at.items(ANALYTICS)) if "#ROLLUP#calls#ORG#" in pk}) > 1
    keys_of = [RollupKey(CALLS, ORG, each) for each in (ALL, "2024-03-05", "2024-03-03")]
    names, march = ["calls", "s.completed", "o"], range(FIRST, FIRST + 31)
    for store, epoch in ((one, only.epoch(0)), (several, divided.epoch(0))):
        with tenant(epoch.org_id):
            meter = ReadMeter()
            read = store.read(epoch, keys_of, meter, names=names)
            days = list(store.days(epoch, CALLS, ORG, march, meter, names=names))
        assert read[keys_of[0]].measures == {"calls": 5, "s.completed": 5, "o=x": 5}
        assert read[keys_of[1]].measures == {"calls": 2, "s.completed": 2, "o=x": 2}
        assert keys_of[2] not in read
        assert [(day - FIRST, rollup.measures["calls"]) for day, rollup in days] == [
            (0, 1),
            (1, 1),
            (4, 2),
            (8, 1),
        ]
        assert meter.used_rollups
        assert meter.as_of_ms is not None
        assert meter.units > 0


def test_a_breakdown_that_is_spilled_in_one_bucket_is_spilled_in_the_sum() -> None:
    rollups, organisation, at = filled(ledgers=16)
    key = RollupKey(CALLS, ORG, ALL)
    item = next(i for i in at.items(ANALYTICS) if _pk(i).endswith("#ROLLUP#calls#ORG#"))
    of_key = [i for i in at.items(ANALYTICS) if _pk(i) == _pk(item) and i["SK"]["S"] == "ALL"]
    at.store.put(ANALYTICS, {**of_key[0], "o": {"BOOL": True}})
    with tenant(organisation.id):
        found = rollups.read(organisation.epoch(0), [key], ReadMeter(), names=["calls", "o"])
    assert found[key].measures == {"calls": 5}
    assert found[key].spilled == {"o"}


def _pk(item: Item) -> str:
    return str(item["PK"]["S"])
