"""A preview counts what an erasure erases, and writes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.organisations import tenant
from rollcall.storage import keys
from tests.support.builders import call, deletion, lead
from tests.support.cases import cases
from tests.support.erasing import ANALYTICS, RECORDS, Deployment

LEAD = "lead~#é 1"
records = st.one_of(
    st.builds(
        lambda n, name: call(n, lead_id=name),
        st.sampled_from("123"),
        st.sampled_from([LEAD, "other"]),
    ),
    st.builds(lambda n: deletion("call", n), st.sampled_from("123")),
    st.just(lead(LEAD)),
    st.just(lead("other")),
)


def everything(at: Deployment) -> list[Any]:
    return [dict(item) for table in (RECORDS, ANALYTICS) for item in at.items(table)]


@pytest.mark.property
@cases(40)
@given(st.lists(records, max_size=8), st.booleans())
def test_a_preview_counts_what_the_erasure_erases(documents: list[Any], is_applied: bool) -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, *documents)
    if is_applied:
        at.drain()
    before = everything(at)
    preview = at.preview("acme", LEAD)
    assert everything(at) == before
    erased = at.erase("acme", LEAD)
    assert dict(preview.facts) == dict(erased.facts)
    assert preview.damaged == 0
    at.drain()
    assert at.preview("acme", LEAD).is_empty
    if is_applied:
        assert sum(preview.facts.values()) == preview.rows[0]


def test_every_written_epoch_is_counted() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.write_epochs(organisation, 0, 1)
    at.put(organisation, lead(LEAD), call("1", lead_id=LEAD), call("2", lead_id="other"))
    at.drain()
    seen = []
    preview = at.preview("acme", LEAD, seen.append)
    assert preview.rows == {0: 2, 1: 2}
    assert preview.facts == {"lead": 1, "call": 1}
    assert seen


def test_what_cannot_be_read_is_counted_as_damaged() -> None:
    at = Deployment()
    organisation = at.organisation()
    at.put(organisation, call("1", lead_id=LEAD))
    with tenant(organisation.id):
        for record_type, fact_id in (("call", "damaged"), ("lead", LEAD)):
            key = keys.fact(organisation.id, record_type, fact_id, organisation.buckets)
            at.client.put_item(TableName=RECORDS, Item=key.attributes() | {"x": {"S": "?"}})
    preview = at.preview("acme", LEAD)
    assert (preview.damaged, preview.facts) == (2, {"lead": 0, "call": 1})


def test_objects_with_failed_records_are_named() -> None:
    at = Deployment()
    at.organisation()
    at.failed_objects = ["a", "b"]
    assert at.preview("acme", LEAD).failed_objects.names == ("a", "b")


@pytest.mark.parametrize(
    ("handle", "lead_id", "rule"),
    [
        ("unknown", LEAD, "no organisation has the handle"),
        ("acme", "", "1 to 128 characters"),
        ("leaving", LEAD, "being deleted"),
    ],
)
def test_a_preview_that_cannot_be_made_is_refused(handle: str, lead_id: str, rule: str) -> None:
    at = Deployment()
    at.organisation()
    at.directory.mark_deleting(at.organisation("leaving").id, 1)
    with pytest.raises(InvalidOperation, match=rule):
        at.preview(handle, lead_id)
