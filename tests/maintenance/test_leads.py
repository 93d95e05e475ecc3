"""The data of a lead: its own fact, the calls that name it, and their live rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.facts import Fact, Merges
from rollcall.domain.merging import NEVER, Key
from rollcall.domain.records import Call, Lead
from rollcall.ledger.page import Row, Rows
from rollcall.ledger.positions import END, FIRST
from rollcall.ledger.tree import Page
from rollcall.maintenance.leads import CALL, LEAD, is_of_lead, live_rows, org_id_of
from tests.support.erasing import Deployment

pytestmark = pytest.mark.property

names = st.sampled_from(["1", "2", "é"])


def call_of(lead_id: str | None) -> Call:
    return Call(5, "busy", lead_id=lead_id, answered=False, attempt=1)


def page(record_type: str, rows: list[Row]) -> Page:
    encoded = Rows.empty(record_type).with_rows({}, rows).encode()
    return Page(FIRST, END, 1, Rows.decode(record_type, encoded))


calls = st.lists(st.tuples(st.none() | names, st.booleans()), max_size=8)


@given(calls, names)
def test_the_rows_of_a_lead_are_the_live_calls_that_name_it(calls: Any, lead_id: str) -> None:
    rows = [
        Row(f"{number}", 1, 5, call_of(name) if is_live else None)
        for number, (name, is_live) in enumerate(calls)
    ]
    found = list(live_rows(page(CALL, rows), CALL, lead_id))
    assert {row.id for row in found} == {
        f"{number}" for number, (name, is_live) in enumerate(calls) if is_live and name == lead_id
    }
    assert all(row in rows for row in found)


@given(st.sets(names), st.sets(names), names)
def test_the_row_of_a_lead_is_its_own_unless_it_is_a_tombstone(
    leads: set[str], dead: set[str], lead_id: str
) -> None:
    rows = [Row(n, 1, 5, None if n in dead else Lead(5, "RETRY")) for n in sorted(leads)]
    found = [row.id for row in live_rows(page(LEAD, rows), LEAD, lead_id)]
    assert found == [lead_id] * (lead_id in leads - dead)


def test_a_fact_is_of_a_lead_while_it_holds_a_value() -> None:
    def fact(type: str, id: str, record: Any) -> Fact:
        return Fact(type, id, 5, 1, 1, record)

    assert is_of_lead(fact("lead", "1", Lead(5, "RETRY")), "1")
    assert is_of_lead(fact("call", "9", call_of("1")), "1")
    # A deletion that is older than a merge leaves what the merge has set.
    withheld = Merges(NEVER, {"lead_id": Key(1, False, -1, b"")}, {"lead_id": "1"})
    assert is_of_lead(replace(fact("call", "9", None), merges=withheld), "1")
    assert is_of_lead(replace(fact("lead", "1", None), merges=withheld), "1")
    assert not is_of_lead(replace(fact("call", "9", None), merges=withheld), "2")
    for other in (
        None,
        fact("lead", "1", None),
        fact("lead", "2", Lead(5, "RETRY")),
        fact("call", "1", call_of("2")),
        fact("call", "1", call_of(None)),
        fact("call", "9", None),
    ):
        assert not is_of_lead(other, "1")


@pytest.mark.parametrize("lead_id", ["", "x" * 129, "a\nb"])
def test_an_id_that_no_lead_can_have_is_refused(lead_id: str) -> None:
    at = Deployment()
    at.organisation()
    with pytest.raises(InvalidOperation, match="1 to 128 characters"):
        org_id_of(at.directory, "acme", lead_id)


def test_an_organisation_is_found_by_its_handle() -> None:
    at = Deployment()
    organisation = at.organisation()
    assert org_id_of(at.directory, "acme", "1") == organisation.id
    with pytest.raises(InvalidOperation, match="no organisation has the handle 'unknown'"):
        org_id_of(at.directory, "unknown", "1")
