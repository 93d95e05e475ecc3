"""The meter of an answer: what was read adds up, and the freshness is the latest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.query.metering import ReadMeter


@pytest.mark.property
@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 40).map(lambda n: n / 2)), max_size=6),
    st.lists(st.integers(1, 10**13), max_size=6),
)
def test_reads_add_up_and_the_latest_change_counts(
    reads: list[tuple[int, float]], changes: list[int]
) -> None:
    meter = ReadMeter()
    for items, units in reads:
        meter.count(items, units)
    for changed_at_ms in changes:
        meter.saw(changed_at_ms)
    assert (meter.items, meter.units) == (sum(n for n, _ in reads), sum(u for _, u in reads))
    assert meter.as_of_ms == max(changes, default=None)


@pytest.mark.parametrize(
    ("used_rollups", "used_ledger", "source"),
    [
        (True, False, "rollups"),
        (False, True, "ledger"),
        (True, True, "mixed"),
        (False, False, "rollups"),
    ],
)
def test_the_source_is_what_was_used(used_rollups: bool, used_ledger: bool, source: str) -> None:
    meter = ReadMeter(used_rollups=used_rollups, used_ledger=used_ledger)
    assert meter.source == source
