"""The body of a Breeze answer: one page of all rows, and their total."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.breeze.request import parse_query
from rollcall.dialects.breeze.response import answer_body
from rollcall.domain.time.buckets import Granularity, Timeline
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import Period
from rollcall.domain.time.zones import UTC
from rollcall.query.reports.breeze import OverTime
from rollcall.query.results import Series, Tally

pages = st.tuples(st.integers(1, 9), st.integers(1, 5))


def asked(query_type: str, page: int, size: int) -> Any:
    return parse_query({"query_type": query_type, "page": page, "page_size": size})


@pytest.mark.property
@given(st.integers(0, 12), pages)
def test_a_page_is_a_part_of_all_rows(count: int, page: tuple[int, int]) -> None:
    tally = Tally(Counter({f"o={n:02d}": 5 for n in range(count)}))
    everything = answer_body(asked("outcome_distribution", 1, 1_000), tally)
    answer = answer_body(asked("outcome_distribution", *page), tally)
    number, size = page
    assert answer["data"] == everything["data"][(number - 1) * size : number * size]
    assert answer["total"] == len(everything["data"]) == count
    assert (answer["query_type"], answer["page"], answer["page_size"]) == (
        "outcome_distribution",
        *page,
    )


@pytest.mark.property
@given(st.integers(1, 40), st.dictionaries(st.integers(0, 39), st.integers(1, 9)), pages)
def test_a_page_of_buckets_has_zeros_where_nothing_is(
    days: int, counts: dict[int, int], page: tuple[int, int]
) -> None:
    keys = sorted(counts)
    series = Series(keys, [counts[key] for key in keys], [0] * len(keys), 0, 1)
    timeline = Timeline(Granularity.DAY, UTC, Period(0, days * MS_PER_DAY))
    answer = answer_body(asked("calls_over_time", *page), OverTime(series, timeline))
    assert answer["total"] == days
    first = (page[0] - 1) * page[1]
    shown = range(first, min(first + page[1], days))
    assert [row["count"] for row in answer["data"]] == [counts.get(day, 0) for day in shown]


def test_an_open_range_without_data_has_no_buckets() -> None:
    answer = answer_body(
        asked("calls_over_time", 1, 9), OverTime(Series([], [], [], None, None), None)
    )
    assert (answer["data"], answer["total"]) == ([], 0)


def test_results_of_another_kind_are_an_error() -> None:
    with pytest.raises(TypeError, match="calls_over_time has no rows for a Tally"):
        answer_body(asked("calls_over_time", 1, 9), Tally())
