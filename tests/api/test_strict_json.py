"""Strict JSON: what is refused, what comes through exactly, and what goes back as it came."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.api.strict_json import MalformedJson, dumps, loads

REFUSED = {
    "empty": b"",
    "white space": b" \n",
    "truncated": b'{"a": [1',
    "two values": b"{} {}",
    "trailing comma": b"[1,]",
    "single quotes": b"{'a': 1}",
    "comment": b"[1] // one",
    "byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "repeated key": b'{"a": 1, "a": 1}',
    "repeated key below": b'[{"a": {"b": 1, "b": 2}}]',
    "repeated key, escaped": b'{"a": 1, "\\u0061": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "lone surrogate": b'["\\ud800"]',
    "lone surrogate key": b'{"\\udfff": 1}',
    "surrogates in the wrong order": b'["\\udc00\\ud800"]',
    "depth 17": b"[" * 17 + b"]" * 17,
    "depth 10,000": b"[" * 10_000 + b"]" * 10_000,
    "depth 1,000,000": b"[" * 1_000_000,
    "objects, depth 5,000": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "leading zero": b"[01]",
    "plus": b"[+1]",
    "raw control character": b'["a\nb"]',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        loads(body)


def test_accepted() -> None:
    assert loads(b"[" * 16 + b"]" * 16)
    assert loads(b'["\\ud83d\\ude00", "\\\\ud800", "\\u0000"]') == ["😀", "\\ud800", "\0"]
    assert loads(b'{"a": 0.1}') == {"a": Decimal("0.1")}
    assert loads(b"[-0]") == [0]
    assert loads(b"[" + b"9" * 100_000 + b"]")[0] > 10**400


NUMBERS = [
    "1.50",
    "1E5",
    "-0.0",
    "1e999999",
    "9" * 500,
    "5",
    "-7",
    "1e-400",
    "-1E99999999999999999999",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_go_back_as_they_came(number: str) -> None:
    assert dumps(loads(number.encode())) == number


def test_exponents_out_of_reach_are_refused_by_their_field() -> None:
    big, small, nothing = loads(
        b"[1e99999999999999999999, 1e-99999999999999999999, 0e99999999999999999999]"
    )
    assert big > 10**1000
    assert 0 < small < Decimal("1e-1000")
    assert nothing == 0
    for field in ("duration_seconds", "cost", "sentiment", "attempt", "payload"):
        document = {"type": "call", "id": 1, "started_at": "2026-01-01T00:00:00Z", "status": "busy"}
        with pytest.raises(RefusedRecord):
            parse_record({**document, field: {"k": big} if field == "payload" else big})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\é'), inner),
    max_leaves=12,
)


@given(values)
def test_round_trip(value: Any) -> None:
    assert json.loads(dumps(value)) == value
    assert loads(dumps(value).encode()) == value
