"""Every row of a period is read exactly once, whatever splits and lags behind meanwhile."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.periods import EVER, Period
from rollcall.ledger.page import ID, TIME
from rollcall.ledger.positions import time_of
from rollcall.query.filtering import RowFilter
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Selection
from rollcall.retry import Backoff
from rollcall.storage.ledger_reader import LedgerReader, _Fetched
from rollcall.storage.page_reads import Found
from tests.support.cases import cases
from tests.support.lagging_ledger import (
    EPOCH,
    TYPE,
    History,
    LaggingClient,
    Merge,
    times,
    writes,
)

pytestmark = pytest.mark.property

EXECUTOR = ThreadPoolExecutor(4)


def read_ids(
    client: LaggingClient, periods: list[Period], columns: frozenset[str] | None
) -> list[object]:
    """The ids of the rows that are read, or their times if ids are not among the columns."""
    reader = LedgerReader(client, "table", EXECUTOR, 4, Backoff())
    meter = ReadMeter()
    found: list[object] = []
    for read in reader.pages(EPOCH, TYPE, periods, meter, columns):
        count, selected = RowFilter(Selection(TYPE)).select(read)
        if selected is not None:
            has_ids = columns is None or ID in columns
            of_row = (
                selected.rows.ids() if has_ids else selected.rows.integers(TIME).values.tolist()
            )
            indices = range(len(of_row)) if selected.indices is None else selected.indices.tolist()
            found += [of_row[index] for index in indices]
            assert count == len(indices)
    return found


def batched(edges: list[int]) -> list[tuple[int, int]]:
    """Every other interval between the edges."""
    return list(zip(edges[::2], edges[1::2], strict=False))


any_history = given(
    writes=st.lists(writes, min_size=2, max_size=12),
    bounds=st.one_of(st.none(), st.lists(times, max_size=8)),
    columns=st.sampled_from([None, frozenset({ID}), frozenset()]),
    seed=st.integers(0, 2**32),
    items_a_query=st.integers(1, 6),
)


@cases(100)
@any_history
def test_every_row_is_read_once(writes, bounds, columns, seed, items_a_query):
    check_reads(writes, bounds, columns, seed, items_a_query)


@cases(60)
@any_history
def test_rows_of_segments_that_are_skipped_are_counted_once(
    writes, bounds, columns, seed, items_a_query
):
    """No column that a condition names is read of them, and what is scanned is counted all the same."""
    history = History(writes)
    client = LaggingClient(history, np.random.default_rng(seed), items_a_query)
    reader = LedgerReader(client, "table", EXECUTOR, 4, Backoff())
    periods = periods_of(bounds)
    read = list(
        reader.pages(EPOCH, TYPE, periods, ReadMeter(), columns or frozenset(), lambda *_: False)
    )
    assert all(each.can_match != each.page.is_segment for each in read)
    counts = [RowFilter(Selection(TYPE)).select(each)[0] for each in read]

    def expected(states: int) -> int:
        return sum(
            period.start_ms <= row.time_ms < period.end_ms
            for added in history.rows[:states]
            for row in added
            for period in periods
        )

    assert expected(client.first) <= sum(counts) <= expected(client.newest)


@pytest.mark.parametrize(("pages", "queries"), [(11, 2), (19, 3), (28, 6)])
def test_a_part_is_cut_only_if_one_answer_cannot_have_the_rest(pages: int, queries: int) -> None:
    """One query finds where a part begins, and before a cut one more finds where the rows end."""
    hours = range(0, 2_400 * 3_600_000, 3_600_000)
    history = History([list(hours[first::8]) for first in range(8)])
    end_ms = time_of(sorted(history.states[-1])[pages])
    client = LaggingClient(history, np.random.default_rng(1), items_a_query=10)
    client.first = client.newest = len(history.rows)
    with patch.object(client, "query", wraps=client.query) as query:
        read_ids(client, [Period(0, end_ms)], None)
    assert query.call_count == queries


@pytest.mark.slow
@cases(400)
@any_history
def test_every_row_is_read_once_in_many_histories(writes, bounds, columns, seed, items_a_query):
    check_reads(writes, bounds, columns, seed, items_a_query)


def periods_of(bounds: list[int] | None) -> list[Period]:
    if bounds is None:
        return [EVER]
    return [Period(*pair) for pair in batched(sorted(bounds)) if pair[0] < pair[1]]


def check_reads(writes, bounds, columns, seed, items_a_query):
    periods = periods_of(bounds)
    history = History(writes)
    client = LaggingClient(history, np.random.default_rng(seed), items_a_query)
    found = read_ids(client, periods, columns)

    has_ids = columns is None or ID in columns

    def expected(states: int) -> Counter[object]:
        return Counter(
            r.id if has_ids else r.time_ms
            for added in history.rows[:states]
            for r in added
            if any(period.start_ms <= r.time_ms < period.end_ms for period in periods)
        )

    assert expected(client.first) <= Counter(found) <= expected(client.newest)


@pytest.mark.slow
@pytest.mark.parametrize("is_twice", [True, False])
def test_a_reader_that_takes_merged_pages_twice_or_skips_them_is_caught(is_twice: bool) -> None:
    """What begins before the position reached is a segment of pages that were read."""
    original = _Fetched.take

    def take(self: _Fetched, found: Found, reached: str) -> str:
        if found.page.start == reached:
            return original(self, found, reached)
        return original(self, found, found.page.start) if is_twice else found.page.end

    draw = np.random.default_rng(7)
    caught = 0
    with patch.object(_Fetched, "take", take):
        for seed in range(300):
            added: list[list[int] | Merge] = [
                Merge(int(draw.integers(0, 9)), int(draw.integers(2, 9)))
                if number % 2
                else draw.integers(0, 5 * 86_400_000, 12).tolist()
                for number in range(10)
            ]
            try:
                check_reads(added, None, None, seed, 2)
            except AssertionError:
                caught += 1
    assert caught
