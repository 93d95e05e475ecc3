"""Bodies that a dialect refuses, and data for its queries."""

import json
from decimal import Decimal
from typing import Any

from tests.support.stack import Organisation, Stack

COUNT = {"query_type": "call_count"}
# Bodies that are no strict JSON: 400 wherever a body comes in, for whatever they would ask.
NOT_JSON = {
    "empty": b"",
    "blank": b" \n",
    "truncated": b'{"query_type":"call_count"',
    "trailing comma": b'{"query_type":"call_count",}',
    "trailing garbage": b'{"query_type":"call_count"}x',
    "two documents": b'{"query_type":"call_count"}{}',
    "single quotes": b"{'query_type':'call_count'}",
    "comment": b'{"query_type":"call_count"/**/}',
    "duplicate key": b'{"query_type":"call_count","query_type":"call_count"}',
    "duplicate key, escaped": b'{"query_type":"call_count","query\\u005ftype":"call_count"}',
    "duplicate key inside": b'{"query_type":"call_count","filters":{"a":1,"a":1}}',
    "NaN": b'{"query_type":"call_count","page":NaN}',
    "Infinity": b'{"query_type":"call_count","page":Infinity}',
    "-Infinity": b'{"query_type":"call_count","page":-Infinity}',
    "lone surrogate": b'{"query_type":"\\ud800"}',
    "lone surrogate, low": b'{"query_type":"\\udc00 "}',
    "surrogates, swapped": b'{"query_type":"\\udc00\\ud800"}',
    "lone surrogate in a key": b'{"query_type":"call_count","\\ud800":1}',
    "control character": b'{"query_type":"call_\ncount"}',
    "not UTF-8": b'{"query_type":"call_count\xff"}',
    "surrogate in UTF-8": b'{"query_type":"\xed\xa0\x80"}',
    "overlong UTF-8": b'{"query_type":"\xc0\xaf"}',
    "UTF-16": '{"query_type":"call_count"}'.encode("utf-16"),
    "leading zero": b'{"query_type":"call_count","page":01}',
    "bare point": b'{"query_type":"call_count","page":1.}',
    "plus sign": b'{"query_type":"call_count","page":+1}',
    "depth 17": b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
    "depth 10,000": b"[" * 10_000 + b"]" * 10_000,
    "depth, never closed": b'{"a":' * 10_000,
    "no object: list": b"[]",
    "no object: text": b'"call_count"',
    "no object: number": b"5",
    "no object: null": b"null",
}


def loaded(stack: Stack, records: list[Any]) -> Organisation:
    organisation = stack.new_organisation()
    answer = organisation.post(records)
    assert (answer.status, answer.json["accepted"]) == (200, len(records)), answer.body
    stack.drain()
    return organisation


def given(*values: Any) -> tuple[Any, ...]:
    """The values, of whatever types."""
    return values


