"""Calls with every field that rollups count."""

from __future__ import annotations

from hypothesis import strategies as st

from rollcall.domain.choices import CALL_EVENTS, CALL_STATUSES, DISPOSITIONS
from rollcall.domain.records import Call

calls = st.builds(
    Call,
    started_at_ms=st.integers(0, 10**9),
    status=st.sampled_from(CALL_STATUSES),
    disposition=st.sampled_from([None, *DISPOSITIONS]),
    outcome=st.sampled_from([None, "", "a=b"]),
    provider=st.sampled_from([None, "p"]),
    duration_seconds=st.sampled_from([None, 0, 7]),
    sentiment_milli=st.sampled_from([None, 0, 199, 200, 999, 1000]),
    cost_micros=st.sampled_from([None, 0, 2**40]),
    attempt=st.integers(1, 12),
    answered=st.booleans(),
    labels=st.lists(st.sampled_from("xyz"), unique=True).map(lambda v: tuple(sorted(v))),
    events=st.dictionaries(st.sampled_from(CALL_EVENTS), st.integers(1, 3)),
)
