"""What a scan touches and holds: only the columns it needs, only as many answers as may run."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import TooManyRows, Unavailable
from rollcall.domain.records import Call
from rollcall.domain.time.periods import EVER, Period
from rollcall.ledger import encoded as encoded_module
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST, position
from rollcall.ledger.tree import Page
from rollcall.query.components import ALL_ROWS
from rollcall.query.datasets import call_field
from rollcall.query.filtering import PageRead, RowFilter
from rollcall.query.grouping import GroupBuilder
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Aggregation, Selection
from rollcall.retry import MAX_REQUEST_SECONDS, Backoff, time_limit
from rollcall.storage.ledger_reader import LedgerReader
from tests.support.selections import selection

HOUR_MS = 3_600_000


def calls(count: int) -> Rows:
    rows = [
        Row(
            f"call-{number}",
            1,
            number * HOUR_MS,
            Call(
                number * HOUR_MS,
                "completed",
                answered=True,
                attempt=1,
                duration_seconds=number,
                outcome="sold",
                template_id="t",
                payload={"plan": "pro"},
            ),
        )
        for number in range(count)
    ]
    return Rows.empty("call").with_rows({}, rows)


def decoded_for(selected_by: Selection, *by: str, period: Period = EVER) -> set[str]:
    """The columns of a stored page that are decoded to answer a query."""
    data = calls(20).encode()
    page = Page(FIRST, position(20 * HOUR_MS, ""), 1, Rows.decode("call", data))
    names: set[str] = set()
    decode = encoded_module.PageColumns.column

    def spy(encoded, name, count):
        names.add(name)
        return decode(encoded, name, count)

    with patch.object(encoded_module.PageColumns, "column", spy):
        _, selected = RowFilter(selected_by).select(PageRead(page, period, 0))
        if selected is not None:
            dimensions = tuple(map(call_field, by))
            builder = GroupBuilder(Aggregation(selected_by, period, dimensions, (ALL_ROWS,)))
            builder.add_rows([selected])
            builder.groups()
    return names


def test_only_the_columns_of_the_query_are_decoded():
    long = selection(between={"duration_seconds": (5, 10)})
    assert decoded_for(long) == {"duration_seconds"}
    assert decoded_for(long, "outcome") == {"duration_seconds", "outcome"}
    assert decoded_for(Selection("call")) == set()
    # Times only where a page is not wholly inside the period.
    assert decoded_for(long, period=Period(0, 2 * HOUR_MS)) == {"time", "duration_seconds"}
    pro = selection(payload={"plan": "spro"})
    assert decoded_for(pro) == {"payload.plan"}


def test_a_condition_that_nothing_meets_ends_the_decoding():
    other = selection("call", {"duration_seconds": (0, 9)}, {"plan": "spro"}, template_id="u")
    assert decoded_for(other, "outcome") == {"template_id"}


class SlowlyRead:
    """A ledger of many pages, one in an answer; counts the answers that wait to be taken."""

    def __init__(self, pages: int) -> None:
        self.starts = [FIRST, *(position(n * HOUR_MS, "") for n in range(1, pages)), END]
        self.held = self.most_held = self.queries = 0
        self.lock = threading.Lock()

    def query(self, **request):
        values = request["ExpressionAttributeValues"]
        if ":position" in values:
            found = [max(start for start in self.starts[:-1] if start <= values[":position"]["S"])]
        else:
            first, last = values[":first"]["S"], values[":last"]["S"]
            found = [start for start in self.starts[:-1] if first <= start <= last]
        items = [
            {
                "SK": {"S": start},
                "start": {"S": start},
                "end": {"S": self.starts[self.starts.index(start) + 1]},
                "v": {"N": "1"},
                "applied_at": {"N": "1"},
                "data": {"B": Rows.empty("call").encode()},
            }
            for start in found[:1]
        ]
        with self.lock:
            self.queries += 1
            if len(found) > 1:
                self.held += 1
                self.most_held = max(self.most_held, self.held)
        return {"Items": items, **({"LastEvaluatedKey": {}} if len(found) > 1 else {})}


@pytest.fixture
def executor():
    with ThreadPoolExecutor(8) as made:
        yield made


def read(client, executor, concurrency=4):
    reader = LedgerReader(client, "table", executor, concurrency, Backoff())
    return reader.pages(Epoch("org", 0), "call", [EVER], ReadMeter())


def test_no_more_answers_are_held_than_queries_may_run(executor):
    client = SlowlyRead(300)
    taken = 0
    for _page in read(client, executor):
        time.sleep(0.001)  # slower than the reads
        taken += 1
        with client.lock:
            client.held = max(0, client.held - 1)
    assert taken >= 300
    assert client.most_held <= 4 + 1  # and the one that is being taken


def test_a_reader_that_stops_leaves_nothing_running(executor):
    client = SlowlyRead(3_000)
    pages = read(client, executor)
    for _ in range(50):
        next(pages)
    pages.close()
    asked = client.queries
    executor.shutdown(wait=True)  # nothing that was begun or queued is left after this
    assert client.queries == asked


def test_a_scan_ends_with_an_error_when_its_time_is_over(executor):
    with time_limit(MAX_REQUEST_SECONDS), pytest.raises(Unavailable):
        list(read(SlowlyRead(300), executor))


def test_too_many_rows_names_the_limit_and_the_way_out():
    message = str(TooManyRows(2_000_000))
    assert "2,000,000" in message
    assert "Shorten its time range" in message
