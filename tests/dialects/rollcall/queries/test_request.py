"""Parsing a query: every fault at once, at its place, with the right kind of refusal."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from rollcall.dialects.rollcall.queries.request import parse_query
from rollcall.domain.errors import RefusedQuery
from tests.support.query_faults import fault_of, invalid

NOW = 1_795_867_200_000


def refusal(body: Any) -> RefusedQuery:
    with pytest.raises(RefusedQuery) as refused:
        parse_query(body, "org", NOW)
    return refused.value


@pytest.mark.representatives(60)
@pytest.mark.parametrize("seed", range(300))
def test_every_fault_of_a_generated_body_is_named(seed: int) -> None:
    expected = invalid(Random(seed))
    error = refusal(expected.body)
    pointers = [fault.pointer for fault in error.faults]
    assert fault_of(error.status, pointers, expected) is None, json.dumps(
        expected.body, default=str
    )


def test_unknown_names_list_the_known_ones_nearest_first() -> None:
    body = {
        "measures": ["cals"],
        "dimensions": ["outcom"],
        "filters": [{"field": "stats", "op": "eq", "value": "busy"}],
        "mesures": [],
    }
    messages = {fault.pointer: fault.message for fault in refusal(body).faults}
    assert "known are calls, " in messages["/measures/0"]
    assert "known are outcome, " in messages["/dimensions/0"]
    assert "known are status, " in messages["/filters/0/field"]
    assert "known are measures, " in messages["/mesures"]


def test_a_cursor_belongs_to_one_query_of_one_organisation() -> None:
    from rollcall.dialects.rollcall.queries.cursor import Cursor, encode_cursor

    body = {"measures": ["calls"], "dimensions": ["outcome"], "period": "today"}
    cursor = encode_cursor(Cursor(7, NOW - 5), "org", body)
    parsed = parse_query({**body, "cursor": cursor, "limit": 3}, "org", NOW)
    assert (parsed.query.first_row, parsed.query.limit, parsed.now_ms) == (7, 3, NOW - 5)
    others = [
        ({**body, "cursor": cursor}, "another"),
        ({**body, "measures": ["cost"], "cursor": cursor}, "org"),
        ({**body, "cursor": cursor[:-1]}, "org"),
        ({**body, "cursor": cursor[1:]}, "org"),
        ({**body, "cursor": "é"}, "org"),
        ({**body, "cursor": ""}, "org"),
    ]
    for other, org_id in others:
        with pytest.raises(RefusedQuery, match="/cursor is not a cursor of this query"):
            parse_query(other, org_id, NOW)


def test_a_relative_period_is_the_same_on_every_page() -> None:
    from rollcall.dialects.rollcall.queries.cursor import Cursor, encode_cursor

    body = {"measures": ["calls"], "period": "today"}
    first = parse_query(body, "org", NOW)
    cursor = encode_cursor(Cursor(1, first.now_ms), "org", body)
    tomorrow = NOW + 86_400_000
    assert (
        parse_query({**body, "cursor": cursor}, "org", tomorrow).query.bounds == first.query.bounds
    )
    assert parse_query(body, "org", tomorrow).query.bounds != first.query.bounds


def test_a_day_that_its_zone_skipped_has_no_length() -> None:
    """Samoa went from 29 to 31 December 2011."""
    days = {"from": "2011-12-30", "to": "2011-12-30", "timezone": "Pacific/Apia"}
    bounds = parse_query({"measures": ["calls"], **days}, "org", NOW).query.bounds
    assert bounds.start_ms == bounds.end_ms
    late = {**days, "from": "2011-12-31"}
    (fault,) = refusal({"measures": ["calls"], **late}).faults
    assert (fault.pointer, fault.message) == ("/from", "must not be after to")
