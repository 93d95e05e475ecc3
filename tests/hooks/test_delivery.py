"""A delivery: its headers, its digest, and its body as a document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollcall.hooks.delivery import Delivery, Unmappable, parsed_form, parsed_json

SENT = Delivery("https://e.com/h", b"a=1&b=&a=2", {"x-a": ["1"], "x-b": ["1", "2"]}, {}, 5)


def test_a_header_that_was_sent_twice_counts_as_missing():
    assert (SENT.header("X-A"), SENT.header("x-b"), SENT.header("x-c")) == ("1", "", "")


def test_the_digest_is_of_the_body_alone():
    assert replace(SENT, body=b"a").digest() != SENT.digest()
    assert replace(SENT, received_at_ms=9, headers={}).digest() == SENT.digest()


def test_a_form_keeps_its_last_values_and_the_query():
    query = {"lead_id": ["1", "2"]}
    expected = {"a": "2", "b": "", "query": {"lead_id": "2"}}
    assert parsed_form(replace(SENT, query=query)) == expected
    with pytest.raises(Unmappable, match="not a form"):
        parsed_form(replace(SENT, body=b"a=1&" * 2_000))


def test_json_may_be_deep_and_repeat_its_keys():
    deep = b'{"a":' * 60 + b"1" + b"}" * 60
    assert parsed_json(replace(SENT, body=deep))["a"]
    assert parsed_json(replace(SENT, body=b'{"a":1,"a":2}')) == {"a": 2}


def test_a_body_never_shows_in_the_text_of_a_delivery():
    assert "a=1" not in repr(SENT)
