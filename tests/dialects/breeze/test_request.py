"""The body of a Breeze query: what is malformed, what breaks a rule, and the query it makes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.breeze.query_type import CountsType, OverTimeType, TotalsType
from rollcall.dialects.breeze.query_types import QUERY_TYPES
from rollcall.dialects.breeze.request import MAX_PAGE, MAX_PAGE_SIZE, BreezeRequest, parse_query
from rollcall.domain.errors import BadValues, MalformedQuery
from rollcall.domain.records import Call
from rollcall.domain.time.buckets import Granularity
from rollcall.domain.time.calendar import MS_PER_DAY
from rollcall.domain.time.periods import EVER
from rollcall.domain.time.zones import UTC
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import Page
from rollcall.query.filtering import PageRead, RowFilter
from rollcall.query.model import TimeBucket
from tests.support.request_bodies import BAD_REQUESTS
from tests.support.selections import selection as selection_of

CALLS = {"query_type": "call_count"}


def filtered(**filters: Any) -> BreezeRequest:
    return parse_query({**CALLS, "filters": filters})


def selects(request: BreezeRequest, **fields: Any) -> bool:
    """Whether a call with these fields is among those of the query."""
    record = Call(1, "completed", attempt=1, answered=True, **fields)
    rows = Rows.empty("call").with_rows({}, [Row("1", 1, 1, record)])
    read = PageRead(Page(FIRST, END, 1, rows), EVER, 0)
    _, selected = RowFilter(request.query.selection).select(read)
    return selected is not None


def issues(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(BadValues) as refused:
        parse_query(body)
    return {".".join(issue.path): issue.message for issue in refused.value.issues}


def test_everything_but_the_type_has_a_default() -> None:
    request = parse_query(CALLS)
    assert (request.page, request.page_size, request.first_row) == (1, 50, 0)
    assert request.query.selection.zone == UTC
    assert request.query.bounds.period == EVER
    assert request.query.selection.conditions == ()


@pytest.mark.parametrize("query_type", QUERY_TYPES, ids=lambda each: each.name)
def test_a_type_measures_what_it_declares(query_type: Any) -> None:
    request = parse_query({"query_type": query_type.name, "granularity": "week"})
    assert request.query_type is query_type
    assert request.query.selection.record_type == ("lead" if query_type.is_about_leads else "call")
    query = request.query
    match query_type:
        case CountsType():
            assert (query.dimension, query.components) == (query_type.by, ())
        case TotalsType():
            assert (query.dimension, query.components) == (None, query_type.components)
        case OverTimeType():
            assert query.dimension == TimeBucket(Granularity.WEEK)
            assert query.components == query_type.components
            assert query.selection.conditions == (
                () if query_type.where is None else (query_type.where,)
            )


@pytest.mark.property
@given(st.integers(1, MAX_PAGE), st.integers(1, MAX_PAGE_SIZE))
def test_pages_follow_each_other(page: int, size: int) -> None:
    request = parse_query({**CALLS, "page": page, "page_size": size})
    assert request.first_row == (page - 1) * size


numbers = st.decimals(0, 5_000, places=4) | st.integers(0, 5_000)


@pytest.mark.property
@given(numbers, numbers, st.integers(0, 5_000))
def test_bounds_on_a_duration_are_compared_unrounded(low: Any, high: Any, stored: int) -> None:
    if low > high:
        return
    request = filtered(min_duration=low, max_duration=high)
    assert selects(request, duration_seconds=stored) == (low <= stored <= high)
    assert not selects(request)


@pytest.mark.property
@given(st.decimals(0, 1, places=5), st.integers(0, 1_000))
def test_bounds_on_a_sentiment_are_compared_unrounded(bound: Decimal, stored: int) -> None:
    for name in ("sentiment_min", "sentiment_max"):
        request = filtered(**{name: bound})
        exact = Decimal(stored) / 1_000
        holds = exact >= bound if name == "sentiment_min" else exact <= bound
        assert selects(request, sentiment_milli=stored) == holds


@pytest.mark.parametrize("name", sorted(BAD_REQUESTS))
def test_a_body_of_another_shape_is_malformed(name: str) -> None:
    with pytest.raises(MalformedQuery):
        parse_query(BAD_REQUESTS[name])


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(MalformedQuery, match="The body must be an object"):
        parse_query(body)


def test_every_value_that_breaks_a_rule_is_named() -> None:
    body = {**CALLS, "page": 0, "page_size": MAX_PAGE_SIZE + 1, "granularity": "year"}
    body |= {"timezone": "Mars/Olympus", "filters": {"template_id": "", "sentiment_min": 2}}
    found = issues(body)
    assert found.keys() == {
        "page", "page_size", "granularity", "timezone", "filters.template_id",
        "filters.sentiment_min",
    }  # fmt: skip
    assert all(message.startswith("must ") for message in found.values())


def test_bounds_are_checked_together() -> None:
    late, early = "2024-03-02", "2024-03-01"
    assert issues({**CALLS, "filters": {"date_from": late, "date_to": early}}) == {
        "filters.date_from": "must not be after date_to"
    }
    hourly = {"query_type": "calls_over_time", "granularity": "hour"}
    assert issues({**hourly, "filters": {"date_from": "2022-01-01", "date_to": late}}) == {
        "filters.date_to": "must be at most 400 days after date_from with granularity hour"
    }
    assert issues({**CALLS, "filters": {"min_duration": 2, "max_duration": 1}}) == {
        "filters.min_duration": "must not be greater than max_duration"
    }
    assert issues({**CALLS, "filters": {"date_to": "yesterday"}}).keys() == {"filters.date_to"}


def test_leads_have_neither_duration_nor_sentiment() -> None:
    body = {"query_type": "conversion_funnel", "filters": {"min_duration": 0, "sentiment_max": 1}}
    assert issues(body) == {
        "filters.min_duration": "does not apply to leads",
        "filters.sentiment_max": "does not apply to leads",
    }


def test_local_days_are_whole_in_their_zone() -> None:
    day = {"date_from": "2024-03-31", "date_to": "2024-03-31"}
    query = parse_query({**CALLS, "filters": day, "timezone": "Europe/Berlin"}).query
    assert query.bounds.period.end_ms - query.bounds.period.start_ms == 23 * MS_PER_DAY // 24


def test_payload_filters_that_no_payload_can_match_match_nothing() -> None:
    for wanted in ({"a b": 1}, {"k": "x" * 257}, {f"k{n}": 1 for n in range(33)}, {"": 1}):
        assert not filtered(payload_filters=wanted).query.selection.can_match
    selection = filtered(
        payload_filters={"n": Decimal("1.50"), "t": "x", "z": None}
    ).query.selection
    assert selection.can_match
    assert selection == selection_of(payload={"n": "n1.5", "t": "sx", "z": "null"})
