"""The body of POST /v1/records: as a whole refused, or each record a change or a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.errors import BadRequest, ContentTooLarge
from rollcall.api.http import Caller, Request
from rollcall.api.ingest import MAX_BODY_BYTES, MAX_RECORDS, parse_body, parse_documents
from rollcall.api.strict_json import MalformedJson
from rollcall.domain.epochs import Epoch
from rollcall.query.model import Reading
from tests.support.builders import call, label


def request(body: Any, query: Any = None) -> Request:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(
        caller=Caller("org", "acme"),
        reading=Reading(Epoch("org", 0)),
        query=query or {},
        body=sent,
        _path={},
        _headers={},
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], 'must be an object with a list "records"'),
        (None, 'must be an object with a list "records"'),
        ({}, 'must be an object with a list "records"'),
        ({"records": {}}, 'must be an object with a list "records"'),
        ({"records": [1], "dry_run": True}, "unknown field 'dry_run'"),
        ({"records": [1], "x" * 99: 1}, f"unknown field '{'x' * 64}'"),
        ({"records": []}, "must have 1 to 500 records"),
        ({"records": [1] * (MAX_RECORDS + 1)}, "must have 1 to 500 records"),
    ],
)
def test_a_body_as_a_whole_is_refused_with_the_rule(body: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse_body(request(body))


def test_the_size_comes_first_then_the_parameters_then_the_json() -> None:
    with pytest.raises(ContentTooLarge):
        parse_body(request(b"{" * (MAX_BODY_BYTES + 1), {"a": ["1"]}))
    with pytest.raises(BadRequest, match="takes no query parameters"):
        parse_body(request(b"{", {"a": ["1"]}))
    with pytest.raises(MalformedJson):
        parse_body(request(b"{"))


def test_as_many_records_as_allowed_are_taken() -> None:
    documents = [call(f"{number}") for number in range(MAX_RECORDS)]
    assert parse_body(request({"records": documents})) == documents


@pytest.mark.property
@given(st.lists(st.sampled_from(["good", "bad", "other"]), max_size=12))
def test_every_record_is_a_change_or_a_refusal_under_its_own_index(kinds: list[str]) -> None:
    made = {"good": label("x"), "bad": label("x", name=5), "other": 7}
    changes, refusals = parse_documents([made[kind] for kind in kinds])
    assert [index for index, _ in changes] == [n for n, kind in enumerate(kinds) if kind == "good"]
    assert [(refusal.index, refusal.field) for refusal in refusals] == [
        (n, "name" if kind == "bad" else "record") for n, kind in enumerate(kinds) if kind != "good"
    ]
