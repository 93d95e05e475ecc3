"""What the index lists of several buckets is compared, and so is the bucket of every row."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from rollcall.domain.organisations import Organisation
from rollcall.maintenance import audits
from tests.support import drift
from tests.support.reconciling import ANALYTICS, Items, organisation, reconcile, stored


@pytest.fixture
def divided() -> Iterator[tuple[Items, Organisation]]:
    with stored() as tables:
        made = organisation(tables, 0)
        assert made.epoch(made.live).bucket_count == 3
        yield tables, made


def repaired(made: Organisation, kind: str) -> None:
    """The drift is reported, repaired, and gone."""
    assert set(reconcile(made, is_repairing=False).drift) == {kind}
    audit = reconcile(made, is_repairing=True)
    assert (set(audit.drift), audit.is_exact) == ({kind}, True)
    assert reconcile(made, is_repairing=False).drift == {}


def test_an_item_that_is_listed_in_another_bucket(divided: tuple[Items, Organisation]) -> None:
    tables, made = divided
    item = next(i for i in tables.all(ANALYTICS) if "#B1#LEDGER#call#" in i["PK"]["S"])
    tables.put(ANALYTICS, {**item, "GSI1SK": {"S": "B0#PAGE#"}})
    repaired(made, audits.PAGE_DAMAGED)
    assert tables.violations(made) == []


def test_a_row_in_another_bucket(divided: tuple[Items, Organisation]) -> None:
    """It would count twice, in the rollups of two buckets."""
    tables, made = divided
    planter = drift.Planter(tables, made.epoch(made.live), Random(1))
    of_calls = [page for page in planter.pages() if page[1] == "call"]
    here = next(page for page in of_calls if "#B0#" in page[0]["PK"]["S"] and len(page[2]))
    row = next(row for row in here[2] if row.record is not None)
    item, record_type, rows = next(
        (item, record_type, rows)
        for item, record_type, rows in of_calls
        if "#B1#" in item["PK"]["S"] and item["SK"]["S"] <= row.position < item["end"]["S"]
    )
    planter._put_rows(item, record_type, [*rows, row])
    assert audits.ROW_PHANTOM in reconcile(made, is_repairing=False).drift
    assert reconcile(made, is_repairing=True).is_exact
    assert reconcile(made, is_repairing=False).drift == {}
    assert tables.violations(made) == []
