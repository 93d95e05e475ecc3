"""A walk gives every row once and in order, whatever splits and lags behind, and reads no more."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import CorruptItem, Unavailable
from rollcall.ledger.page import Row
from rollcall.ledger.positions import END, FIRST, Span, floor, position
from rollcall.query.metering import ReadMeter
from rollcall.retry import Backoff
from rollcall.storage.ledger_walk import LedgerWalk
from tests.support.cases import cases
from tests.support.lagging_ledger import (
    BUCKET,
    TYPE,
    History,
    LaggingClient,
    Stored,
    item,
    row,
    times,
    writes,
)

pytestmark = pytest.mark.property

NO_WAIT = Backoff(tries=3, sleep=lambda _: None)
WHOLE = Span(FIRST, END)


def walk(client: object, span: Span, meter: ReadMeter, *, is_backward: bool):
    """The rows of each stretch."""
    ledger = LedgerWalk(client, "table", NO_WAIT)
    for stretch in ledger.stretches(BUCKET, TYPE, span, meter, is_backward=is_backward):
        start, end = stretch.span
        rows: list[Row] = [each for each in stretch.page.rows if start <= each.position < end]
        yield rows


# Edges of a span: floors of times, and positions of rows and just after them.
edges = st.one_of(
    st.sampled_from([FIRST, END]),
    times.map(floor),
    st.tuples(st.integers(0, 200), times).map(lambda pair: row(*pair).position),
    st.tuples(st.integers(0, 200), times).map(lambda pair: row(*pair).position + "~"),
)
any_walk = given(
    writes=st.lists(writes, max_size=12),
    span=st.one_of(st.just(WHOLE), st.tuples(edges, edges).map(lambda two: Span(*sorted(two)))),
    seed=st.integers(0, 2**32),
    items_a_query=st.integers(1, 6),
    is_backward=st.booleans(),
)


@cases(150)
@any_walk
def test_every_row_comes_once_and_in_order(writes, span, seed, items_a_query, is_backward):
    check_walk(writes, span, seed, items_a_query, is_backward)


@pytest.mark.slow
@cases(600)
@any_walk
def test_every_row_comes_once_and_in_order_in_many_histories(
    writes, span, seed, items_a_query, is_backward
):
    check_walk(writes, span, seed, items_a_query, is_backward)


def check_walk(writes, span, seed, items_a_query, is_backward) -> None:
    history = History(writes)
    client = LaggingClient(history, np.random.default_rng(seed), items_a_query)
    stretches = list(walk(client, span, ReadMeter(), is_backward=is_backward))
    found = [
        each
        for rows in stretches
        for each in sorted(rows, key=lambda each: each.position, reverse=is_backward)
    ]
    positions = [each.position for each in found]
    assert positions == sorted(positions, reverse=is_backward)

    def ids(states: int) -> set[str]:
        return {
            each.id
            for added in history.rows[:states]
            for each in added
            if span.start <= each.position < span.end
        }

    assert len(found) == len({each.id for each in found})
    assert ids(client.first) <= {each.id for each in found} <= ids(client.newest)


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_walk_reads_only_what_is_asked_for(is_backward: bool) -> None:
    history = History([[time] for time in range(0, 60_000, 100)])
    client = LaggingClient(history, np.random.default_rng(1), items_a_query=1_000)
    client.newest = client.first = len(history.states) - 1
    pages = len(history.states[-1])
    meter = ReadMeter()
    rows = list(islice(walk(client, WHOLE, meter, is_backward=is_backward), 2))
    assert pages > 50
    assert all(rows)
    assert meter.items == 2
    assert meter.used_ledger


def test_the_limit_of_a_long_walk_stays_an_int32() -> None:
    """DynamoDB answers a greater one with an error, which a retry repeats."""
    history = History([[time] for time in range(0, 60_000, 100)])
    client = LaggingClient(history, np.random.default_rng(1), items_a_query=1)
    client.newest = client.first = len(history.states) - 1
    limits = []

    class Watched:
        def query(self, **asked: Any) -> dict[str, Any]:
            limits.append(asked.get("Limit", 1))
            return client.query(**asked)

    rows = [
        each for found in walk(Watched(), WHOLE, ReadMeter(), is_backward=True) for each in found
    ]
    assert len(rows) == 600
    assert len(limits) > 50
    assert max(limits) < 2**31


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_walk_of_a_short_span_reads_its_pages_alone(is_backward: bool) -> None:
    history = History([[time] for time in range(0, 60_000, 100)])
    client = LaggingClient(history, np.random.default_rng(1), items_a_query=1_000)
    client.newest = client.first = len(history.states) - 1
    span = Span(floor(30_000), floor(30_200))
    meter = ReadMeter()
    found = [each for rows in walk(client, span, meter, is_backward=is_backward) for each in rows]
    assert sorted(each.time_ms for each in found) == [30_000, 30_100]
    assert meter.items <= 3


class Ledger:
    """Listed pages, and what the consistent read of an edge finds."""

    def __init__(self, listed: list[tuple[str, str]], covering: list[tuple[str, str]]) -> None:
        self.listed, self.covering = listed, covering
        self.consistent_reads = 0

    def query(self, **request: object) -> dict[str, object]:
        if "ConsistentRead" not in request:
            pages = self.listed
        else:
            self.consistent_reads += 1
            pages = self.covering
        empty = History([[0]]).states[1][FIRST][1].take(np.array([], dtype=np.intp))
        return {"Items": [item(start, Stored(end, empty, 1, False)) for start, end in pages]}


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_page_that_stays_hidden_is_an_error(is_backward: bool) -> None:
    middle = position(5, "middle")
    far = (FIRST, middle) if is_backward else (middle, END)
    outside = (FIRST, position(1, "early"))
    ledger = Ledger([far], [outside])
    with pytest.raises(Unavailable, match="no ledger page covers"):
        list(walk(ledger, WHOLE, ReadMeter(), is_backward=is_backward))
    # Forward, the page at the start is found before the one that is missing.
    assert ledger.consistent_reads == NO_WAIT.tries + (not is_backward)


def test_a_ledger_that_vanishes_is_an_error() -> None:
    ledger = Ledger([(position(5, "middle"), END)], [])
    with pytest.raises(CorruptItem, match="no ledger page covers"):
        list(walk(ledger, WHOLE, ReadMeter(), is_backward=True))


@pytest.mark.parametrize("is_backward", [False, True])
def test_an_empty_ledger_has_no_rows(is_backward: bool) -> None:
    rows = list(walk(Ledger([], []), WHOLE, ReadMeter(), is_backward=is_backward))
    assert not any(rows)
