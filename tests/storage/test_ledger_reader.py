"""Every row of a period is read exactly once, whatever splits and lags behind meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollcall.domain.records import Contact
from rollcall.domain.time.calendar import LAST_MS
from rollcall.domain.time.periods import EVER, Period
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import split
from rollcall.query.filtering import select
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Selection
from rollcall.retry import Backoff
from rollcall.storage import keys
from rollcall.storage.ledger_reader import LedgerReader

pytestmark = pytest.mark.property


TARGET_BYTES = 120
ORG, EPOCH, TYPE = "org", 0, "contact"
EXECUTOR = ThreadPoolExecutor(4)

times = st.one_of(
    st.sampled_from([0, 1, 86_399_999, 86_400_000, LAST_MS]),
    st.integers(0, 40),
    st.integers(0, 5 * 86_400_000),
    st.integers(1_700_000_000_000, 1_700_000_000_000 + 86_400_000 * 3),
)


def row(number: int, time_ms: int) -> Row:
    return Row(f"id-{number}", 1, time_ms, Contact("w", time_ms))


class History:
    """A ledger's tree after every write: start → (end, rows)."""

    def __init__(self, writes: list[list[int]]) -> None:
        self.rows: list[list[Row]] = []
        self.states: list[dict[str, tuple[str, Rows]]] = [{}]
        tree: dict[str, tuple[str, Rows]] = {}
        number = 0
        for write in writes:
            tree = dict(tree) or {FIRST: (END, Rows.empty(TYPE))}
            added = [row(number + i, time) for i, time in enumerate(write)]
            number += len(added)
            for start, (end, rows) in list(tree.items()):
                here = [r for r in added if start <= r.position < end]
                if here:
                    for page in split(start, end, rows.with_rows({}, here), TARGET_BYTES):
                        tree[page.start] = (page.end, page.rows)
            self.states.append(tree)
            self.rows.append(added)


class LaggingClient:
    """Answers queries from a tree that grows meanwhile; each item may lag behind on its own."""

    def __init__(self, history: History, draw: np.random.Generator, items_a_query: int) -> None:
        self.history = history
        self.draw = draw
        self.items_a_query = items_a_query
        self.newest = int(draw.integers(0, len(history.states)))
        self.first = self.newest  # every answer is at least as new as this

    def query(self, **request: Any) -> dict[str, Any]:
        states = self.history.states
        self.newest = min(len(states) - 1, self.newest + int(self.draw.integers(0, 2)))
        values = request["ExpressionAttributeValues"]
        assert values[":pk"]["S"] == keys.ledger(ORG, EPOCH, TYPE)
        if ":position" in values:
            low, high = "", values[":position"]["S"]
        else:
            low, high = values[":first"]["S"], values[":last"]["S"]
        found = []
        for start in states[self.newest]:
            if low <= start <= high:
                oldest = self.newest if request.get("ConsistentRead") else self.first
                seen = states[int(self.draw.integers(oldest, self.newest + 1))]
                if start in seen:
                    found.append((start, *seen[start]))
        found.sort(key=lambda page: page[0], reverse=not request.get("ScanIndexForward", True))
        limit = request.get("Limit", self.items_a_query)
        answer: dict[str, Any] = {
            "Items": [self.item(*page) for page in found[:limit]],
            "ConsumedCapacity": {"CapacityUnits": 0.5},
        }
        if len(found) > limit:
            answer["LastEvaluatedKey"] = {}
        return answer

    @staticmethod
    def item(start: str, end: str, rows: Rows) -> dict[str, Any]:
        return {
            "start": {"S": start},
            "end": {"S": end},
            "v": {"N": "1"},
            "applied_at": {"N": "7"},
            "data": {"B": rows.encode()},
        }


def read_ids(client: LaggingClient, periods: list[Period]) -> list[str]:
    reader = LedgerReader(client, "table", EXECUTOR, 4, Backoff())
    meter = ReadMeter()
    found: list[str] = []
    for read in reader.pages(ORG, EPOCH, TYPE, periods, meter):
        count, selected = select(read, Selection(TYPE))
        if selected is not None:
            ids = selected.rows.ids()
            indices = range(len(ids)) if selected.indices is None else selected.indices.tolist()
            found += [ids[index] for index in indices]
            assert count == len(indices)
    return found


def batched(edges: list[int]) -> list[tuple[int, int]]:
    """Every other interval between the edges."""
    return list(zip(edges[::2], edges[1::2], strict=False))


any_history = given(
    writes=st.lists(st.lists(times, min_size=1, max_size=20), min_size=2, max_size=10),
    bounds=st.one_of(st.none(), st.lists(times, max_size=8)),
    seed=st.integers(0, 2**32),
    items_a_query=st.integers(1, 6),
)


@settings(max_examples=100)
@any_history
def test_every_row_is_read_once(writes, bounds, seed, items_a_query):
    check_reads(writes, bounds, seed, items_a_query)


@pytest.mark.slow
@settings(max_examples=400)
@any_history
def test_every_row_is_read_once_in_many_histories(writes, bounds, seed, items_a_query):
    check_reads(writes, bounds, seed, items_a_query)


def check_reads(writes, bounds, seed, items_a_query):
    periods = [EVER]
    if bounds is not None:
        edges = sorted(bounds)
        periods = [Period(*pair) for pair in batched(edges) if pair[0] < pair[1]]
    history = History(writes)
    client = LaggingClient(history, np.random.default_rng(seed), items_a_query)
    found = read_ids(client, periods)

    def ids(states: int) -> set[str]:
        return {
            r.id
            for added in history.rows[:states]
            for r in added
            if any(period.start_ms <= r.time_ms < period.end_ms for period in periods)
        }

    assert len(found) == len(set(found))
    assert ids(client.first) <= set(found) <= ids(client.newest)
