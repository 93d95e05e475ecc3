"""The body of a Breeze answer: one page of all rows, and their total."""

from __future__ import annotations

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
from rollcall.query.components import ALL_ROWS
from rollcall.query.datasets import call_field
from rollcall.query.model import TimeBucket
from rollcall.query.reports.breeze import BreezeReport
from tests.support.groups import groups

DAYS = TimeBucket(Granularity.DAY)
pages = st.tuples(st.integers(1, 9), st.integers(1, 5))


def asked(query_type: str, page: int, size: int) -> Any:
    return parse_query({"query_type": query_type, "page": page, "page_size": size})


@pytest.mark.property
@given(st.integers(0, 12), pages)
def test_a_page_is_a_part_of_all_rows(count: int, page: tuple[int, int]) -> None:
    parts: Any = ((0, (f"{n:02d}",), {ALL_ROWS: 5}, {}) for n in range(count))
    report = BreezeReport(groups(call_field("outcome"), (), *parts), None)
    everything = answer_body(asked("outcome_distribution", 1, 1_000), report)
    answer = answer_body(asked("outcome_distribution", *page), report)
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
    parts: Any = ((day, (day,), {ALL_ROWS: count}, {}) for day, count in counts.items())
    timeline = Timeline(Granularity.DAY, UTC, Period(0, days * MS_PER_DAY))
    answer = answer_body(
        asked("calls_over_time", *page), BreezeReport(groups(DAYS, (), *parts), timeline)
    )
    assert answer["total"] == days
    first = (page[0] - 1) * page[1]
    shown = range(first, min(first + page[1], days))
    assert [row["count"] for row in answer["data"]] == [counts.get(day, 0) for day in shown]


def test_an_open_range_without_data_has_no_buckets() -> None:
    answer = answer_body(asked("calls_over_time", 1, 9), BreezeReport(groups(DAYS, ()), None))
    assert (answer["data"], answer["total"]) == ([], 0)
