"""Facts by id: all that exist of any number of ids, in requests of at most 100."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import Unavailable, UnknownOrganisation
from rollcall.domain.facts import Fact
from rollcall.domain.measures import ALL, CALLS, ORG, Rollup, RollupKey, known_keys, space_scope
from rollcall.domain.organisations import current_org_id, tenant
from rollcall.query.lookups import Lookup, ensure_as_of, is_known
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Reading
from tests.support.reading import APPLIED_AT_MS, MemoryRollups, reading


class Store:
    """Holds a fact for each id that is a multiple of three."""

    def __init__(self) -> None:
        self.asked: list[Collection[str]] = []
        self.tenants: set[str | None] = set()
        self.together = threading.Barrier(1)
        self.fails_on: str | None = None

    def organisation(self, org_id: str, meter: ReadMeter) -> Any:
        return SimpleNamespace(buckets=4)

    def look_up(
        self, org_id: str, buckets: int, record_type: str, ids: Collection[str], meter: ReadMeter
    ) -> dict[str, Any]:
        assert (org_id, buckets, record_type) == ("org_1", 4, "label")
        self.together.wait(timeout=30)
        self.asked.append(ids)
        self.tenants.add(current_org_id())
        if self.fails_on in ids:
            raise Unavailable("busy")
        found = {each: f"fact {each}" for each in ids if int(each) % 3 == 0}
        meter.count(len(found), len(ids) / 2)
        return found

    def detail(self, org_id: str, buckets: int, fact: Fact, meter: ReadMeter) -> dict[str, Any]:
        assert (org_id, buckets) == ("org_1", 4)
        return {"of": fact}


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def look_up(store: Store, executor: ThreadPoolExecutor, ids: list[str]) -> tuple[Any, ReadMeter]:
    reading = Reading(Epoch("org_1", 0))
    with tenant("org_1"):
        found = Lookup(store, store, executor)(reading, "label", ids)
    return found, reading.meter


@given(st.lists(st.integers(0, 1_000), max_size=600))
def test_every_fact_is_found_once(executor: ThreadPoolExecutor, numbers: list[int]) -> None:
    store = Store()
    found, meter = look_up(store, executor, [str(number) for number in numbers])
    distinct = set(numbers)
    assert found == {str(n): f"fact {n}" for n in distinct if n % 3 == 0}
    assert sorted(int(each) for ids in store.asked for each in ids) == sorted(distinct)
    assert max(map(len, store.asked), default=0) <= 100
    assert (meter.items, meter.units) == (len(found), len(distinct) / 2)
    assert store.tenants <= {"org_1"}


def test_requests_run_at_once(executor: ThreadPoolExecutor) -> None:
    store = Store()
    store.together = threading.Barrier(5)  # passes when five requests have come
    found, _ = look_up(store, executor, [str(number) for number in range(500)])
    assert len(found) == 167


def test_an_organisation_that_is_unknown_has_no_facts(executor: ThreadPoolExecutor) -> None:
    store = Store()
    with (
        patch.object(store, "organisation", lambda _org_id, _meter: None),
        pytest.raises(UnknownOrganisation, match="org_1"),
    ):
        look_up(store, executor, ["3"])
    assert store.asked == []


def test_a_detail_is_read_in_the_bucket_of_its_fact(executor: ThreadPoolExecutor) -> None:
    store, reading = Store(), Reading(Epoch("org_1", 0))
    fact = Fact("call", "7", None, 1, 1, None)
    assert Lookup(store, store, executor).detail(reading, fact) == {"of": fact}


def test_one_request_that_fails_fails_the_look_up(executor: ThreadPoolExecutor) -> None:
    store = Store()
    store.fails_on = "250"
    with pytest.raises(Unavailable, match="busy"):
        look_up(store, executor, [str(number) for number in range(500)])


@pytest.mark.parametrize(("facts", "expected"), [(None, False), (0, False), (-1, False), (3, True)])
def test_a_scope_is_known_while_a_live_fact_names_it(facts: int | None, expected: bool) -> None:
    for key in known_keys(space_scope("s")):
        rollups = MemoryRollups({} if facts is None else {key: Rollup({"facts": facts})})
        one = reading()
        assert is_known(rollups, one, [space_scope("other"), space_scope("s")]) is expected
        assert one.meter.units == 4
        assert (one.meter.as_of_ms, one.meter.used_rollups) == (None, False)


def test_an_answer_without_data_is_as_fresh_as_the_organisation() -> None:
    rollups = MemoryRollups({RollupKey(CALLS, ORG, ALL): Rollup({"calls": 1})})
    one = reading()
    ensure_as_of(rollups, one)
    assert one.meter.as_of_ms == APPLIED_AT_MS
    assert (one.meter.items, one.meter.used_rollups) == (1, False)
    rollups.wanted.clear()
    ensure_as_of(rollups, one)
    assert rollups.wanted == []  # it is known
    without = reading()
    ensure_as_of(MemoryRollups({}), without)
    assert without.meter.as_of_ms is None
