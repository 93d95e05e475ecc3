"""Reconcile on the real engines: planted drift, lost stream records, a restored table."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from rollcall import bootstrap
from rollcall.domain.organisations import Organisation, tenant
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall.storage.fact_items import item_of_fact
from tests.support import drift
from tests.support.answering import NoQuarantine, wired
from tests.support.drift import ANALYTICS, RECORDS
from tests.support.engines import DYNAMODB_LOCAL
from tests.support.generate import mixed_records
from tests.support.reconciling import faults_of, reconcile
from tests.support.tables import Tables
from tests.support.versions import versions_of

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(params=["moto", DYNAMODB_LOCAL])
def deployed(
    request: pytest.FixtureRequest, endpoint_of: Any, client_of: Any
) -> Iterator[tuple[Tables, Organisation]]:
    """The product on an engine, and an organisation of its own."""
    client = client_of(request.param)
    org_id = f"org#{uuid.uuid4()}"
    made = Organisation(org_id, org_id[-20:], "Acme", time.time_ns() // 1_000_000, buckets=2)
    tables = Tables(endpoint_of(request.param), org_id)
    tables.put(RECORDS, item_of_organisation(keys.organisation(org_id), made))
    changed = dataclasses.replace(settings, page_target_bytes=1_024, reconcile_grace_seconds=0)
    with wired(settings=changed, dynamodb=lambda: client, _quarantine=NoQuarantine):
        yield tables, made


def written(tables: Tables, organisation: Organisation, records: list[Any]) -> list[Any]:
    """Store records as facts; the stream's records of them."""
    stream = []
    for fact in versions_of(records):
        key = keys.fact(organisation.id, fact.type, fact.id, organisation.buckets)
        image = item_of_fact(key, fact)
        tables.put(RECORDS, image)
        stream.append({"eventName": "MODIFY", "dynamodb": {"NewImage": image}})
    return stream


def applied(stream: list[Any]) -> None:
    for start in range(0, len(stream), 100):
        result = bootstrap.update()(stream[start : start + 100])
        assert not result.failures


def test_planted_drift_is_reported_and_repaired(deployed: tuple[Tables, Organisation]) -> None:
    tables, made = deployed
    applied(written(tables, made, mixed_records(1, 40, days=2, spaces=2, others=2)))
    assert reconcile(made, is_repairing=False).is_exact
    random = Random(1)
    planter = drift.Planter(tables, made.epoch(made.live), random)
    # Several at a time that do not hide each other: moto takes its time.
    for plants in (
        (drift.Planter.fact_removed, drift.Planter.rollup_altered, drift.Planter.page_of_no_type),
        (drift.Planter.row_lost, drift.Planter.rollup_of_an_unknown_template),
        (drift.Planter.page_inside_another, drift.Planter.rollup_damaged),
    ):
        expected = [plant(planter) for plant in plants]
        assert all(expected)
        reported = reconcile(made, is_repairing=False)
        assert all(reported.drift.keys() & one for one in expected if one), (plants, reported)
        repaired = reconcile(made, is_repairing=True)
        assert repaired.is_exact, (plants, repaired)
        assert faults_of(tables, made) == [], plants
    assert reconcile(made, is_repairing=False).drift == {}


@pytest.mark.parametrize("seed", [0, 1])
def test_lost_stream_records_are_reported_and_repaired_in_one_pass(
    deployed: tuple[Tables, Organisation], seed: int
) -> None:
    tables, made = deployed
    stream = written(tables, made, mixed_records(seed, 60, versions=(1, 2), days=2))
    random = Random(seed)
    lost = set(random.sample(range(len(stream)), max(3, len(stream) // 50)))
    applied([record for number, record in enumerate(stream) if number not in lost])
    assert faults_of(tables, made)
    audit = reconcile(made, is_repairing=True)
    assert audit.is_exact
    assert 1 <= audit.drift_count <= len(lost)
    assert faults_of(tables, made) == []


def test_a_restored_table_is_reported_and_repaired_in_one_pass(
    deployed: tuple[Tables, Organisation],
) -> None:
    """The records table as it was, its stream gone, the analytics as they are."""
    tables, made = deployed
    records = mixed_records(9, 80, versions=(1, 3), deletes=0.2, days=2)
    half = len(records) // 2
    applied(written(tables, made, records[:half]))
    backup = [item for item in tables.all(RECORDS) if item["SK"]["S"].startswith("FACT#")]
    everything = versions_of(records)
    for fact in everything[len(versions_of(records[:half])) :]:
        key = keys.fact(made.id, fact.type, fact.id, made.buckets)
        tables.put(RECORDS, item_of_fact(key, fact))
        with tenant(made.id):
            bootstrap.apply_facts()(made, [fact])
    assert faults_of(tables, made) == []

    for item in tables.all(RECORDS):
        if item["SK"]["S"].startswith("FACT#"):
            tables.delete(RECORDS, item)
    for item in backup:
        tables.put(RECORDS, item)
    assert faults_of(tables, made)

    reported = reconcile(made, is_repairing=False)
    assert reported.drift_count
    assert not reported.is_exact
    assert reconcile(made, is_repairing=True).is_exact
    assert faults_of(tables, made) == []
    assert {item["SK"]["S"] for item in backup} <= {i["SK"]["S"] for i in tables.all(RECORDS)}
    assert tables.all(ANALYTICS)
