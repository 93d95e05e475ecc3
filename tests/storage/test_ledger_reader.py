"""Every row of a period is read exactly once, whatever splits and lags behind meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.periods import EVER, Period
from rollcall.query.filtering import select
from rollcall.query.metering import ReadMeter
from rollcall.query.model import Selection
from rollcall.retry import Backoff
from rollcall.storage.ledger_reader import LedgerReader
from tests.support.cases import cases
from tests.support.lagging_ledger import EPOCH, ORG, TYPE, History, LaggingClient, times

pytestmark = pytest.mark.property

EXECUTOR = ThreadPoolExecutor(4)


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


@cases(100)
@any_history
def test_every_row_is_read_once(writes, bounds, seed, items_a_query):
    check_reads(writes, bounds, seed, items_a_query)


@pytest.mark.slow
@cases(400)
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
