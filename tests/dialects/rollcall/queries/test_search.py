"""The body of a search, its cursor, and its answer as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.rollcall.queries.search import (
    COLUMNS,
    calls_csv,
    next_page,
    parse_search,
)
from rollcall.domain.errors import RefusedQuery
from rollcall.domain.facts import Fact, resolve
from rollcall.ledger.positions import position
from rollcall.query.search import FoundCalls, Place
from tests.support.builders import call
from tests.support.parsing import parsed
from tests.support.rows import ids, times

pytestmark = pytest.mark.property

NOW_MS = 1_800_000_000_000


def fact_of(record: dict[str, Any]) -> Fact:
    fact = resolve(None, parsed(record), NOW_MS * 1_000).fact
    assert fact is not None
    return fact


def rows_of(*calls: dict[str, Any], **body: Any) -> list[dict[str, str]]:
    text, _ = calls_csv(
        parse_search(body, "org", NOW_MS), FoundCalls([fact_of(each) for each in calls], None)
    )
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(time_ms=times, call_id=ids, order=st.sampled_from(["newest", "oldest"]))
def test_a_cursor_leads_to_the_call_that_was_shown_last(
    time_ms: int, call_id: str, order: str
) -> None:
    body = {"order": order, "period": "last_7_days"}
    first = parse_search(body, "org", NOW_MS)
    last = Place(position(time_ms, call_id), call_id)
    cursor = next_page(first, FoundCalls([], last), "org")
    later = parse_search(body | {"cursor": cursor, "limit": 7}, "org", NOW_MS + 86_400_000)
    assert later.search.after == last
    assert later.search.limit == 7
    # A relative period is that of the first page.
    assert later.search.period == first.search.period
    with pytest.raises(RefusedQuery, match="is not a cursor of this query"):
        parse_search(body | {"cursor": cursor}, "other", NOW_MS)


def test_the_last_page_has_no_cursor() -> None:
    assert next_page(parse_search({}, "org", NOW_MS), FoundCalls([], None), "org") is None


def test_a_payload_key_of_any_call_is_a_column() -> None:
    first, second = rows_of(
        call("a", payload={"b": "=1+1", "n": None}), call("b", payload={"a": True, "n": 2})
    )
    assert list(first) == [*COLUMNS, "payload.a", "payload.b", "payload.n"]
    of_payload = ["payload.a", "payload.b", "payload.n"]
    assert [first[name] for name in of_payload] == ["", "'=1+1", ""]
    assert [second[name] for name in of_payload] == ["true", "", "2"]


def test_labels_are_one_cell_that_is_no_formula() -> None:
    (row,) = rows_of(call("a", labels=["x", "-1", 7], outcome='a "b",\nc'))
    assert row["labels"] == "'-1;7;x"
    assert row["outcome"] == 'a "b",\nc'
    assert row["provider"] == ""


def test_the_name_of_the_file_has_local_dates() -> None:
    body = {"from": "2026-01-01T22:30:00Z", "to": "2026-01-02", "timezone": "Asia/Kolkata"}
    _, name = calls_csv(parse_search(body, "org", NOW_MS), FoundCalls([], None))
    assert name == "rollcall-calls-2026-01-02_2026-01-02.csv"
