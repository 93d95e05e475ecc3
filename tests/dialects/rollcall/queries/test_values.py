"""The parameters of a list of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.rollcall.queries.values import PARAMETERS, parse_values
from rollcall.domain.errors import RefusedQuery
from rollcall.domain.time.calendar import parse_instant

pytestmark = pytest.mark.property

NOW_MS = parse_instant("2026-11-28T12:00:00Z")


def faults(dimension: str, parameters: dict[str, list[str]]) -> dict[str, bool]:
    """Whether each pointer at fault is malformed."""
    try:
        parse_values(dimension, parameters, NOW_MS)
    except RefusedQuery as refused:
        return {fault.pointer: fault.is_malformed for fault in refused.faults}
    return {}


def test_the_defaults() -> None:
    query = parse_values("outcome", {}, NOW_MS)
    assert (query.dataset.name, query.field.name) == ("calls", "outcome")
    assert (query.part, query.limit) == ("", 50)
    assert query.bounds.period == (
        parse_instant("2026-08-31T00:00:00Z"),
        parse_instant("2026-11-29T00:00:00Z"),
    )


def test_a_bound_leaves_the_other_one_open() -> None:
    query = parse_values("outcome", {"to": ["2026-01-01"]}, NOW_MS)
    assert query.bounds.start_ms is None
    assert query.bounds.end_ms == parse_instant("2026-01-02T00:00:00Z")
    assert parse_values("outcome", {"from": ["2026-01-01"]}, NOW_MS).bounds.end_ms is None


@given(limit=st.one_of(st.integers().map(str), st.text(max_size=5)))
def test_a_limit_is_an_integer_from_1_to_200(limit: str) -> None:
    if limit.isascii() and limit.removeprefix("-").isdecimal():
        expected = {} if 1 <= int(limit) <= 200 else {"/limit": False}
    else:
        expected = {"/limit": True}
    assert faults("status", {"limit": [limit]}) == expected


@given(
    name=st.one_of(st.sampled_from(PARAMETERS), st.text(max_size=80)),
    values=st.lists(st.text(max_size=3), min_size=2, max_size=3),
)
def test_a_parameter_that_is_unknown_or_repeated_is_refused(name: str, values: list[str]) -> None:
    (pointer,) = faults("status", {name: values})
    assert pointer == f"/{name[:64].replace('~', '~0').replace('/', '~1')}"


@given(dimension=st.text(max_size=10))
def test_a_dimension_is_a_field_of_the_dataset(dimension: str) -> None:
    known = {"status", "space_token", "hour_of_day", "day_of_week"}
    expected = {} if dimension in known else {"/dimension": True}
    assert faults(dimension, {"dataset": ["tasks"]}) == expected


@pytest.mark.parametrize("dimension", ["day", "cost", "payload.", "payload.a b", "event.sms_sent"])
def test_what_no_row_is_grouped_by_has_no_values(dimension: str) -> None:
    assert faults(dimension, {}) == {"/dimension": True}
