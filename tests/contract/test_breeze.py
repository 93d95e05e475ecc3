"""Breeze's published analytics query, as its clients see it (docs/contract.md#breeze)."""

import json
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.support import stack as stacks
from tests.support.builders import call, lead
from tests.support.http_answers import compact, forged, gateway_error
from tests.support.oracle import instant
from tests.support.request_bodies import (
    BAD_REQUESTS,
    COUNT,
    NOT_JSON,
    UNPROCESSABLE,
    loaded,
    padded,
)
from tests.support.stack import BREEZE, BREEZE_IN_FULL

ROUTES = [BREEZE, f"{BREEZE}/", BREEZE_IN_FULL, f"{BREEZE_IN_FULL}/"]
CALL_TYPES = [
    "call_count", "call_duration", "outcome_distribution", "sentiment_distribution",
    "calls_over_time", "avg_duration_over_time", "top_outcomes", "retry_analysis",
    "provider_breakdown", "hourly_heatmap",
]  # fmt: skip
LEAD_TYPES = ["status_distribution", "conversion_funnel"]
OVER_TIME = ["calls_over_time", "avg_duration_over_time"]
LIMIT = 65_536


# ------------------------------------------------------------------ asking


def ask(organisation, query_type, filters=None, path=BREEZE, **options):
    body = {"query_type": query_type, **options}
    if filters is not None:
        body["filters"] = filters
    return organisation.send("POST", path, body)


def rows(organisation, query_type, filters=None, **options):
    """The rows of a whole answer; `total` and the echoed paging are checked on the way."""
    answer = ask(organisation, query_type, filters, page_size=1000, **options)
    assert answer.status == 200, answer.body
    body = answer.json
    assert list(body) == ["query_type", "data", "total", "page", "page_size"]
    assert (body["query_type"], body["page"], body["page_size"]) == (query_type, 1, 1000)
    assert body["total"] == len(body["data"])
    return body["data"]


