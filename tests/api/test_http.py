"""Requests out of proxy events, and responses as the gateway takes them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.http import json_response, parse_event
from rollcall.api.strict_json import MalformedJson
from rollcall.domain.epochs import Epoch


def event(**fields: Any) -> dict[str, Any]:
    authorizer = {"org_id": "org", "org_handle": "acme", "epoch": "7"}
    return {"requestContext": {"authorizer": authorizer | fields.pop("authorizer", {})}, **fields}


def test_an_event_may_have_nothing_but_its_caller() -> None:
    """The gateway sends null for what is absent."""
    nulls = dict.fromkeys(
        ("multiValueHeaders", "multiValueQueryStringParameters", "pathParameters", "body")
    )
    for fields in ({}, nulls):
        request = parse_event(event(**fields))
        assert (request.caller.org_id, request.caller.org_handle) == ("org", "acme")
        assert request.reading.epoch == Epoch("org", 7)
        assert request.caller.token_ends_at_ms is None
        assert (request.query, request.body, request.header("X")) == ({}, b"", [])
    several = parse_event(event(authorizer={"buckets": "16"}))
    assert several.reading.epoch == Epoch("org", 7, 16)
    ending = parse_event(event(authorizer={"token_ends_at_ms": "1800"}))
    assert ending.caller.token_ends_at_ms == 1800


def test_a_header_has_all_its_values_whatever_its_case() -> None:
    request = parse_event(event(multiValueHeaders={"X-A": ["1"], "x-a": ["2", "3"], "Y": []}))
    assert request.header("x-A") == ["1", "2", "3"]
    assert request.header("Y") == request.header("Z") == []


@pytest.mark.property
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_path_parameter_is_decoded_once(text: str) -> None:
    request = parse_event(event(pathParameters={"id": quote(text, safe="")}))
    assert request.path_parameter("id") == text


def test_a_path_parameter_that_is_no_utf_8_matches_no_id() -> None:
    assert parse_event(event(pathParameters={"id": "a%FF"})).path_parameter("id") == ""


@pytest.mark.property
@given(st.binary(max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_body_is_what_was_sent(data: bytes, text: str) -> None:
    encoded = base64.b64encode(data).decode()
    assert parse_event(event(body=encoded, isBase64Encoded=True)).body == data
    assert parse_event(event(body=text, isBase64Encoded=False)).body == text.encode()


@pytest.mark.parametrize("body", ["a", "====", "é", "a b="])
def test_a_body_that_is_not_base64_is_malformed(body: str) -> None:
    with pytest.raises(MalformedJson, match="not valid Base64"):
        parse_event(event(body=body, isBase64Encoded=True))


def test_a_lone_surrogate_is_refused_when_the_body_is_parsed() -> None:
    request = parse_event(event(body='"\ud800"'))
    with pytest.raises(MalformedJson):
        request.json()


def test_a_response_is_never_stored_and_keeps_the_order_of_its_keys() -> None:
    proxy = json_response(207, {"b": 1, "a": [None]}, {"X-A": "1"}).to_proxy()
    assert proxy == {
        "statusCode": 207,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", "X-A": "1"},
        "body": '{"b":1,"a":[null]}',
        "isBase64Encoded": False,
    }
    assert json.loads(proxy["body"]) == {"a": [None], "b": 1}
