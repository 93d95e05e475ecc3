"""The index of an epoch lists the items of all its buckets; what it lists elsewhere is found."""

from __future__ import annotations

import pytest

from rollcall.domain.epochs import Bucket
from rollcall.domain.organisations import tenant
from rollcall.maintenance.reconcile.inspection import ForeignItem, Misindexed
from rollcall.storage import keys
from rollcall.storage.inspection import EpochInspection
from tests.support.builders import call
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment

LEDGERS = 3


@pytest.fixture
def at() -> Deployment:
    deployment = Deployment()
    organisation = deployment.organisation(ledgers=LEDGERS)
    deployment.put(organisation, *(call(f"{number}") for number in range(20)))
    deployment.drain()
    return deployment


def inspection(at: Deployment) -> EpochInspection:
    epoch = at.directory.organisation("org#acme").epoch(0)  # type: ignore[union-attr]
    return EpochInspection(at.client, ANALYTICS, epoch, at.now_ms, BACKOFF)


def test_every_bucket_has_pages_and_rollups_and_no_item_is_a_stray(at: Deployment) -> None:
    with tenant("org#acme"):
        found = inspection(at)
        assert list(found.index.strays()) == []
        assert len(found.buckets) == LEDGERS
        assert all(list(bucket.rollup_keys("ALL")) for bucket in found.buckets)


def test_an_item_that_is_listed_in_another_bucket_is_listed_in_its_own_again(
    at: Deployment,
) -> None:
    found = inspection(at)
    item = next(i for i in at.items(ANALYTICS) if "#B1#LEDGER#call#" in i["PK"]["S"])
    at.store.put(ANALYTICS, {**item, "GSI1SK": {"S": "B2#PAGE#"}})
    with tenant("org#acme"):
        (stray,) = found.index.strays()
        assert stray == Misindexed(item["PK"]["S"], item["SK"]["S"], is_page=True)
        found.index.relist(stray)
        assert list(found.index.strays()) == []
    assert item in list(at.items(ANALYTICS))


@pytest.mark.parametrize("bucket", ["", "B3#", "B01#", "Bx#"])
def test_an_item_of_no_bucket_of_the_epoch_is_foreign(at: Deployment, bucket: str) -> None:
    found = inspection(at)
    item = next(i for i in at.items(ANALYTICS) if "#B1#LEDGER#call#" in i["PK"]["S"])
    pk = item["PK"]["S"].replace("B1#", bucket)
    at.store.put(ANALYTICS, {**item, "PK": {"S": pk}})
    with tenant("org#acme"):
        (stray,) = found.index.strays()
        assert stray == ForeignItem(pk, item["SK"]["S"])
        assert found.index.is_foreign(stray)
        found.index.remove(stray)
        assert list(found.index.strays()) == []


def test_a_partition_key_belongs_to_one_bucket(at: Deployment) -> None:
    epoch = at.directory.organisation("org#acme").epoch(0)  # type: ignore[union-attr]
    for item in at.items(ANALYTICS):
        pk = item["PK"]["S"]
        number = int(pk.split("#")[3].removeprefix("B"))
        assert keys.bucket_of(epoch, pk) == Bucket(epoch, number)
