"""The revision of a row, also while the page of the row splits."""

from __future__ import annotations

from typing import Any

import pytest

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import Unavailable
from rollcall.domain.organisations import tenant
from rollcall.domain.records import Contact
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST, floor
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage.conditions import VERSION
from rollcall.storage.rollups import APPLIED_AT
from rollcall.storage.row_revisions import RowRevisions

EARLY, LATE = (
    Row(id, rev, time, Contact("w", time)) for id, rev, time in (("early", 7, 10), ("late", 9, 30))
)


def item(start: str, end: str, *rows: Row) -> dict[str, Any]:
    """A page as it is stored."""
    data = Rows.empty("contact").with_rows({}, rows).encode()
    numbers = {VERSION: {"N": "1"}, APPLIED_AT: {"N": "1700"}}
    return {"start": {"S": start}, "end": {"S": end}, "data": {"B": data}, **numbers}


class Client:
    """Answers each query with the next page; with the last one for ever."""

    def __init__(self, *pages: dict[str, Any] | None) -> None:
        self.pages = list(pages)
        self.requests: list[dict[str, Any]] = []

    def query(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        items = [] if page is None else [page]
        return {"Items": items, "ConsumedCapacity": {"CapacityUnits": 1.5}}


def revision(client: Client, row: Row, meter: ReadMeter | None = None) -> int:
    reads = RowRevisions(client, "analytics", Backoff(tries=4, sleep=lambda _seconds: None))
    with tenant("org"):
        return reads.revision(Epoch("org", 0), "contact", row.position, row.id, meter)


def test_a_fact_that_moved_has_a_revision_at_each_of_its_times() -> None:
    dead = Row("early", 8, 20, None)
    client = Client(item(FIRST, END, EARLY, dead, LATE))
    assert [revision(client, row) for row in (EARLY, dead)] == [7, 8]
    assert revision(client, Row("late", 9, 10, None)) == 0


WHOLE = item(FIRST, END, EARLY, LATE)
LEFT, RIGHT = item(FIRST, floor(20), EARLY), item(floor(20), END, LATE)


def test_the_revision_of_a_row_and_what_it_costs() -> None:
    client, meter = Client(WHOLE), ReadMeter()
    assert revision(client, EARLY, meter) == 7
    assert revision(Client(WHOLE), LATE) == 9
    assert client.requests[0]["ConsistentRead"] is True
    assert (meter.items, meter.units, meter.rows, meter.as_of_ms) == (1, 1.5, 2, 1700)
    assert meter.source == "ledger"


def test_a_row_that_is_not_there_has_none() -> None:
    assert revision(Client(RIGHT), Row("other", 1, 30, None)) == 0
    assert revision(Client(None), LATE) == 0


def test_a_page_that_is_being_split_is_read_again() -> None:
    """The left half is visible before the right one: the row is in neither, but not gone."""
    client, meter = Client(LEFT, LEFT, RIGHT), ReadMeter()
    assert revision(client, LATE, meter) == 9
    assert (len(client.requests), meter.items) == (3, 3)


def test_a_page_that_stays_missing_is_an_error() -> None:
    with pytest.raises(Unavailable, match="no ledger page covers"):
        revision(Client(LEFT), LATE)
