"""Series: every call is in the bucket of its own local time, from pages and from rollups alike."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.records import Call
from rollcall.domain.time.buckets import Granularity, bucket_of
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.zones import Zone
from rollcall.ledger.page import Row, Rows
from rollcall.query import time_series
from rollcall.query.filtering import Selected
from rollcall.query.time_series import SeriesBuilder, offsets_ms

pytestmark = pytest.mark.property

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]
instants = st.integers(1_700_000_000_000, 1_700_000_000_000 + 300 * MS_PER_DAY)
calls = st.tuples(instants, st.none() | st.integers(0, 10**9))


def selected(page: list[tuple[int, int | None]]) -> Selected:
    rows = [
        Row(f"{n}", 1, at, Call(at, "busy", duration_seconds=seconds, answered=False, attempt=1))
        for n, (at, seconds) in enumerate(page)
    ]
    return Selected(Rows.empty("call").with_rows({}, rows), None)


def key_of(granularity: Granularity, zone: Zone, instant_ms: int) -> int:
    (interval,) = zone.intervals(instant_ms, instant_ms + 1)
    key: int = bucket_of(granularity, instant_ms + interval.offset_ms, interval.offset_ms)
    return key


@given(
    st.lists(st.lists(calls, min_size=1, max_size=6), max_size=5),
    st.lists(st.tuples(instants, st.integers(0, 9), st.integers(0, 99)), max_size=4),
    st.sampled_from(list(Granularity)),
    st.sampled_from(ZONES),
    st.booleans(),
    st.sampled_from([1, 3, 2**18]),
)
def test_a_series_counts_every_call_in_its_bucket(
    pages: list[list[tuple[int, int | None]]],
    known: list[tuple[int, int, int]],
    granularity: Granularity,
    name: str,
    is_timed: bool,
    chunk: int,
) -> None:
    zone = Zone(name)
    builder = SeriesBuilder(granularity, zone, is_timed=is_timed)
    counts: Counter[int] = Counter()
    seconds: Counter[int] = Counter()
    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_series, "CHUNK_ROWS", chunk)  # sums are put together early
        for page in pages:
            builder.add(selected(page))
            for at, duration in page:
                if duration is not None or not is_timed:
                    counts[key_of(granularity, zone, at)] += 1
                    seconds[key_of(granularity, zone, at)] += (duration or 0) if is_timed else 0
                    seen.append(at)
        builder.add_known(known)
        for at, count, amount in known:
            if count:
                counts[key_of(granularity, zone, at)] += count
                seconds[key_of(granularity, zone, at)] += amount
                seen.append(at)
        series = builder.series()
    assert dict(zip(series.keys, series.counts, strict=True)) == dict(counts)
    assert dict(zip(series.keys, series.seconds, strict=True)) == {k: seconds[k] for k in counts}
    assert list(series.keys) == sorted(counts)
    assert (series.first_ms, series.last_ms) == (min(seen, default=None), max(seen, default=None))


@given(st.lists(instants, min_size=1, max_size=12), st.sampled_from(ZONES))
def test_offsets_are_those_of_each_instant(instants: list[int], name: str) -> None:
    zone = Zone(name)
    found = np.broadcast_to(offsets_ms(zone, np.array(instants, dtype=np.int64)), len(instants))
    expected = [zone.intervals(at, at + 1)[0].offset_ms for at in instants]
    assert found.tolist() == expected