def published(query_type, data, total=None, page=1, page_size=50):
    """The answer as text: the published keys in their order."""
    body = {
        "query_type": query_type,
        "data": data,
        "total": len(data) if total is None else total,
        "page": page,
        "page_size": page_size,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def matching(organisation, filters, **options):
    """The ids of the calls that match, in a dataset whose calls have their id as outcome."""
    found = rows(organisation, "outcome_distribution", filters, **options)
    assert all(row["count"] == 1 for row in found), found
    assert rows(organisation, "call_count", filters, **options) == [{"count": len(found)}]
    return " ".join(sorted(row["outcome"] for row in found))


def over_time(organisation, filters=None, **options):
    """{date: count}, in the order of the answer."""
    data = rows(organisation, "calls_over_time", filters, **options)
    assert all(list(row) == ["date", "count"] for row in data)
    by_date = {row["date"]: row["count"] for row in data}
    assert len(by_date) == len(data)
    averages = rows(organisation, "avg_duration_over_time", filters, **options)
    assert [row["date"] for row in averages] == list(by_date)
    return by_date


def refused(answer):
    """400, in the dialect's shape."""
    assert answer.status == 400, answer.body
    assert list(answer.json) == ["detail"]
    assert isinstance(answer.json["detail"], str)
    assert answer.json["detail"]
    assert answer.header("Content-Type").startswith("application/json")
    return True


def unprocessable(answer, *places):
    """422, in the dialect's shape, naming one of the places."""
    assert answer.status == 422, answer.body
    assert list(answer.json) == ["detail"]
    assert answer.json["detail"]
    for entry in answer.json["detail"]:
        assert list(entry) == ["loc", "msg", "type"]
        assert all(isinstance(part, str | int) for part in entry["loc"])
        assert isinstance(entry["msg"], str)
        assert entry["msg"]
        assert isinstance(entry["type"], str)
        assert entry["type"]
    named = [entry["loc"] for entry in answer.json["detail"]]
    assert any(list(place) in named for place in places), named
    assert answer.header("Content-Type").startswith("application/json")
    return True


@pytest.fixture(scope="module")
def without_data(stack):
    """An organisation without data."""
    return stack.new_organisation()


# ------------------------------------------------------------------ the answers


@pytest.fixture(scope="module")
def org(stack):
    """Seven calls and eight leads whose every figure is counted by hand below."""
    return loaded(
        stack,
        [
            call("c1", started_at="2024-03-04T09:00:00Z", disposition="successful",
                 duration_seconds=60, sentiment=0, outcome="interested", provider="twilio"),
            call("c2", started_at="2024-03-04T09:59:59.999Z", disposition="successful",
                 duration_seconds=61, sentiment=0.199, outcome="interested", provider="twilio",
                 attempt=2),
            call("c3", started_at="2024-03-04T23:59:59.999Z", status="failed",
                 disposition="unsuccessful", sentiment=0.2, outcome="busy tone",
                 provider="exotel", attempt=2),
            call("c4", started_at="2024-03-05T00:00:00.000Z", status="no_answer",
                 disposition="unreachable", duration_seconds=0, sentiment=0.5, attempt=9),
            call("c5", started_at="2024-03-05T12:00:00Z", disposition="successful",
                 duration_seconds=90, sentiment=0.8, outcome="N/A", provider="N/A", attempt=10),
            call("c6", started_at="2024-03-07T12:30:00Z", disposition="voicemail_left",
                 duration_seconds=29.5, sentiment=1, outcome="busy tone", provider="plivo",
                 attempt=11),
            call("c7", started_at="2024-03-07T12:45:00Z", status="queued", provider="twilio"),
            lead("l1", status="BACKLOG"),
            lead("l2", status="BACKLOG", converted=True),
            lead("l3", status="PROCESSING"),
            lead("l4", status="RETRY", converted=True),
            lead("l5", status="FINISHED", converted=False),
            lead("l6", status="FINISHED", converted=True),
            lead("l7", status="FINISHED", converted=True),
            lead("l8", status="PROCESSING", converted=True),
        ],
    )  # fmt: skip


def bands(*counts_and_percentages):
    names = ["negative", "slightly_negative", "neutral", "slightly_positive", "positive"]
    edges = pairwise([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    return [
        {"sentiment": name, "min": low, "max": high, "count": count, "percentage": percentage}
        for name, (low, high), (count, percentage) in zip(
            names, edges, counts_and_percentages, strict=True
        )
    ]


def shares(name, *rows):
    return [{name: value, "count": count, "percentage": share} for value, count, share in rows]


PUBLISHED = {
    "call_count": [{"count": 7}],
    # 60 + 61 + 0 + 90 + 30 over five calls; 29.5 is stored as 30.
    "call_duration": [{"avg": 48.2, "min": 0, "max": 90, "total": 241, "count": 5}],
    "outcome_distribution": shares(
        "outcome", ("N/A", 3, 42.86), ("busy tone", 2, 28.57), ("interested", 2, 28.57)
    ),
    # Of six scored calls; 0.2 is the lower edge of the second band and 0.8 of the last.
    "sentiment_distribution": bands((2, 33.33), (1, 16.67), (1, 16.67), (0, 0.0), (2, 33.33)),
    "status_distribution": shares(
        "status", ("BACKLOG", 2, 25.0), ("PROCESSING", 2, 25.0), ("RETRY", 1, 12.5),
        ("FINISHED", 3, 37.5),
    ),
    "calls_over_time": [
        {"date": "2024-03-04", "count": 3},
        {"date": "2024-03-05", "count": 2},
        {"date": "2024-03-06", "count": 0},
        {"date": "2024-03-07", "count": 2},
    ],
    "avg_duration_over_time": [
        {"date": "2024-03-04", "avg_duration": 60.5, "count": 2},
        {"date": "2024-03-05", "avg_duration": 45.0, "count": 2},
        {"date": "2024-03-06", "avg_duration": None, "count": 0},
        {"date": "2024-03-07", "avg_duration": 30.0, "count": 1},
    ],
    # Five calls have an outcome, one of them the literal "N/A".
    "top_outcomes": [
        {"rank": 1, "outcome": "busy tone", "count": 2, "percentage": 40.0},
        {"rank": 2, "outcome": "interested", "count": 2, "percentage": 40.0},
        {"rank": 3, "outcome": "N/A", "count": 1, "percentage": 20.0},
    ],
    "retry_analysis": [
        {"attempt": 1, "calls": 2, "successful": 1, "success_rate": 50.0},
        {"attempt": 2, "calls": 2, "successful": 1, "success_rate": 50.0},
        {"attempt": 9, "calls": 1, "successful": 0, "success_rate": 0.0},
        {"attempt": "10+", "calls": 2, "successful": 1, "success_rate": 50.0},
    ],
    "provider_breakdown": shares(
        "provider", ("twilio", 3, 42.86), ("N/A", 2, 28.57), ("exotel", 1, 14.29),
        ("plivo", 1, 14.29),
    ),
    "hourly_heatmap": [
        {"hour": hour, "count": {0: 1, 9: 2, 12: 3, 23: 1}.get(hour, 0)} for hour in range(24)
    ],
    # RETRY has reached PROCESSING; only the finished count as converted.
    "conversion_funnel": [
        {"stage": "BACKLOG", "count": 8, "percentage": 100.0, "drop_off": 0},
        {"stage": "PROCESSING", "count": 6, "percentage": 75.0, "drop_off": 2},
        {"stage": "FINISHED", "count": 3, "percentage": 37.5, "drop_off": 3},
        {"stage": "CONVERTED", "count": 2, "percentage": 25.0, "drop_off": 1},
    ],
}  # fmt: skip

NOTHING = {
    "call_count": [{"count": 0}],
    "call_duration": [{"avg": None, "min": None, "max": None, "total": 0, "count": 0}],
    "outcome_distribution": [],
    "sentiment_distribution": bands(*[(0, 0.0)] * 5),
    "status_distribution": shares(
        "status", *((name, 0, 0.0) for name in ("BACKLOG", "PROCESSING", "RETRY", "FINISHED"))
    ),
    "calls_over_time": [],
    "avg_duration_over_time": [],
    "top_outcomes": [],
    "retry_analysis": [],
    "provider_breakdown": [],
    "hourly_heatmap": [{"hour": hour, "count": 0} for hour in range(24)],
    "conversion_funnel": [
        {"stage": stage, "count": 0, "percentage": 0.0, "drop_off": 0}
        for stage in ("BACKLOG", "PROCESSING", "FINISHED", "CONVERTED")
    ],
}

# The same calls and leads, asked for in ways that no rollup, or not a rollup alone, can answer.
THE_SAME = {
    "whole days": {"date_from": "2024-03-04", "date_to": "2024-03-07"},
    "parts of days": {
        "date_from": "2024-03-04T09:00:00Z",
        "date_to": "2024-03-07T12:45:00Z",
    },
    "no payload asked for": {"payload_filters": {}},
}


@pytest.mark.parametrize("query_type", PUBLISHED)
def test_the_published_answer_byte_for_byte(org, query_type):
    answer = ask(org, query_type)
    assert answer.status == 200, answer.body
    assert compact(answer.body) == published(query_type, PUBLISHED[query_type])
    assert answer.header("Content-Type").startswith("application/json")


@pytest.mark.parametrize("case", THE_SAME)
@pytest.mark.parametrize("query_type", PUBLISHED)
def test_the_same_answer_another_way(org, query_type, case):
    answer = ask(org, query_type, THE_SAME[case])
    assert answer.status == 200, answer.body
    assert compact(answer.body) == published(query_type, PUBLISHED[query_type])


@pytest.mark.parametrize("query_type", NOTHING)
def test_an_organisation_without_data(without_data, query_type):
    answer = ask(without_data, query_type)
    assert answer.status == 200, answer.body
    assert compact(answer.body) == published(query_type, NOTHING[query_type])
    assert answer.header("X-Rollcall-As-Of") is None
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize(
    "filters",
    [
        {"template_id": "nothing has it"},
        {"payload_filters": {"nothing": "has it"}},
        {"date_from": "2031-01-01"},
        {"date_to": "1971-01-01"},
        {"merchant_id": "x", "reseller_id": "y"},
    ],
)
@pytest.mark.parametrize("query_type", NOTHING)
def test_nothing_matches(org, query_type, filters):
    answer = ask(org, query_type, filters)
    assert answer.status == 200, answer.body
    assert compact(answer.body) == published(query_type, NOTHING[query_type])


@pytest.mark.parametrize("query_type", OVER_TIME)
def test_bounds_make_buckets_where_there_is_no_data(org, without_data, query_type):
    value = {"count": 0} if query_type == "calls_over_time" else {"avg_duration": None, "count": 0}
    expected = [{"date": f"2023-02-{day}", **value} for day in ("27", "28")]
    expected += [{"date": "2023-03-01", **value}]
    filters = {"date_from": "2023-02-27", "date_to": "2023-03-01"}
    for organisation in (org, without_data):
        answer = ask(organisation, query_type, filters)
        assert compact(answer.body) == published(query_type, expected)


def test_figures_are_rounded_half_away_from_zero(stack):
    """9 / 8 = 1.125, 1 / 32 = 3.125 % and 31 / 32 = 96.875 %: rounding to even would give 1.12 and 3.12."""
    calls = [call(f"r{n}", outcome="other", attempt=2) for n in range(31)]
    calls.append(call("r31", outcome="one", provider="x", disposition="successful", attempt=2))
    for n, each in enumerate(calls[:8]):
        each["duration_seconds"] = 2 if n == 7 else 1
    org = loaded(stack, calls)
    for filters in ({}, {"payload_filters": {}}, {"date_to": "2024-03-05T12:00:00Z"}):
        [row] = rows(org, "call_duration", filters)
        assert (row["avg"], row["total"]) == (Decimal("1.13"), 9)
        [row] = rows(org, "avg_duration_over_time", filters)
        assert row["avg_duration"] == Decimal("1.13")
        for query_type in ("outcome_distribution", "top_outcomes", "provider_breakdown"):
            found = rows(org, query_type, filters)
            assert [row["percentage"] for row in found] == [Decimal("96.88"), Decimal("3.13")]
        [row] = rows(org, "retry_analysis", filters)
        assert row["success_rate"] == Decimal("3.13")


def test_text_is_ordered_by_code_point(stack):
    """Not by UTF-16, where an emoji comes before U+E000, and not as people sort words."""
    texts = ["", " ", "10", "9", "N/A", "Z", "a", "e\u0301", "z", "é", "\ue000", "😀"]
    org = loaded(
        stack,
        [
            *(call(f"t{n}", outcome=text, provider=text) for n, text in enumerate(texts)),
            call("none"),
        ],
    )
    once = [text for text in texts if text != "N/A"]
    for filters in ({}, {"payload_filters": {}}):
        for query_type, name in (("outcome_distribution", "outcome"),
                                 ("provider_breakdown", "provider")):  # fmt: skip
            found = [(row[name], row["count"]) for row in rows(org, query_type, filters)]
            assert found == [("N/A", 2), *((text, 1) for text in once)]
        found = [row["outcome"] for row in rows(org, "top_outcomes", filters)]
        assert found == texts


# ------------------------------------------------------------------ filters


@pytest.fixture(scope="module")
def filtered(stack):
    """Calls whose outcome is their id, so that an answer says which ones matched."""
    day, next_day = "2024-03-05T12:00:00Z", "2024-03-06T12:00:00Z"
    calls = {
        "a": {"template_id": "t1", "merchant_id": "m1", "reseller_id": "r1",
              "duration_seconds": 10, "sentiment": 0.1,
              "payload": {"city": "Pune", "seats": 2, "vip": True, "note": None}},
        "b": {"template_id": "t1", "merchant_id": "m2", "duration_seconds": 20, "sentiment": 0.5,
              "payload": {"city": "pune", "seats": 2.5, "vip": False}},
        "c": {"template_id": 5, "merchant_id": "m1", "reseller_id": "r1",
              "duration_seconds": 20.5, "sentiment": 0.4995,
              "payload": {"seats": "2", "vip": "true"}},
        "d": {"template_id": "5", "merchant_id": "m1", "duration_seconds": 0, "sentiment": 0,
              "payload": {"note": None, "city": "Pune"}},
        "e": {"template_id": "t#1", "merchant_id": "é",
              "payload": {"seats": Decimal("0.1"),
                          "big": Decimal("0.1000000000000000000000000000000000001")}},
        "f": {},
        "g": {"started_at": next_day, "reseller_id": 7, "duration_seconds": 3600, "sentiment": 1,
              "payload": {"seats": 10**50, "a.b-c_9": "x"}},
        "h": {"started_at": next_day, "template_id": "t1", "merchant_id": "m1",
              "reseller_id": "r1", "duration_seconds": 30, "sentiment": 0.9,
              "payload": {"city": "Pune", "seats": Decimal("2.0")}},
    }  # fmt: skip
    leads = [
        lead("la", status="BACKLOG", created_at=day, template_id="t1", merchant_id="m1",
             reseller_id="r1", payload={"city": "Pune"}),
        lead("lb", status="PROCESSING", created_at=day, template_id="t1", merchant_id="m2"),
        lead("lc", status="FINISHED", converted=True, created_at=next_day, template_id=5,
             merchant_id="m1", payload={"city": "Pune", "seats": 2}),
        lead("ld", status="RETRY", created_at=day),
    ]  # fmt: skip
    return loaded(
        stack,
        [
            *(call(id, **{"started_at": day, "outcome": id, **each}) for id, each in calls.items()),
            *leads,
        ],
    )


ALL_TEN = {
    "template_id": "t1",
    "merchant_id": "m1",
    "reseller_id": "r1",
    "date_from": "2024-03-05",
    "date_to": "2024-03-06",
    "min_duration": 10,
    "max_duration": 30,
    "sentiment_min": 0.1,
    "sentiment_max": 0.9,
    "payload_filters": {"city": "Pune", "seats": 2},
}
EVERY = "a b c d e f g h"
MATCHES = [
    ({}, EVERY),
    ({"template_id": "t1"}, "a b h"),
    ({"template_id": 5}, "c d"),
    ({"template_id": "5"}, "c d"),
    ({"template_id": "t#1"}, "e"),
    ({"template_id": "t"}, ""),
    ({"template_id": "T1"}, ""),
    ({"template_id": "05"}, ""),
    ({"template_id": "x" * 128}, ""),
    ({"template_id": 10**127}, ""),
    ({"merchant_id": "m1"}, "a c d h"),
    ({"merchant_id": "é"}, "e"),
    ({"merchant_id": "e\u0301"}, ""),
    ({"reseller_id": "r1"}, "a c h"),
    ({"reseller_id": 7}, "g"),
    ({"reseller_id": "7"}, "g"),
    ({"date_from": "2024-03-06"}, "g h"),
    ({"date_from": "2024-03-05"}, EVERY),
    ({"date_to": "2024-03-05"}, "a b c d e f"),
    ({"date_to": "2024-03-04"}, ""),
    ({"min_duration": 0}, "a b c d g h"),
    ({"min_duration": Decimal("-0.0")}, "a b c d g h"),
    ({"min_duration": 20}, "b c g h"),
    ({"min_duration": Decimal("20.0")}, "b c g h"),
    ({"min_duration": Decimal("20.0000000000000000001")}, "c g h"),
    ({"min_duration": 20.5}, "c g h"),  # what was 20.5 is stored as 21
    ({"min_duration": 21}, "c g h"),
    ({"min_duration": Decimal("3600.5")}, ""),
    ({"min_duration": 10**399}, ""),
    ({"min_duration": Decimal("1e999999")}, ""),
    ({"max_duration": 0}, "d"),
    ({"max_duration": Decimal("1e-400")}, "d"),
    ({"max_duration": 20}, "a b d"),
    ({"max_duration": Decimal("20.999999999999999999999")}, "a b d"),
    ({"max_duration": 3600}, "a b c d g h"),
    ({"max_duration": 10**399}, "a b c d g h"),
    ({"sentiment_min": 0}, "a b c d g h"),
    ({"sentiment_min": 0.5}, "b c g h"),  # 0.4995 is stored as 0.5
    ({"sentiment_min": Decimal("0.5000000000000000000001")}, "g h"),
    ({"sentiment_min": 1}, "g"),
    ({"sentiment_max": 0}, "d"),
    ({"sentiment_max": 0.5}, "a b c d"),
    ({"sentiment_max": Decimal("0.4999999999999999999999")}, "a d"),
    ({"sentiment_max": 1}, "a b c d g h"),
    ({"payload_filters": {}}, EVERY),
    ({"payload_filters": {"city": "Pune"}}, "a d h"),
    ({"payload_filters": {"city": "pune"}}, "b"),
    ({"payload_filters": {"city": ""}}, ""),
    ({"payload_filters": {"City": "Pune"}}, ""),
    ({"payload_filters": {"seats": 2}}, "a h"),
    ({"payload_filters": {"seats": Decimal("2.00")}}, "a h"),
    ({"payload_filters": {"seats": Decimal("20e-1")}}, "a h"),
    ({"payload_filters": {"seats": "2"}}, "c"),
    ({"payload_filters": {"seats": 2.5}}, "b"),
    ({"payload_filters": {"seats": Decimal("0.1")}}, "e"),
    ({"payload_filters": {"seats": Decimal("1e50")}}, "g"),
    ({"payload_filters": {"seats": 10**50 + 1}}, ""),
    ({"payload_filters": {"big": Decimal("0.1")}}, ""),
    ({"payload_filters": {"big": Decimal("0.1000000000000000000000000000000000001")}}, "e"),
    ({"payload_filters": {"vip": True}}, "a"),
    ({"payload_filters": {"vip": False}}, "b"),
    ({"payload_filters": {"vip": "true"}}, "c"),
    ({"payload_filters": {"vip": 1}}, ""),
    ({"payload_filters": {"note": None}}, "a d"),
    ({"payload_filters": {"city": None}}, ""),
    ({"payload_filters": {"nothing": None}}, ""),
    ({"payload_filters": {"a.b-c_9": "x"}}, "g"),
    ({"payload_filters": {"city": "Pune", "seats": 2}}, "a h"),
    ({"payload_filters": {"city": "Pune", "note": None}}, "a d"),
    # Past the limits of a payload: nothing can have it.
    ({"payload_filters": {"": 1}}, ""),
    ({"payload_filters": {"a b": 1}}, ""),
    ({"payload_filters": {"é": 1}}, ""),
    ({"payload_filters": {"k" * 65: 1}}, ""),
    ({"payload_filters": {"city": "x" * 257}}, ""),
    ({"payload_filters": {"seats": int("9" * 39)}}, ""),
    ({"payload_filters": {"seats": 10**101}}, ""),
    ({"payload_filters": {"seats": 10**399}}, ""),
    ({"payload_filters": {"seats": Decimal("1e-101")}}, ""),
    ({"payload_filters": {"seats": Decimal("1e999999")}}, ""),
    ({"payload_filters": {f"k{n}": n for n in range(33)}}, ""),
    # Together.
    ({"template_id": "t1", "merchant_id": "m1"}, "a h"),
    ({"template_id": 5, "merchant_id": "m1", "reseller_id": "r1"}, "c"),
    ({"merchant_id": "m1", "reseller_id": "r1"}, "a c h"),
    ({"merchant_id": "m1", "reseller_id": "r1", "date_to": "2024-03-05"}, "a c"),
    ({"merchant_id": "m2", "reseller_id": "r1"}, ""),
    ({"template_id": "t1", "date_from": "2024-03-06"}, "h"),
    ({"template_id": "t1", "min_duration": 15, "max_duration": 25}, "b"),
    ({"min_duration": 20, "max_duration": 20}, "b"),
    ({"sentiment_min": 0.5, "sentiment_max": 0.5}, "b c"),
    ({"min_duration": 20, "sentiment_max": 0.5}, "b c"),
    ({"merchant_id": "m1", "payload_filters": {"city": "Pune"}}, "a d h"),
    ({"max_duration": 10, "payload_filters": {"note": None}}, "a d"),
    (ALL_TEN, "a h"),
    (ALL_TEN | {"max_duration": Decimal("29.999")}, "a"),
    (ALL_TEN | {"date_from": "2024-03-06"}, "h"),
    (ALL_TEN | {"template_id": "5"}, ""),
    (ALL_TEN | {"merchant_id": "m2"}, ""),
    (ALL_TEN | {"reseller_id": 7}, ""),
    (ALL_TEN | {"sentiment_min": 0.2}, "h"),
    (ALL_TEN | {"payload_filters": {"vip": True}}, "a"),
]


def test_filters(filtered):
    problems = []
    for filters, expected in MATCHES:
        found = matching(filtered, filters)
        if found != expected:
            problems.append((filters, f"expected {expected!r}", f"found {found!r}"))
    assert problems == []


def test_every_call_type_under_all_ten_filters(filtered):
    """a: 10 s, 0.1, attempt 1, the 5th at 12:00; h: 30 s, 0.9, the 6th at 12:00."""
    expected = {
        "call_count": [{"count": 2}],
        "call_duration": [{"avg": 20.0, "min": 10, "max": 30, "total": 40, "count": 2}],
        "outcome_distribution": shares("outcome", ("a", 1, 50.0), ("h", 1, 50.0)),
        "sentiment_distribution": bands((1, 50.0), (0, 0.0), (0, 0.0), (0, 0.0), (1, 50.0)),
        "calls_over_time": [
            {"date": "2024-03-05", "count": 1},
            {"date": "2024-03-06", "count": 1},
        ],
        "avg_duration_over_time": [
            {"date": "2024-03-05", "avg_duration": 10.0, "count": 1},
            {"date": "2024-03-06", "avg_duration": 30.0, "count": 1},
        ],
        "top_outcomes": [
            {"rank": 1, "outcome": "a", "count": 1, "percentage": 50.0},
            {"rank": 2, "outcome": "h", "count": 1, "percentage": 50.0},
        ],
        "retry_analysis": [{"attempt": 1, "calls": 2, "successful": 0, "success_rate": 0.0}],
        "provider_breakdown": shares("provider", ("N/A", 2, 100.0)),
        "hourly_heatmap": [
            {"hour": hour, "count": 2 if hour == 12 else 0} for hour in range(24)
        ],
    }  # fmt: skip
    assert list(expected) == CALL_TYPES
    for query_type, data in expected.items():
        answer = ask(filtered, query_type, ALL_TEN)
        assert compact(answer.body) == published(query_type, data), query_type


# Counts in the order BACKLOG PROCESSING RETRY FINISHED, and the funnel.
LEADS = [
    ({}, [1, 1, 1, 1], [4, 3, 1, 1]),
    ({"template_id": "t1"}, [1, 1, 0, 0], [2, 1, 0, 0]),
    ({"template_id": "5"}, [0, 0, 0, 1], [1, 1, 1, 1]),
    ({"merchant_id": "m1"}, [1, 0, 0, 1], [2, 1, 1, 1]),
    ({"reseller_id": "r1"}, [1, 0, 0, 0], [1, 0, 0, 0]),
    ({"date_to": "2024-03-05"}, [1, 1, 1, 0], [3, 2, 0, 0]),
    ({"date_from": "2024-03-06"}, [0, 0, 0, 1], [1, 1, 1, 1]),
    ({"date_from": "2024-03-05T12:00:00Z", "date_to": "2024-03-05T12:00:00Z"}, [1, 1, 1, 0],
     [3, 2, 0, 0]),
    ({"date_from": "2024-03-05T12:00:00.001Z"}, [0, 0, 0, 1], [1, 1, 1, 1]),
    ({"payload_filters": {"city": "Pune"}}, [1, 0, 0, 1], [2, 1, 1, 1]),
    ({"payload_filters": {"seats": Decimal("2.0")}}, [0, 0, 0, 1], [1, 1, 1, 1]),
    ({"template_id": "t1", "merchant_id": "m1"}, [1, 0, 0, 0], [1, 0, 0, 0]),
    ({"merchant_id": "m1", "payload_filters": {"city": "Pune", "seats": 2}}, [0, 0, 0, 1],
     [1, 1, 1, 1]),
    ({"merchant_id": "m2", "reseller_id": "r1"}, [0, 0, 0, 0], [0, 0, 0, 0]),
]  # fmt: skip


@pytest.mark.parametrize(("filters", "statuses", "stages"), LEADS)
def test_filters_of_leads(filtered, filters, statuses, stages):
    total = sum(statuses)
    found = rows(filtered, "status_distribution", filters)
    assert [row["count"] for row in found] == statuses
    assert [row["percentage"] for row in found] == [
        round(Decimal(100 * count) / (total or 1), 2) for count in statuses
    ]
    found = rows(filtered, "conversion_funnel", filters)
    assert [row["count"] for row in found] == stages
    assert [row["drop_off"] for row in found] == [
        0,
        *(before - after for before, after in pairwise(stages)),
    ]


@pytest.mark.parametrize("query_type", LEAD_TYPES)
@pytest.mark.parametrize(
    "filters",
    [{"min_duration": 1}, {"max_duration": 1}, {"sentiment_min": 0}, {"sentiment_max": 1}],
)
def test_leads_have_neither_duration_nor_sentiment(filtered, query_type, filters):
    [name] = filters
    assert unprocessable(ask(filtered, query_type, filters), ["filters", name])
    both = {**filters, "template_id": "t1"}
    assert unprocessable(ask(filtered, query_type, both), ["filters", name])


# ------------------------------------------------------------------ instants, days and zones

EDGES = {
    # The leap day.
    "leap-before": "2024-02-28T23:59:59.999Z",
    "leap-first": "2024-02-29T00:00:00.000Z",
    "leap-last": "2024-02-29T23:59:59.999Z",
    "leap-after": "2024-03-01T00:00:00.000Z",
    # America/St_Johns, 2024-03-10: a day of 23 hours, 02:00-03:30 becomes 03:00-02:30.
    "stj-before": "2024-03-10T03:29:59.999Z",
    "stj-first": "2024-03-10T03:30:00.000Z",
    "stj-jump": "2024-03-10T05:30:00.000Z",
    "stj-last": "2024-03-11T02:29:59.999Z",
    "stj-after": "2024-03-11T02:30:00.000Z",
    # Europe/Berlin, 2024-03-31: a day of 23 hours, 02:00+01:00 becomes 03:00+02:00.
    "gap-before": "2024-03-30T22:59:59.999Z",
    "gap-first": "2024-03-30T23:00:00.000Z",
    "gap-one": "2024-03-31T00:59:59.999Z",
    "gap-three": "2024-03-31T01:00:00.000Z",
    "gap-last": "2024-03-31T21:59:59.999Z",
    "gap-after": "2024-03-31T22:00:00.000Z",
    # Australia/Lord_Howe, 2024-04-07: a day of 24.5 hours, 02:00+11:00 becomes 01:30+10:30.
    "howe-before": "2024-04-06T12:59:59.999Z",
    "howe-first": "2024-04-06T13:00:00.000Z",
    "howe-early": "2024-04-06T14:45:00.000Z",
    "howe-late": "2024-04-06T15:15:00.000Z",
    "howe-last": "2024-04-07T13:29:59.999Z",
    "howe-after": "2024-04-07T13:30:00.000Z",
    # Asia/Kathmandu (+05:45) and Asia/Kolkata (+05:30): midnight of 2024-05-11.
    "ktm-last": "2024-05-10T18:14:59.999Z",
    "ktm-first": "2024-05-10T18:15:00.000Z",
    "ist-last": "2024-05-10T18:29:59.999Z",
    "ist-first": "2024-05-10T18:30:00.000Z",
    # Australia/Lord_Howe, 2024-10-06: a day of 23.5 hours, 02:00+10:30 becomes 02:30+11:00.
    "spring-one": "2024-10-05T15:29:59.999Z",
    "spring-two": "2024-10-05T15:30:00.000Z",
    # Europe/Berlin, 2024-10-27: a day of 25 hours; 02:30 happens twice.
    "fold-early": "2024-10-27T00:30:00.000Z",
    "fold-late": "2024-10-27T01:30:00.000Z",
    "fold-last": "2024-10-27T22:59:59.999Z",
    "fold-after": "2024-10-27T23:00:00.000Z",
    # The turn of a year inside a week.
    "year-last": "2024-12-31T23:59:59.999Z",
    "year-first": "2025-01-01T00:00:00.000Z",
}
BERLIN, LORD_HOWE, ST_JOHNS = "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"
KOLKATA, KATHMANDU = "Asia/Kolkata", "Asia/Kathmandu"


@pytest.fixture(scope="module")
def edges(stack):
    """Calls on both sides of every edge; their outcome is their name."""
    return loaded(
        stack,
        [
            call(name, started_at=time, outcome=name, duration_seconds=1)
            for name, time in EDGES.items()
        ],
    )


LEAP = "2024-02-29T"
RANGES = [
    # Equal bounds: a whole second, or a millisecond where a fraction is given.
    (f"{LEAP}00:00:00Z", f"{LEAP}00:00:00Z", None, "leap-first"),
    (f"{LEAP}00:00:00.000Z", f"{LEAP}00:00:00.000Z", None, "leap-first"),
    (f"{LEAP}00:00:00.001Z", f"{LEAP}00:00:00.001Z", None, ""),
    (f"{LEAP}00:00:00.0009Z", f"{LEAP}00:00:00.0009Z", None, "leap-first"),  # cut off
    (f"{LEAP}23:59:59Z", f"{LEAP}23:59:59Z", None, "leap-last"),
    (f"{LEAP}23:59:59.999Z", f"{LEAP}23:59:59.999Z", None, "leap-last"),
    (f"{LEAP}23:59:59.9999Z", f"{LEAP}23:59:59.9999Z", None, "leap-last"),
    (f"{LEAP}23:59:59.9Z", f"{LEAP}23:59:59.9Z", None, ""),
    # Half a second more or less at each end.
    ("2024-02-28T23:59:59.999Z", "2024-03-01T00:00:00.000Z", None,
     "leap-after leap-before leap-first leap-last"),
    (f"{LEAP}00:00:00Z", f"{LEAP}23:59:59Z", None, "leap-first leap-last"),
    (f"{LEAP}00:00:00Z", f"{LEAP}23:59:58Z", None, "leap-first"),
    (f"{LEAP}00:00:00Z", f"{LEAP}23:59:59.998Z", None, "leap-first"),
    (f"{LEAP}00:00:00Z", f"{LEAP}23:59:59.9989999Z", None, "leap-first"),
    (f"{LEAP}00:00:00.001Z", f"{LEAP}23:59:59.999Z", None, "leap-last"),
    (f"{LEAP}00:00:01Z", f"{LEAP}23:59:58Z", None, ""),
    (f"{LEAP}00:00:00.500Z", f"{LEAP}00:00:00Z", None, ""),  # the whole second of the end
    # Days.
    ("2024-02-29", "2024-02-29", None, "leap-first leap-last"),
    ("2024-02-28", "2024-02-28", None, "leap-before"),
    ("2024-02-29", f"{LEAP}00:00:00Z", None, "leap-first"),
    (f"{LEAP}23:59:59.999Z", "2024-02-29", None, "leap-last"),
    ("2024-02-28", "2024-03-01", None, "leap-after leap-before leap-first leap-last"),
    # Offsets, and naive bounds.
    (f"{LEAP}05:30:00+05:30", f"{LEAP}05:30:00+05:30", None, "leap-first"),
    ("2024-02-28T19:00:00-05:00", f"{LEAP}18:59:59-05:00", None, "leap-first leap-last"),
    ("2024-02-28T00:01:00-23:59", f"{LEAP}23:59:00+23:59", None, "leap-first"),
    (f"{LEAP}00:00:00", f"{LEAP}23:59:59", None, "leap-first leap-last"),
    (f"{LEAP}00:00:00", f"{LEAP}23:59:59.998", None, "leap-first"),
    (f"{LEAP}01:00:00", f"{LEAP}01:00:00", BERLIN, "leap-first"),
    (f"{LEAP}00:00:00Z", f"{LEAP}23:59:59Z", BERLIN, "leap-first leap-last"),  # Z stays Z
    ("2024-02-29", "2024-02-29", "UTC", "leap-first leap-last"),
    # Days of 23, 25, 23.5 and 24.5 hours.
    ("2024-03-30", "2024-03-30", BERLIN, "gap-before"),
    ("2024-03-31", "2024-03-31", BERLIN, "gap-first gap-last gap-one gap-three"),
    ("2024-04-01", "2024-04-01", BERLIN, "gap-after"),
    ("2024-10-27", "2024-10-27", BERLIN, "fold-early fold-last fold-late"),
    ("2024-10-28", "2024-10-28", BERLIN, "fold-after"),
    ("2024-03-10", "2024-03-10", ST_JOHNS, "stj-first stj-jump stj-last"),
    ("2024-03-09", "2024-03-09", ST_JOHNS, "stj-before"),
    ("2024-03-11", "2024-03-11", ST_JOHNS, "stj-after"),
    ("2024-04-07", "2024-04-07", LORD_HOWE, "howe-early howe-first howe-last howe-late"),
    ("2024-04-06", "2024-04-06", LORD_HOWE, "howe-before"),
    ("2024-04-08", "2024-04-08", LORD_HOWE, "howe-after"),
    ("2024-10-06", "2024-10-06", LORD_HOWE, "spring-one spring-two"),
    ("2024-05-10", "2024-05-10", KATHMANDU, "ktm-last"),
    ("2024-05-11", "2024-05-11", KATHMANDU, "ist-first ist-last ktm-first"),
    ("2024-05-10", "2024-05-10", KOLKATA, "ist-last ktm-first ktm-last"),
    ("2024-05-11", "2024-05-11", KOLKATA, "ist-first"),
    # A time that occurs twice: the earlier in date_from, the later in date_to.
    ("2024-10-27T02:30:00", "2024-10-27T02:30:00", BERLIN, "fold-early fold-late"),
    ("2024-10-27T02:30:00.001", "2024-10-27T02:30:00", BERLIN, "fold-late"),
    ("2024-10-27T02:30:00", "2024-10-27T02:29:59", BERLIN, "fold-early"),
    ("2024-10-27T02:30:00+01:00", "2024-10-27T02:30:00+01:00", BERLIN, "fold-late"),
    ("2024-04-07T01:45:00", "2024-04-07T01:45:00", LORD_HOWE, "howe-early howe-late"),
    ("2024-04-07T01:45:01", "2024-04-07T01:45:00", LORD_HOWE, "howe-late"),
    # A time that never occurs: read with the offset before the gap.
    ("2024-03-31T02:30:00", "2024-03-31", BERLIN, "gap-last"),
    ("2024-03-31T02:00:00", "2024-03-31", BERLIN, "gap-last gap-three"),
    ("2024-03-31", "2024-03-31T02:30:00", BERLIN, "gap-first gap-one gap-three"),
    ("2024-03-31", "2024-03-31T01:59:59", BERLIN, "gap-first gap-one"),
    ("2024-10-06T02:15:00", "2024-10-06", LORD_HOWE, ""),
    ("2024-10-06T02:00:00", "2024-10-06", LORD_HOWE, "spring-two"),
    ("2024-10-06", "2024-10-06T02:15:00", LORD_HOWE, "spring-one spring-two"),
    # Open ends.
    (None, "2024-02-29", None, "leap-before leap-first leap-last"),
    ("2025-01-01", None, None, "year-first"),
    ("2025-01-01T00:00:00.001Z", None, None, ""),
    ("1970-01-01", "1970-12-31", None, ""),
    (None, "1970-01-01", None, ""),
    ("9998-12-31", None, None, ""),
    ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59.999999Z", None, ""),
    ("1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00Z", None, ""),
]  # fmt: skip


def bounds(date_from, date_to, timezone):
    filters = {"date_from": date_from, "date_to": date_to}
    options = {} if timezone is None else {"timezone": timezone}
    return {name: value for name, value in filters.items() if value is not None}, options


def test_bounds(edges):
    problems = []
    for date_from, date_to, timezone, expected in RANGES:
        filters, options = bounds(date_from, date_to, timezone)
        found = matching(edges, filters, **options)
        if found != expected:
            problems.append((filters, timezone, f"expected {expected!r}", f"found {found!r}"))
    assert problems == []


def hours(day, *spans):
    """Hour buckets of a local day: (first hour, last hour, offset) …"""
    return [
        f"{day}T{hour:02}:00:00{offset}"
        for first, last, offset in spans
        for hour in range(first, last + 1)
    ]


HOURS = [
    ("2024-02-29", None, hours("2024-02-29", (0, 23, "Z")), {0: 1, 23: 1}),
    ("2024-02-29", "UTC", hours("2024-02-29", (0, 23, "Z")), {0: 1, 23: 1}),
    ("2024-02-29", "Europe/London", hours("2024-02-29", (0, 23, "Z")), {0: 1, 23: 1}),
    ("2024-03-31", BERLIN, hours("2024-03-31", (0, 1, "+01:00"), (3, 23, "+02:00")),
     {0: 1, 1: 1, 2: 1, 22: 1}),
    ("2024-10-27", BERLIN, hours("2024-10-27", (0, 2, "+02:00"), (2, 23, "+01:00")),
     {2: 1, 3: 1, 24: 1}),
    ("2024-03-10", ST_JOHNS, hours("2024-03-10", (0, 1, "-03:30"), (3, 23, "-02:30")),
     {0: 1, 2: 1, 22: 1}),
    ("2024-11-03", ST_JOHNS, hours("2024-11-03", (0, 1, "-02:30"), (1, 23, "-03:30")), {}),
    ("2024-04-07", LORD_HOWE, hours("2024-04-07", (0, 1, "+11:00"), (1, 23, "+10:30")),
     {0: 1, 1: 1, 2: 1, 24: 1}),
    ("2024-10-06", LORD_HOWE, hours("2024-10-06", (0, 1, "+10:30"), (2, 23, "+11:00")),
     {1: 1, 2: 1}),
    ("2024-05-10", KATHMANDU, hours("2024-05-10", (0, 23, "+05:45")), {23: 1}),
    ("2024-05-11", KATHMANDU, hours("2024-05-11", (0, 23, "+05:45")), {0: 3}),
    ("2024-05-10", KOLKATA, hours("2024-05-10", (0, 23, "+05:30")), {23: 3}),
    ("2024-05-11", KOLKATA, hours("2024-05-11", (0, 23, "+05:30")), {0: 1}),
]  # fmt: skip


@pytest.mark.parametrize(("day", "timezone", "buckets", "counts"), HOURS)
def test_hours_of_a_day(edges, day, timezone, buckets, counts):
    filters, options = bounds(day, day, timezone)
    expected = {bucket: counts.get(index, 0) for index, bucket in enumerate(buckets)}
    found = over_time(edges, filters, granularity="hour", **options)
    assert list(found.items()) == list(expected.items())
    # The same day as one bucket, and by hour of the day.
    assert over_time(edges, filters, **options) == {day: sum(counts.values())}
    heat = {}
    for bucket, count in expected.items():
        hour = int(bucket[11:13])
        heat[hour] = heat.get(hour, 0) + count
    assert {row["hour"]: row["count"] for row in rows(edges, "hourly_heatmap", filters, **options)} \
        == {hour: heat.get(hour, 0) for hour in range(24)}  # fmt: skip


DAYS_OF_LEAP = {"2024-02-28": 1, "2024-02-29": 2, "2024-03-01": 1}
BUCKETS = [
    ("2024-02-28", "2024-03-01", None, "day", DAYS_OF_LEAP),
    ("2024-02-28", "2024-03-01", None, "week", {"2024-02-26": 4}),
    ("2024-02-28", "2024-03-01", None, "month", {"2024-02-01": 3, "2024-03-01": 1}),
    # Partly covered buckets carry their usual date and count only what lies in the range.
    (f"{LEAP}23:59:59Z", "2024-03-01", None, "month", {"2024-02-01": 1, "2024-03-01": 1}),
    (f"{LEAP}00:00:00.001Z", f"{LEAP}23:59:59.998Z", None, "day", {"2024-02-29": 0}),
    (f"{LEAP}12:00:00Z", f"{LEAP}12:00:00Z", None, "day", {"2024-02-29": 0}),
    (f"{LEAP}12:59:59Z", f"{LEAP}13:00:00Z", None, "hour",
     {f"{LEAP}12:00:00Z": 0, f"{LEAP}13:00:00Z": 0}),
    ("2024-02-28T23:59:59.999Z", f"{LEAP}00:00:00.000Z", None, "day",
     {"2024-02-28": 1, "2024-02-29": 1}),
    # A week over a year's end; the same range by month.
    ("2024-12-31", "2025-01-01", None, "week", {"2024-12-30": 2}),
    ("2024-12-31", "2025-01-01", None, "month", {"2024-12-01": 1, "2025-01-01": 1}),
    ("2024-12-29", "2025-01-06", None, "week",
     {"2024-12-23": 0, "2024-12-30": 2, "2025-01-06": 0}),
    # The last millisecond of a year in UTC is the next year further east.
    ("2024-12-31T23:59:59.999Z", "2024-12-31T23:59:59.999Z", KOLKATA, "day", {"2025-01-01": 1}),
    ("2024-12-31T23:59:59.999Z", "2024-12-31T23:59:59.999Z", KOLKATA, "month", {"2025-01-01": 1}),
    ("2024-12-31T23:59:59.999Z", "2024-12-31T23:59:59.999Z", ST_JOHNS, "day", {"2024-12-31": 1}),
    ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", ST_JOHNS, "month", {"2024-12-01": 1}),
    ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", ST_JOHNS, "hour",
     {"2024-12-31T20:00:00-03:30": 1}),
    # Sunday 2024-03-31 in Berlin ends its week and its month.
    ("2024-03-30", "2024-04-01", BERLIN, "day",
     {"2024-03-30": 1, "2024-03-31": 4, "2024-04-01": 1}),
    ("2024-03-30", "2024-04-01", BERLIN, "week", {"2024-03-25": 5, "2024-04-01": 1}),
    ("2024-03-30", "2024-04-01", BERLIN, "month", {"2024-03-01": 5, "2024-04-01": 1}),
    # Open ends stop where the data does.
    (None, "2024-03-01", None, "day", DAYS_OF_LEAP),
    (None, "2024-03-03", None, "day", {**DAYS_OF_LEAP, "2024-03-02": 0, "2024-03-03": 0}),
    ("2024-12-30", None, None, "day",
     {"2024-12-30": 0, "2024-12-31": 1, "2025-01-01": 1}),
    ("2024-12-01", None, None, "month", {"2024-12-01": 1, "2025-01-01": 1}),
    (None, None, None, "month",
     {"2024-02-01": 3, "2024-03-01": 12, "2024-04-01": 6, "2024-05-01": 4, "2024-06-01": 0,
      "2024-07-01": 0, "2024-08-01": 0, "2024-09-01": 0, "2024-10-01": 6, "2024-11-01": 0,
      "2024-12-01": 1, "2025-01-01": 1}),
    ("2025-01-02", None, None, "day", {}),
    (None, "2024-02-27", None, "day", {}),
]  # fmt: skip


@pytest.mark.parametrize(("date_from", "date_to", "timezone", "granularity", "expected"), BUCKETS)
def test_buckets(edges, date_from, date_to, timezone, granularity, expected):
    filters, options = bounds(date_from, date_to, timezone)
    found = over_time(edges, filters, granularity=granularity, **options)
    assert list(found.items()) == list(expected.items())


def test_granularity_is_day_unless_given(edges):
    filters = {"date_from": "2024-02-28", "date_to": "2024-03-01"}
    assert over_time(edges, filters) == DAYS_OF_LEAP


def test_first_and_last_bucket_are_those_of_what_matches(edges):
    found = over_time(edges, {"max_duration": 1, "date_to": "2024-03-01"})
    assert found == DAYS_OF_LEAP
    assert over_time(edges, {"min_duration": 2}) == {}


# ------------------------------------------------------------------ the length of a range

FOUR_HUNDRED_DAYS = [
    # 400 days from 2024-01-01 end with 2025-02-03.
    ("2024-01-01", "2025-02-03", None, True),
    ("2024-01-01", "2025-02-04", None, False),
    ("2024-01-01T00:00:00Z", "2025-02-03T23:59:59Z", None, True),
    ("2024-01-01T00:00:00Z", "2025-02-04T00:00:00Z", None, False),
    ("2024-01-01T00:00:00Z", "2025-02-03T23:59:59.999Z", None, True),
    ("2024-01-01T00:00:00.000Z", "2025-02-04T00:00:00Z", None, False),
    ("2024-01-01T00:00:01Z", "2025-02-04T00:00:00Z", None, True),
    ("2024-01-01T00:00:00", "2025-02-03T23:59:59", None, True),
    ("2024-01-01T00:00:00", "2025-02-04T00:00:00", None, False),
    # One hour more where a zone is given, whichever it is.
    ("2024-01-01T00:00:00Z", "2025-02-04T00:59:59Z", "UTC", True),
    ("2024-01-01T00:00:00Z", "2025-02-04T01:00:00Z", "UTC", False),
    ("2024-01-01T00:00:00Z", "2025-02-04T00:59:59Z", KOLKATA, True),
    ("2024-01-01T00:00:00Z", "2025-02-04T01:00:00Z", KOLKATA, False),
    ("2024-01-01", "2025-02-04", KOLKATA, False),
    # So that 400 local days fit when one of them has 25 hours.
    ("2024-10-01", "2025-11-04", BERLIN, True),
    ("2024-10-01", "2025-11-05", BERLIN, False),
    # A century, and open ends.
    ("1970-01-01", "2070-01-01", None, False),
    ("1970-01-01", "9998-12-31", None, False),
    ("1970-01-01", None, None, True),
    (None, "9998-12-31T23:59:59Z", None, True),
]


OVER_TIME = ("calls_over_time", "avg_duration_over_time")


@pytest.mark.parametrize(("date_from", "date_to", "timezone", "is_allowed"), FOUR_HUNDRED_DAYS)
def test_the_length_of_a_range_by_the_hour(org, date_from, date_to, timezone, is_allowed):
    filters, options = bounds(date_from, date_to, timezone)
    for query_type in OVER_TIME:
        answer = ask(org, query_type, filters, granularity="hour", **options)
        if is_allowed:
            assert answer.status == 200, answer.body
        else:
            assert unprocessable(answer, ["filters", "date_from"], ["filters", "date_to"])
            assert "with granularity hour" in answer.json["detail"][0]["msg"]


@pytest.mark.parametrize(("date_from", "date_to", "timezone", "_is_allowed"), FOUR_HUNDRED_DAYS)
def test_every_other_range_may_be_of_any_length(org, date_from, date_to, timezone, _is_allowed):
    filters, options = bounds(date_from, date_to, timezone)
    for query_type in ("call_count", "status_distribution", "hourly_heatmap"):
        assert ask(org, query_type, filters, granularity="hour", **options).status == 200
    for query_type in OVER_TIME:
        for granularity in ("day", "week", "month"):
            answer = ask(org, query_type, filters, granularity=granularity, **options)
            assert answer.status == 200, answer.body


def test_years_by_day_and_by_month(stack):
    """A record at each end of 29 years, and one between: every bucket is there, in any zone."""
    org = stack.new_organisation()
    days = {"1996-02-29": 60, "2010-07-01": 61, "2024-12-31": 63}
    records = [
        call(str(seconds), started_at=f"{day}T12:00:00Z", duration_seconds=seconds)
        for day, seconds in days.items()
    ]
    assert org.post(records).status == 200
    stack.drain()
    filters = {"date_from": "1996-01-01", "date_to": "2024-12-31"}
    assert rows(org, "call_count", filters) == [{"count": 3}]
    for timezone in ("UTC", BERLIN):
        options = {"timezone": timezone, "page_size": 1000}
        months = ask(org, "calls_over_time", filters, granularity="month", **options).json
        assert months["total"] == 29 * 12
        counted = {row["date"]: row["count"] for row in months["data"] if row["count"]}
        assert counted == {"1996-02-01": 1, "2010-07-01": 1, "2024-12-01": 1}
        last_days = ask(org, "calls_over_time", filters, page=11, **options).json
        assert last_days["total"] == (date(2025, 1, 1) - date(1996, 1, 1)).days
        assert last_days["data"][-1] == {"date": "2024-12-31", "count": 1}


def test_many_buckets_of_which_one_page_is_made(org):
    filters = {"date_from": "2024-01-01", "date_to": "2025-02-03"}
    for page, first, length in ((1, "2024-01-01T00:00:00Z", 1000), (10, None, 600)):
        answer = ask(org, "calls_over_time", filters, granularity="hour", page=page, page_size=1000)
        assert answer.status == 200, answer.body
        assert (answer.json["total"], len(answer.json["data"])) == (400 * 24, length)
        assert answer.json["data"][-1]["date"] == (
            "2024-02-11T15:00:00Z" if first else "2025-02-03T23:00:00Z"
        )
        if first:
            assert answer.json["data"][0]["date"] == first


# ------------------------------------------------------------------ pages


def test_pages(org):
    outcomes = PUBLISHED["outcome_distribution"]
    for page_size in (1, 2, 3, 4, 1000):
        for page in (1, 2, 3, 4):
            answer = ask(org, "outcome_distribution", page=page, page_size=page_size)
            start = (page - 1) * page_size
            assert compact(answer.body) == published(
                "outcome_distribution",
                outcomes[start : start + page_size],
                total=3,
                page=page,
                page_size=page_size,
            )


@pytest.mark.parametrize("query_type", PUBLISHED)
def test_every_type_has_pages(org, query_type):
    data = PUBLISHED[query_type]
    answer = ask(org, query_type, page=1, page_size=1)
    assert compact(answer.body) == published(query_type, data[:1], total=len(data), page_size=1)
    answer = ask(org, query_type, page=2, page_size=1)
    expected = published(query_type, data[1:2], total=len(data), page=2, page_size=1)
    assert compact(answer.body) == expected
    answer = ask(org, query_type, page=10**9, page_size=1000)
    expected = published(query_type, [], total=len(data), page=10**9, page_size=1000)
    assert compact(answer.body) == expected


def test_fifty_rows_unless_asked_otherwise(org):
    filters = {"date_from": "2024-01-01", "date_to": "2024-02-29"}
    answer = ask(org, "calls_over_time", filters)
    assert (answer.json["total"], len(answer.json["data"])) == (60, 50)
    assert (answer.json["page"], answer.json["page_size"]) == (1, 50)


# ------------------------------------------------------------------ 400


@pytest.mark.parametrize("case", NOT_JSON)
def test_malformed_bodies(org, case):
    assert refused(org.send("POST", BREEZE, NOT_JSON[case]))


def test_bad_requests(org):
    for case, body in BAD_REQUESTS.items():
        assert refused(org.send("POST", BREEZE, body)), case


def test_400_comes_before_422(org):
    """A fault that is answered with 400 wins over those that are answered with 422."""
    wrong_values = {
        "page": 0,
        "page_size": 1001,
        "granularity": "minute",
        "timezone": "Mars/Olympus",
        "filters": {"date_from": "yesterday", "min_duration": -1, "template_id": ""},
    }
    filters = wrong_values["filters"]
    places = [[name] for name in wrong_values] + [["filters", name] for name in filters]
    assert unprocessable(org.send("POST", BREEZE, {**COUNT, **wrong_values}), *places)
    for wrong in (
        {**wrong_values},
        {**wrong_values, "query_type": "x"},
        {**wrong_values, "query_type": None},
        {**COUNT, **wrong_values, "unknown": 1},
        {**COUNT, **wrong_values, "filters": None},
        {**COUNT, **wrong_values, "filters": {**filters, "unknown": 1}},
        {**COUNT, **wrong_values, "filters": {**filters, "date_to": 5}},
        {**COUNT, **wrong_values, "filters": {**filters, "max_duration": "9"}},
        {**COUNT, **wrong_values, "filters": {**filters, "payload_filters": []}},
        {**wrong_values, "query_type": "conversion_funnel",
         "filters": {"min_duration": 1, "unknown": 1}},
    ):  # fmt: skip
        assert refused(org.send("POST", BREEZE, wrong)), wrong
    assert refused(org.send("POST", f"{BREEZE}?x=1", {**COUNT, **wrong_values}))


@pytest.mark.parametrize("query", ["?x=1", "?page=1", "?query_type=call_count", "?x", "?x="])
@pytest.mark.parametrize("path", [BREEZE, f"{BREEZE_IN_FULL}/"])
def test_query_parameters_are_refused(org, path, query):
    assert refused(org.send("POST", path + query, COUNT))


# ------------------------------------------------------------------ 422

BAD_DATES = [
    "", " ", "now", "today", "2024", "2024-02", "2024-W01", "2024-W01-1", "2024-060",
    "2023-02-29", "2024-02-30", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-32",
    "20240229", "2024-2-29", "24-02-29", "+2024-02-29", "-2024-02-29", "12024-02-29",
    "2024-02-29Z", "2024-02-29+01:00", " 2024-02-29", "2024-02-29 ", "2024-02-29\n",
    "2024-02-29\x00", "29.02.2024", "2024/02/29", "٢٠٢٤-٠٢-٢٩",
    "2024-02-29T", "2024-02-29T00", "2024-02-29T00:00", "2024-02-29T00:00Z",
    "2024-02-29T24:00:00Z", "2024-02-29T00:60:00Z", "2024-02-29T00:00:60Z",
    "2016-12-31T23:59:60Z", "2024-02-29T23:59:60", "2024-02-29t00:00:00Z",
    "2024-02-29T00:00:00z", "2024-02-29 00:00:00Z", "2024-02-29T00:00:00.Z",
    "2024-02-29T00:00:00,5Z", "2024-02-29T00:00:00 Z", "2024-02-29T00:00:00Zx",
    "2024-02-29T00:00:00Z\x00", "2024-02-29T00:00:00Z\n", "2024-02-29T00:00:00+0100",
    "2024-02-29T00:00:00+01", "2024-02-29T00:00:00+24:00", "2024-02-29T00:00:00+01:60",
    "2024-02-29T00:00:00−01:00", "2024-02-29T00:00:00[Europe/Berlin]", "2024-02-29T00:00:00ZZ",
    "20240229T000000Z", "2024-060T00:00:00Z", "2024-W09-4T00:00:00Z", "2024-02-29T0:0:0Z",
    # Years are those of the UTC instant: 1970 to 9998.
    "0000-01-01", "0000-01-01T00:00:00Z", "0001-01-01", "1969-12-31", "1969-12-31T23:59:59Z",
    "1970-01-01T00:59:59+01:00", "9999-01-01", "9999-12-31", "9999-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "9998-12-31T23:30:00-01:00", "10000-01-01T00:00:00Z",
    "x" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("name", ["date_from", "date_to"])
def test_bad_dates(org, name):
    for value in BAD_DATES:
        answer = ask(org, "call_count", {name: value})
        assert answer.status == 422, (value, answer.body)
        assert unprocessable(answer, ["filters", name])


# From above the other way round, and where either of the two may be named.
PAIRS = {"min_duration": "max_duration", "sentiment_min": "sentiment_max", "date_from": "date_to"}


def test_bad_values(org):
    for extra, place in UNPROCESSABLE:
        places = [place]
        if len(extra.get("filters", {})) == 2:
            places.append(["filters", PAIRS[place[-1]]])
        answer = org.send("POST", BREEZE, {**COUNT, **extra})
        assert answer.status == 422, (extra, answer.body)
        assert unprocessable(answer, *places)


@pytest.mark.parametrize("query_type", PUBLISHED)
def test_granularity_is_always_checked(org, query_type):
    assert unprocessable(ask(org, query_type, granularity="minute"), ["granularity"])
    assert ask(org, query_type, granularity="month").status == 200


def test_the_last_page(org):
    answer = ask(org, "call_count", page=10**9)
    assert answer.status == 200
    assert (answer.json["data"], answer.json["total"]) == ([], 1)


# ------------------------------------------------------------------ the size of a body


@pytest.mark.parametrize("path", [BREEZE, BREEZE_IN_FULL])
def test_the_size_of_a_body(org, path):
    answer = org.send("POST", path, padded(COUNT, LIMIT))
    assert answer.status == 200, answer.body
    for body in (
        padded(COUNT, LIMIT + 1),
        b"x" * (LIMIT + 1),
        b" " * (LIMIT + 1),
        padded({"query_type": "x"}, LIMIT + 4096),
    ):
        assert gateway_error(org.send("POST", path, body), 413, "Content Too Large")
    answer = org.send("POST", f"{path}?x=1", padded(COUNT, LIMIT + 1))
    assert gateway_error(answer, 413, "Content Too Large")


def test_a_body_that_the_gateway_refuses(org):
    answer = org.send("POST", BREEZE, b" " * (10 * 1024 * 1024 + 1))
    assert gateway_error(answer, 413, "Content Too Large")


# ------------------------------------------------------------------ routes, tokens, headers


@pytest.mark.parametrize("path", ROUTES)
def test_routes(org, path):
    answer = ask(org, "call_count", path=path)
    assert compact(answer.body) == published("call_count", [{"count": 7}])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("is_authorised", [True, False])
def test_a_wrong_method_is_not_found(org, method, path, is_authorised):
    headers = [("X-HTTP-Method-Override", "POST"), ("X-Method-Override", "POST")]
    if is_authorised:
        headers.append(("Authorization", f"Token {org.token}"))
    body = json.dumps(COUNT).encode()
    answer = stacks.request(org.stack.api, method, path, headers, body)
    assert gateway_error(answer, 404, "Not Found")


@pytest.mark.parametrize(
    "path",
    [
        "/Analytics", "/analytics//", "//analytics", "/analytics/more", "/analytic",
        "/analytics%2F", "/%61nalytics/more", "/agent/voice/breeze-buddy",
        "/agent/voice/analytics", "/agent/voice/breeze-buddy/analytics/more",
        "/agent/voice%2Fbreeze-buddy/analytics",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_authorised", [True, False])
def test_an_unknown_route_is_not_found(org, path, is_authorised):
    headers = [("Authorization", f"Token {org.token}")] if is_authorised else []
    answer = stacks.request(org.stack.api, "POST", path, headers, json.dumps(COUNT).encode())
    assert gateway_error(answer, 404, "Not Found")


def test_an_override_of_the_method_is_not_read(org):
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = org.send("POST", BREEZE, COUNT, [(name, "GET")])
        assert answer.status == 200, answer.body


@pytest.mark.parametrize("path", [BREEZE, f"{BREEZE_IN_FULL}/"])
def test_tokens(org, path):
    for headers in (
        [],
        [("Authorization", "")],
        [("Authorization", "Token")],
        [("Authorization", org.token)],
        [("Authorization", f"Basic {org.token}")],
        [("Authorization", f"Token {org.token}x")],
        [("Authorization", f"Token {forged(org.token)}")],
        [("Authorization", f"Token {org.token}"), ("Authorization", f"Token {org.token}")],
        [("Authorization", f"Token {org.token}"), ("authorization", "Token x")],
        [("Authorization", "Token x"), ("Authorization", f"Token {org.token}")],
    ):
        # Before the size of the body, and before anything in it or in the query.
        for body in (json.dumps(COUNT).encode(), b"{", b"x" * (LIMIT + 1)):
            answer = stacks.request(org.stack.api, "POST", f"{path}?x=1", headers, body)
            assert gateway_error(answer, 401, "Unauthorized")
    for scheme in ("Token", "Bearer", "jwt", "BEARER", "token", "JWT"):
        headers = [("Authorization", f"{scheme} {org.token}")]
        body = json.dumps(COUNT).encode()
        assert stacks.request(org.stack.api, "POST", path, headers, body).status == 200


def test_scopes(org):
    token = org.new_token("ingest")["token"]
    for path in (BREEZE, BREEZE_IN_FULL):
        for body in (json.dumps(COUNT).encode(), b"{", b"x" * (LIMIT + 1)):
            headers = [("Authorization", f"Bearer {token}")]
            answer = stacks.request(org.stack.api, "POST", f"{path}?x=1", headers, body)
            assert gateway_error(answer, 403, "Forbidden")
    token = org.new_token("read")["token"]
    headers = [("Authorization", f"Bearer {token}")]
    answer = stacks.request(org.stack.api, "POST", BREEZE, headers, json.dumps(COUNT).encode())
    assert answer.status == 200


def test_headers_that_are_not_read(org):
    """Org-Handle is Unpod's; a body is JSON whatever its type says."""
    for headers in (
        [("Org-Handle", "unknown")],
        [("Org-Handle", "alice"), ("Org-Handle", "bob")],
        [("Org-Handle", "")],
        [("Content-Type", "application/json"), ("Content-Type", "text/plain")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Accept", "application/json"), ("Accept", "image/png")],
        [("X-Rollcall-Source", "ledger"), ("X-Rollcall-Source", "rollups")],
    ):
        answer = org.send("POST", BREEZE, COUNT, headers)
        assert compact(answer.body) == published("call_count", [{"count": 7}])


def test_an_organisation_never_sees_another(org, without_data, filtered):
    assert rows(org, "call_count") == [{"count": 7}]
    assert rows(filtered, "call_count") == [{"count": 8}]
    assert rows(without_data, "call_count") == [{"count": 0}]
    assert rows(org, "call_count", {"template_id": "t1"}) == [{"count": 0}]
    assert rows(without_data, "call_count", {"payload_filters": {"city": "Pune"}}) == [{"count": 0}]


@pytest.mark.parametrize(
    ("filters", "source"),
    [
        ({}, "rollups"),
        ({"date_from": "2024-03-04", "date_to": "2024-03-07"}, "rollups"),
        ({"template_id": "t1"}, "rollups"),
        ({"payload_filters": {"city": "Pune"}}, "ledger"),
        ({"template_id": "t1", "merchant_id": "m1"}, "ledger"),
        ({"date_from": "2024-03-05T12:00:00Z", "date_to": "2024-03-07T12:00:00Z"}, "mixed"),
        ({"date_from": "2024-03-05T11:00:00Z", "date_to": "2024-03-05T13:00:00Z"}, "ledger"),
        ({"date_from": "2031-01-01", "date_to": "2031-01-31"}, None),
        ({"date_from": "2031-01-01T01:00:00Z", "date_to": "2031-01-01T02:00:00Z"}, None),
    ],
)
def test_headers_of_an_answer(filtered, filters, source):
    answer = ask(filtered, "call_count", filters)
    assert answer.status == 200, answer.body
    assert answer.header("Content-Type").startswith("application/json")
    assert answer.header("Cache-Control") == "no-store"
    found = answer.header("X-Rollcall-Source")
    assert found == source if source else found in ("rollups", "ledger", "mixed")
    assert 0 <= int(answer.header("X-Rollcall-Items-Read")) <= 50
    assert 0 <= float(answer.header("X-Rollcall-Read-Units")) <= 200
    # Also where the range holds nothing.
    as_of = answer.header("X-Rollcall-As-Of")
    assert as_of.endswith("Z")
    age_ms = datetime.now(UTC).timestamp() * 1000 - instant(as_of, "as of")
    assert -5_000 < age_ms < 3_600_000


@pytest.mark.parametrize("query_type", PUBLISHED)
def test_every_type_has_the_headers(org, query_type):
    answer = ask(org, query_type)
    assert answer.header("X-Rollcall-Source") in ("rollups", "ledger", "mixed")
    assert int(answer.header("X-Rollcall-Items-Read")) >= 1
    assert float(answer.header("X-Rollcall-Read-Units")) > 0
    assert answer.header("X-Rollcall-As-Of").endswith("Z")
    assert answer.header("Cache-Control") == "no-store"


def test_as_of_is_the_newest_of_what_was_read(stack):
    org = stack.new_organisation()

    def as_of(**filters):
        answer = ask(org, "call_count", filters)
        assert answer.status == 200, answer.body
        return answer.header("X-Rollcall-As-Of")

    def write(id, day):
        assert org.post([call(id, started_at=f"{day}T12:00:00Z")]).status == 200
        stack.drain()

    assert as_of() is None
    write("one", "2024-03-05")
    one = {"date_from": "2024-03-05", "date_to": "2024-03-05"}
    first = as_of(**one)
    assert as_of() == first
    time.sleep(0.01)  # the next write is applied in a later millisecond
    write("two", "2024-03-07")
    second = as_of(date_from="2024-03-07", date_to="2024-03-07")
    assert instant(second, "as of") > instant(first, "as of")
    assert as_of(**one) == first  # that day has not changed
    assert as_of() == second
    # A range that holds nothing: that of the organisation's lifetime.
    for day in ("2024-03-06", "2031-01-01"):
        assert as_of(date_from=day, date_to=day) == second
    assert as_of(template_id="unknown", **one) == second


def test_hours_of_four_hundred_days_are_plain_arithmetic():
    """What the expectations above assume."""
    assert date(2024, 1, 1) + timedelta(days=400) == date(2025, 2, 4)
    assert date(2024, 10, 1) + timedelta(days=400) == date(2025, 11, 5)
    assert datetime(2024, 1, 1) + timedelta(hours=999) == datetime(2024, 2, 11, 15)
    assert date(2024, 2, 26).weekday() == date(2024, 12, 30).weekday() == 0
