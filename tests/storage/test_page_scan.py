"""A scan yields every row that was stored, while pages split and where pages are missing."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import CorruptItem
from rollcall.domain.organisations import Organisation, tenant
from rollcall.storage.page_scan import PageScan
from tests.support.builders import call
from tests.support.erasing import ANALYTICS, BACKOFF, Deployment


def minute(number: int) -> str:
    return f"2024-03-05T{number // 60:02d}:{number % 60:02d}:00Z"


def filled(count: int, answer_bytes: int = 1024 * 1024) -> tuple[Deployment, Organisation]:
    at = Deployment(target_bytes=500)
    at.store.limits.answer_bytes = answer_bytes
    organisation = at.organisation()
    put(at, organisation, range(0, 2 * count, 2))
    return at, organisation


def put(at: Deployment, organisation: Organisation, numbers: Any) -> None:
    calls = [
        call(f"{n}", started_at=minute(n), outcome=sha256(b"%d" % n).hexdigest()) for n in numbers
    ]
    at.put(organisation, *calls)
    at.drain()


def pages(at: Deployment) -> list[dict[str, Any]]:
    return [dict(item) for item in at.items(ANALYTICS) if "#LEDGER#call#" in item["PK"]["S"]]


@pytest.mark.parametrize("answer_bytes", [1, 2_000, 1024 * 1024])
def test_every_row_is_yielded_however_small_the_answers(answer_bytes: int) -> None:
    at, organisation = filled(60, answer_bytes)
    assert len(pages(at)) > 3
    scan = PageScan(at.client, ANALYTICS, BACKOFF)
    with tenant(organisation.id):
        found = [
            row.id for page in scan.pages(Epoch(organisation.id, 0), "call") for row in page.rows
        ]
        assert list(scan.pages(Epoch(organisation.id, 0), "lead")) == []
        assert list(scan.pages(Epoch(organisation.id, 1), "call")) == []
    assert found == [f"{n}" for n in range(0, 120, 2)]


def test_no_row_is_missed_while_pages_split() -> None:
    at, organisation = filled(40, answer_bytes=1)
    scan = PageScan(at.client, ANALYTICS, BACKOFF)
    found = set()
    with tenant(organisation.id):
        for number, page in enumerate(scan.pages(Epoch(organisation.id, 0), "call")):
            found |= {row.id for row in page.rows}
            if number < 3:
                put(at, organisation, range(61 + 10 * number, 79 + 10 * number, 2))
    assert found >= {f"{n}" for n in range(0, 80, 2)}


def test_a_page_that_is_missing_is_an_error() -> None:
    at, organisation = filled(60)
    stored = pages(at)
    scan = PageScan(at.client, ANALYTICS, BACKOFF)
    for missing in (stored[0], stored[len(stored) // 2], stored[-1]):
        with tenant(organisation.id):
            key = {name: missing[name] for name in ("PK", "SK")}
            at.client.delete_item(TableName=ANALYTICS, Key=key)
            with pytest.raises(CorruptItem, match="no ledger page covers"):
                list(scan.pages(Epoch(organisation.id, 0), "call"))
            at.client.put_item(TableName=ANALYTICS, Item=missing)