BAD_REQUESTS: dict[str, dict[str, Any]] = {
    "no query type": {},
    "no query type, filters": {"filters": {}},
    **{
        f"query type {value!r}": {"query_type": value}
        for value in given(
            None, 1, True, [], {}, "", "CALL_COUNT", "call_count ", "count", "call-count", "#",
            "x" * 1000,
        )
    },
    **{
        f"unknown field {name!r}": {**COUNT, name: None}
        for name in ("", "type", "filter", "Filters", "limit", "org_id", "date_from", "template_id")
    },
    **{f"filters {value!r}": {**COUNT, "filters": value} for value in given(None, [], "", "x", 5, True)},
    **{
        f"unknown filter {name!r}": {**COUNT, "filters": {name: "x"}}
        for name in ("", "template", "Template_id", "space_token", "status", "from", "timezone")
    },
    **{
        f"{name} {value!r}": {**COUNT, "filters": {name: value}}
        for name in ("template_id", "merchant_id", "reseller_id")
        for value in given(None, True, False, [], ["t1"], {}, {"eq": "t1"})
    },
    **{
        f"{name} {value!r}": {**COUNT, "filters": {name: value}}
        for name in ("date_from", "date_to")
        for value in given(None, True, 0, 1709164800, 1.5, [], ["2024-01-01"], {})
    },
    **{
        f"{name} {value!r}": {**COUNT, "filters": {name: value}}
        for name in ("min_duration", "max_duration", "sentiment_min", "sentiment_max")
        for value in given(None, True, False, "0.5", "", [], [1], {})
    },
    **{
        f"payload_filters {value!r}": {**COUNT, "filters": {"payload_filters": value}}
        for value in given(None, True, 5, "city", [], [{"city": "Pune"}])
    },
    **{
        f"payload value {value!r}": {**COUNT, "filters": {"payload_filters": {"city": value}}}
        for value in given([], ["Pune"], {}, {"eq": "Pune"})
    },
}  # fmt: skip
UNPROCESSABLE: list[tuple[dict[str, Any], list[str]]] = [
    *(
        ({"filters": {name: value}}, ["filters", name])
        for name in ("template_id", "merchant_id", "reseller_id")
        for value in given(
            "", "x" * 129, "😀" * 129, "a\x00", "\n", "a\x7f", "a\x85", 10**128, -(10**128),
            10**399, 1.5, Decimal("5.0"), Decimal("1e999999"),
        )
    ),
    *(
        ({"filters": {name: value}}, ["filters", name])
        for name in ("min_duration", "max_duration")
        for value in given(-1, Decimal("-0.001"), Decimal("-1e-400"), -(10**399), Decimal("-1e999999"))
    ),
    *(
        ({"filters": {name: value}}, ["filters", name])
        for name in ("sentiment_min", "sentiment_max")
        for value in given(
            -1, Decimal("-0.001"), Decimal("1.001"), 2, Decimal("1.00000000000000000001"),
            Decimal("-1e-400"), 10**399, Decimal("1e999999"),
        )
    ),
    ({"filters": {"min_duration": 10, "max_duration": 9}}, ["filters", "min_duration"]),
    ({"filters": {"min_duration": 10, "max_duration": Decimal("9.99999999999999999999")}},
     ["filters", "min_duration"]),
    ({"filters": {"sentiment_min": 0.5, "sentiment_max": 0.4}}, ["filters", "sentiment_min"]),
    ({"filters": {"sentiment_min": Decimal("0.50000000000000000001"), "sentiment_max": 0.5}},
     ["filters", "sentiment_min"]),
    ({"filters": {"date_from": "2024-01-02", "date_to": "2024-01-01"}}, ["filters", "date_from"]),
    ({"filters": {"date_from": "2024-01-01T00:00:01Z", "date_to": "2024-01-01T00:00:00Z"}},
     ["filters", "date_from"]),
    ({"filters": {"date_from": "2024-01-02T00:00:00.000Z", "date_to": "2024-01-01"}},
     ["filters", "date_from"]),
    ({"filters": {"date_from": "2024-01-01T01:00:00Z", "date_to": "2024-01-01T01:30:00+01:00"}},
     ["filters", "date_from"]),
    *(({"page": value}, ["page"])
      for value in given(
          0, -1, -(10**399), 10**9 + 1, 10**399, int("9" * 400), 10**400, 1.5, Decimal("1.0"), "1",
          "", None, True, [], {},
      )),
    *(({"page_size": value}, ["page_size"])
      for value in given(0, -1, 1001, 10**9, 10**399, 50.5, Decimal("50.0"), "50", None, True, [], {})),
    *(({"granularity": value}, ["granularity"])
      for value in given("", "DAY", "day ", "minute", "quarter", "year", "days", None, 1, True, [], {})),
    *(({"timezone": value}, ["timezone"])
      for value in given(
          "", " ", "Mars/Olympus", "Europe", "Europe/", "Europe/Berlin ", "Europe/Berlin\x00",
          "Europe/Berlin\n", "/Europe/Berlin", "../Europe/Berlin", "Europe/../Europe/Berlin",
          "/etc/passwd", "../../../../etc/passwd", "+01:00", "UTC+1", "x" * 10_000, "é", None, 1,
          True, [], {},
      )),
]  # fmt: skip


def padded(body: Any, size: int) -> bytes:
    text = json.dumps(body).encode()
    return text + b" " * (size - len(text))
