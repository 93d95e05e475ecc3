"""The answer to POST /v1/records: one outcome per record, and a status that follows from them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.dialects.rollcall.records import verdicts_body
from rollcall.ingest.ingest import Receipt, Refusal

outcomes = st.lists(
    st.sampled_from(["accepted", "unchanged", "stale", "early", "late"]), min_size=1, max_size=9
)


@pytest.mark.property
@given(outcomes)
def test_refusals_of_parser_and_store_are_in_the_order_of_the_records(outcomes: list[str]) -> None:
    refusals = {
        kind: [Refusal(n, "field", kind) for n, each in enumerate(outcomes) if each == kind]
        for kind in ("early", "late")
    }
    receipt = Receipt(*map(outcomes.count, ("accepted", "unchanged", "stale")), refusals["late"])
    documents = [{"id": f"id {n}"} for n in range(len(outcomes))]
    status, body = verdicts_body(documents, refusals["early"], receipt)
    assert [(row["index"], row["id"], row["message"]) for row in body["rejected"]] == [
        (n, f"id {n}", each) for n, each in enumerate(outcomes) if each in ("early", "late")
    ]
    good = body["accepted"] + body["unchanged"] + body["stale"]
    assert good + len(body["rejected"]) == len(outcomes)
    assert status == (200 if good == len(outcomes) else 207 if good else 422)


@pytest.mark.parametrize("id", ["x", "", 5, -7, Decimal("1.5")])
def test_an_id_is_returned_as_it_was_sent(id: Any) -> None:
    (rejected,) = verdicts_body([{"id": id}], [Refusal(0, "id", "?")], Receipt())[1]["rejected"]
    assert (type(rejected["id"]), rejected["id"]) == (type(id), id)


@pytest.mark.parametrize("document", [None, 5, [], {}, {"id": None}, {"id": True}, {"id": ["x"]}])
def test_what_is_no_id_is_null(document: Any) -> None:
    (rejected,) = verdicts_body([document], [Refusal(0, "record", "?")], Receipt())[1]["rejected"]
    assert rejected["id"] is None
