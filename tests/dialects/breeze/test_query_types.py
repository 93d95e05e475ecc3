"""Breeze's types of query: their rows for any tally, and what their declarations promise."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.breeze.query_type import OverTimeType, TallyType
from rollcall.dialects.breeze.query_types import QUERY_TYPE_OF, QUERY_TYPES
from rollcall.domain.measures import GROUPS, LABEL, OPEN_GROUPS, closed_names
from rollcall.domain.time.buckets import Bucket
from rollcall.query.results import Tally

TALLY_TYPES = [each for each in QUERY_TYPES if isinstance(each, TallyType)]
OVER_TIME_TYPES = [each for each in QUERY_TYPES if isinstance(each, OverTimeType)]


@st.composite
def tallies(draw: st.DrawFn, of: TallyType[Any]) -> Tally:
    """A tally with measures of the groups of a type."""
    names = list(closed_names(of.groups))
    for group in of.groups:
        if group in OPEN_GROUPS:
            breakdown = OPEN_GROUPS[group]
            names += [breakdown] * (breakdown != LABEL) + [
                f"{breakdown}={v}" for v in ("a", "", "é")
            ]
    counts = draw(st.dictionaries(st.sampled_from(names), st.integers(0, 1_000), max_size=12))
    extremes = sorted(draw(st.lists(st.integers(0, 999), min_size=2, max_size=2)))
    return Tally(Counter(counts), *(extremes if draw(st.booleans()) else (None, None)))


@pytest.mark.property
@pytest.mark.parametrize("query_type", TALLY_TYPES, ids=lambda each: each.name)
@given(st.data())
def test_rows_have_the_declared_fields_and_sane_figures(
    query_type: Any, data: st.DataObject
) -> None:
    rows = query_type.rows(data.draw(tallies(query_type)))
    for row in rows:
        assert list(row) == list(query_type.row.__annotations__)
        assert all(value >= 0 for name, value in row.items() if name in ("count", "calls", "total"))
    if "rank" in query_type.row.__annotations__:
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.property
@pytest.mark.parametrize("name", ["outcome_distribution", "provider_breakdown"])
@given(st.data())
def test_a_distribution_counts_every_call_and_is_ordered(name: str, data: st.DataObject) -> None:
    query_type = QUERY_TYPE_OF[name]
    assert isinstance(query_type, TallyType)
    tally = data.draw(tallies(query_type))
    (breakdown,) = [OPEN_GROUPS[group] for group in query_type.groups if group in OPEN_GROUPS]
    rows = query_type.rows(tally)
    assert sum(row["count"] for row in rows) == sum(tally.values(breakdown).values())
    counts = [row["count"] for row in rows]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("query_type", OVER_TIME_TYPES, ids=lambda each: each.name)
def test_a_row_over_time_has_its_bucket_and_its_count(query_type: OverTimeType[Any]) -> None:
    for count, seconds in ((0, 0), (4, 10)):
        row = query_type.row_of(Bucket(7, "2024-02-29"), count, seconds)
        assert list(row) == list(query_type.row.__annotations__)
        assert (row["date"], row["count"]) == ("2024-02-29", count)
        if query_type.is_timed:
            assert row["avg_duration"] == (2.5 if count else None)


def test_every_type_is_declared_once_with_what_it_needs() -> None:
    assert len(QUERY_TYPE_OF) == len(QUERY_TYPES)
    for name, query_type in QUERY_TYPE_OF.items():
        assert query_type.name == name
        assert query_type.description
        assert query_type.row.__annotations__
    for tally_type in TALLY_TYPES:
        record_types = {GROUPS[group].record_type for group in tally_type.groups}
        assert record_types == {"lead" if tally_type.is_about_leads else "call"}
