"""Recognises the data of a lead: its own fact, the calls that name it, and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.facts import Fact
from rollcall.domain.records import Call
from rollcall.domain.validation import is_id
from rollcall.ledger.page import TOMBSTONE, Row
from rollcall.ledger.tree import Page
from rollcall.maintenance.ports import Organisations

LEAD: Final = "lead"
CALL: Final = "call"
TYPES: Final = (LEAD, CALL)


def org_id_of(organisations: Organisations, handle: str, lead_id: str) -> str:
    """The id of the organisation with a handle.

    Raises InvalidOperation when there is none, or `lead_id` is not a valid id.
    """
    if not is_id(lead_id):
        raise InvalidOperation(
            "the id of a lead must have 1 to 128 characters and no control characters"
        )
    org_id = organisations.org_id_of_handle(handle)
    if org_id is None:
        raise InvalidOperation(f"no organisation has the handle {handle!r}")
    return org_id


def is_of_lead(fact: Fact | None, lead_id: str) -> bool:
    """Whether a fact is the lead's own, or one of its calls, and holds a value."""
    if fact is None or (fact.record is None and not fact.withheld):
        return False
    if fact.type == LEAD:
        return fact.id == lead_id
    record = fact.record
    named = record.lead_id if isinstance(record, Call) else fact.withheld.get("lead_id")
    return bool(fact.type == CALL and named == lead_id)


def names_no_lead(fact: Fact) -> bool:
    """Whether a fact is a deleted call that holds values of a later merge, but not whose they are."""
    return (
        fact.type == CALL
        and fact.record is None
        and bool(fact.withheld)
        and fact.withheld.get("lead_id") is None
    )


def live_rows(page: Page, record_type: str, lead_id: str) -> Iterator[Row]:
    """The rows of a page that hold data of a lead; tombstones hold none."""
    rows = page.rows
    column = rows.texts("id" if record_type == LEAD else "lead_id")
    if lead_id in column.words:
        for index, text in enumerate(column.texts()):
            if text == lead_id and rows.integers(TOMBSTONE).get(index) is None:
                yield rows.row(index)
