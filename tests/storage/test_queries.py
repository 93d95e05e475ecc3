"""Queries: complete however small the answers, and never silently incomplete."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import Unavailable
from rollcall.domain.organisations import tenant
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.keys import Key
from rollcall.storage.queries import (
    batch_get,
    consumed_units,
    index_entries,
    index_keys,
    key_of,
    keys_between,
    keys_under,
    page_at,
    pages_of,
)
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.limits import Limits

TABLE = "rollcall-records"
BACKOFF = Backoff(tries=4, sleep=lambda _seconds: None)
PARTITION = keys.org_prefix("org")


def filled(sort_keys: Any, answer_bytes: int = 1024 * 1024, batch_keys: int = 100) -> MemoryClient:
    store = MemoryDynamoDb(Limits(answer_bytes, batch_keys))
    for sk in sort_keys:
        store.put(TABLE, Key(PARTITION, sk).attributes())
    return MemoryClient(store)


sort_keys = st.sets(st.text("ab#~é", min_size=1, max_size=3), max_size=12)


@pytest.mark.property
@given(sort_keys, sort_keys, st.integers(1, 5))
def test_a_batch_has_what_exists_of_what_is_wanted(
    stored: set[str], wanted: set[str], batch_keys: int
) -> None:
    """However many keys are left unprocessed at a time, and whatever is wanted twice."""
    client, meter = filled(stored, batch_keys=batch_keys), ReadMeter()
    asked = [Key(PARTITION, sk) for sk in [*wanted, *wanted]]
    with tenant("org"):
        patient = Backoff(tries=20, sleep=lambda _seconds: None)
        found = batch_get(client, TABLE, asked, patient, meter)
    assert sorted(key_of(item).sk for item in found) == sorted(stored & wanted)
    assert meter.items == len(found)


def test_a_batch_of_more_keys_than_a_request_takes() -> None:
    names = [f"{number:04d}" for number in range(250)]
    with tenant("org"):
        found = batch_get(filled(names), TABLE, [Key(PARTITION, sk) for sk in names], BACKOFF)
    assert len(found) == 250


def test_keys_that_stay_unprocessed_are_an_error() -> None:
    client = filled(["a"])
    key = Key(PARTITION, "a")

    def around(_operation: str, send: Any) -> dict[str, Any]:
        left = {TABLE: {"Keys": [key.attributes()], "ConsistentRead": True}}
        return send() | {"Responses": {}, "UnprocessedKeys": left}

    client.around = around
    with tenant("org"), pytest.raises(Unavailable, match="unprocessed keys"):
        batch_get(client, TABLE, [key], BACKOFF)


@pytest.mark.property
@given(sort_keys, st.sampled_from([1, 60, 1024 * 1024]))
def test_a_partition_is_listed_whole_and_in_order(stored: set[str], answer_bytes: int) -> None:
    with tenant("org"):
        found = list(keys_under(filled(stored, answer_bytes), TABLE, BACKOFF, PARTITION))
    assert found == [Key(PARTITION, sk) for sk in sorted(stored, key=str.encode)]


def asked(client: Any, query: dict[str, Any]) -> list[str]:
    request = {"TableName": TABLE, "ConsistentRead": True, **query}
    with tenant("org"):
        answers = pages_of(client, request, BACKOFF)
        return [key_of(item).sk for answer in answers for item in answer["Items"]]


@pytest.mark.property
@given(sort_keys, st.text("ab#~é", max_size=3), st.text("ab#~é", max_size=3))
def test_a_range_has_both_of_its_ends(stored: set[str], first: str, last: str) -> None:
    low, high = sorted((first or "a", last or "b"), key=str.encode)
    expected = [sk for sk in stored if low.encode() <= sk.encode() <= high.encode()]
    found = asked(filled(stored, answer_bytes=1), keys_between(PARTITION, low, high))
    assert found == sorted(expected, key=str.encode)


@pytest.mark.property
@given(sort_keys, st.text("ab#~é", min_size=1, max_size=3))
def test_the_page_at_a_position_is_the_last_one_that_starts_there_or_before(
    stored: set[str], at: str
) -> None:
    before = [sk for sk in stored if sk.encode() <= at.encode()]
    client = filled(stored)
    with tenant("org"):
        answer = client.query(TableName=TABLE, ConsistentRead=True, **page_at(PARTITION, at))
    expected = [max(before, key=str.encode)] if before else []
    assert [key_of(item).sk for item in answer["Items"]] == expected


@pytest.mark.engine
def test_an_index_lists_one_kind_or_all(client: Any) -> None:
    org_id = str(uuid.uuid4())
    partition = keys.epoch_prefix(org_id, 0)
    with tenant(org_id):
        for number, kind in enumerate(("PAGE#", "PAGE#", "OPEN#ALL")):
            key = Key(f"{partition}X#", f"{number}")
            listed = {"GSI1PK": {"S": partition}, "GSI1SK": {"S": kind}, "data": {"S": "x"}}
            client.put_item(TableName=TABLE, Item=key.attributes() | listed)
        found = list(index_entries(client, TABLE, BACKOFF, partition))
        assert all(item.keys() == {"PK", "SK", "GSI1PK", "GSI1SK"} for item in found)
        assert {key.sk for key in index_keys(client, TABLE, BACKOFF, partition)} == {"0", "1", "2"}
        of_kind = index_keys(client, TABLE, BACKOFF, partition, "PAGE#")
        assert {key.sk for key in of_kind} == {"0", "1"}
        assert list(index_keys(client, TABLE, BACKOFF, keys.epoch_prefix(org_id, 1))) == []


def test_units_are_added_up_over_tables_and_none_are_zero() -> None:
    assert consumed_units({}) == consumed_units({"ConsumedCapacity": None}) == 0
    assert consumed_units({"ConsumedCapacity": {"CapacityUnits": 1.5}}) == 1.5
    several = [{"CapacityUnits": 1.5}, {}, {"CapacityUnits": 2.0}]
    assert consumed_units({"ConsumedCapacity": several}) == 3.5
