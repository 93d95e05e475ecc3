"""Offsets of a zone in bulk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.zones import Zone
from rollcall.query.values import offset_ms, offsets_ms

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]
INSTANTS = st.integers(1_700_000_000_000, 1_700_000_000_000 + 300 * MS_PER_DAY)


@pytest.mark.property
@given(st.lists(INSTANTS, min_size=1, max_size=12), st.sampled_from(ZONES))
def test_offsets_are_those_of_each_instant(instants: list[int], name: str) -> None:
    zone = Zone(name)
    found = np.broadcast_to(offsets_ms(zone, np.array(instants, dtype=np.int64)), len(instants))
    expected = [zone.intervals(at, at + 1)[0].offset_ms for at in instants]
    assert found.tolist() == expected
    assert [offset_ms(zone, at) for at in instants] == expected
