"""The oracle's Breeze answers against examples worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from rollcall.dialects.breeze.query_types import QUERY_TYPES
from tests.support import oracle
from tests.support.builders import call, deletion, lead
from tests.support.oracle import Oracle
from tests.support.oracle_breeze import CALL_TYPES, FILTERS, GRANULARITIES, LEAD_TYPES, ROWS, breeze

NOW = oracle.instant("2026-11-21T12:00:00Z", "now")


def model_of(*records: Any) -> Oracle:
    model = Oracle()
    for record in records:
        assert model.post([record], NOW)[0] == 200
    return model


def at(*times: str, **fields: Any) -> list[dict[str, Any]]:
    """One call for each time."""
    return [call(f"call {n}", started_at=time, **fields) for n, time in enumerate(times)]


def rows(
    records: list[Any], query_type: str, filters: dict[str, Any] | None = None, **more: Any
) -> Any:
    status, body = breeze(
        model_of(*records), {"query_type": query_type, "filters": filters or {}, **more}
    )
    assert status == 200, body
    return body["data"]


def count(records: list[Any], **filters: Any) -> Any:
    return rows(records, "call_count", filters)[0]["count"]


def dates(records: list[Any], filters: dict[str, Any], **more: Any) -> Any:
    return {
        row["date"]: row["count"]
        for row in rows(records, "calls_over_time", filters, page_size=1000, **more)
    }


def test_there_are_all_query_types_and_ten_filters() -> None:
    assert set(ROWS) == {*CALL_TYPES, *LEAD_TYPES} == {each.name for each in QUERY_TYPES}
    assert set(LEAD_TYPES) == {each.name for each in QUERY_TYPES if each.is_about_leads}
    assert len(FILTERS) == 10


# ------------------------------------------------------------------ the query types

MIXED = [
    call("1", outcome="sold", provider="b", duration_seconds=10, sentiment=0, attempt=1),
    call("2", outcome="sold", provider="B", duration_seconds=5, sentiment=Decimal("0.2")),
    call("3", outcome="N/A", provider="b", duration_seconds=0, attempt=10),
    call("4", attempt=11, sentiment=1, disposition="successful"),
    call("5", outcome="", attempt=10**15, sentiment=Decimal("0.7996")),
    call("6", outcome="late", disposition="successful"),
    call("7", status="failed", started_at="2024-03-05T13:59:59.999Z"),
    call("gone", outcome="gone"),
    deletion("call", "gone"),
]


def test_call_count() -> None:
    assert rows(MIXED, "call_count") == [{"count": 7}]
    assert rows([], "call_count") == [{"count": 0}]


def test_call_duration() -> None:
    assert rows(MIXED, "call_duration") == [
        {"avg": 5, "min": 0, "max": 10, "total": 15, "count": 3}
    ]
    assert rows(at("2024-03-05T12:00:00Z"), "call_duration") == [
        {"avg": None, "min": None, "max": None, "total": 0, "count": 0}
    ]
    thirds = [call(str(n), duration_seconds=seconds) for n, seconds in enumerate((1, 0, 1))]
    assert rows(thirds, "call_duration")[0]["avg"] == Decimal("0.67")


def test_outcome_distribution() -> None:
    assert rows(MIXED, "outcome_distribution") == [
        {"outcome": "N/A", "count": 3, "percentage": Decimal("42.86")},
        {"outcome": "sold", "count": 2, "percentage": Decimal("28.57")},
        {"outcome": "", "count": 1, "percentage": Decimal("14.29")},
        {"outcome": "late", "count": 1, "percentage": Decimal("14.29")},
    ]
    assert rows([], "outcome_distribution") == []


def test_provider_breakdown() -> None:
    assert rows(MIXED, "provider_breakdown") == [
        {"provider": "N/A", "count": 4, "percentage": Decimal("57.14")},
        {"provider": "b", "count": 2, "percentage": Decimal("28.57")},
        {"provider": "B", "count": 1, "percentage": Decimal("14.29")},
    ]


def test_text_is_ordered_by_code_point() -> None:
    texts = ["é", "z", "Z", "😀", "\uffff"]
    records = [call(str(n), provider=text) for n, text in enumerate(texts)]
    shown = [row["provider"] for row in rows(records, "provider_breakdown")]
    assert shown == ["Z", "z", "é", "\uffff", "😀"]


def test_top_outcomes() -> None:
    assert rows(MIXED, "top_outcomes") == [
        {"rank": 1, "outcome": "sold", "count": 2, "percentage": 40},
        {"rank": 2, "outcome": "", "count": 1, "percentage": 20},
        {"rank": 3, "outcome": "N/A", "count": 1, "percentage": 20},
        {"rank": 4, "outcome": "late", "count": 1, "percentage": 20},
    ]
    assert rows(MIXED, "top_outcomes", page=2, page_size=3)[0]["rank"] == 4


def test_sentiment_distribution() -> None:
    shown = rows(MIXED, "sentiment_distribution")
    assert [(row["sentiment"], row["count"], row["percentage"]) for row in shown] == [
        ("negative", 1, 25),
        ("slightly_negative", 1, 25),
        ("neutral", 0, 0),
        ("slightly_positive", 0, 0),
        ("positive", 2, 50),  # 0.7996 is stored as 0.8
    ]
    edges = [Decimal(tenths) / 10 for tenths in (0, 2, 4, 6, 8, 10)]
    assert [row["min"] for row in shown] == edges[:-1]
    assert [row["max"] for row in shown] == edges[1:]
    assert all(row["percentage"] == 0 for row in rows([], "sentiment_distribution"))


def test_retry_analysis() -> None:
    assert rows(MIXED, "retry_analysis") == [
        {"attempt": 1, "calls": 4, "successful": 1, "success_rate": 25},
        {"attempt": "10+", "calls": 3, "successful": 1, "success_rate": Decimal("33.33")},
    ]


def test_hourly_heatmap() -> None:
    shown = rows(MIXED, "hourly_heatmap")
    assert [row["hour"] for row in shown] == list(range(24))
    assert {row["hour"]: row["count"] for row in shown if row["count"]} == {12: 6, 13: 1}
    shown = rows(MIXED, "hourly_heatmap", timezone="Asia/Kathmandu")
    assert {row["hour"]: row["count"] for row in shown if row["count"]} == {17: 6, 19: 1}


LEADS = [
    lead("1"),
    lead("2", status="PROCESSING"),
    lead("3", status="RETRY", converted=True),
    lead("4", status="FINISHED"),
    lead("5", status="FINISHED", converted=False),
    lead("6", status="FINISHED", converted=True, merchant_id=5),
]


def test_status_distribution() -> None:
    assert rows(LEADS, "status_distribution") == [
        {"status": "BACKLOG", "count": 1, "percentage": Decimal("16.67")},
        {"status": "PROCESSING", "count": 1, "percentage": Decimal("16.67")},
        {"status": "RETRY", "count": 1, "percentage": Decimal("16.67")},
        {"status": "FINISHED", "count": 3, "percentage": 50},
    ]
    assert [row["count"] for row in rows([], "status_distribution")] == [0] * 4
    shown = rows(LEADS, "status_distribution", {"merchant_id": "5"})
    assert [row["count"] for row in shown] == [0, 0, 0, 1]


def test_conversion_funnel() -> None:
    assert rows(LEADS, "conversion_funnel") == [
        {"stage": "BACKLOG", "count": 6, "percentage": 100, "drop_off": 0},
        {"stage": "PROCESSING", "count": 5, "percentage": Decimal("83.33"), "drop_off": 1},
        {"stage": "FINISHED", "count": 3, "percentage": 50, "drop_off": 2},
        {"stage": "CONVERTED", "count": 1, "percentage": Decimal("16.67"), "drop_off": 2},
    ]
    assert {row["percentage"] for row in rows([], "conversion_funnel")} == {0}


def test_over_time() -> None:
    records = at("2024-02-28T10:00:00Z", "2024-02-28T11:00:00Z", duration_seconds=3)
    records.append(call("later", started_at="2024-03-01T00:00:00Z"))
    assert rows(records, "calls_over_time") == [
        {"date": "2024-02-28", "count": 2},
        {"date": "2024-02-29", "count": 0},
        {"date": "2024-03-01", "count": 1},
    ]
    days = {"date_from": "2024-02-27", "date_to": "2024-02-28"}
    assert rows(records, "avg_duration_over_time", days) == [
        {"date": "2024-02-27", "avg_duration": None, "count": 0},
        {"date": "2024-02-28", "avg_duration": 3, "count": 2},
    ]
    # Without bounds only what has a duration counts as data.
    assert rows(records, "avg_duration_over_time") == [
        {"date": "2024-02-28", "avg_duration": 3, "count": 2}
    ]
    assert rows(records, "avg_duration_over_time", {"date_from": "2024-02-29"}) == []
    assert len(rows(records, "avg_duration_over_time", {"date_from": "2024-02-27"})) == 2
    assert rows([], "calls_over_time", {"date_from": "2024-02-29"}) == []
    assert rows([], "calls_over_time") == []


# ------------------------------------------------------------------ paging


def test_pages() -> None:
    model = model_of(*at("2024-01-01T00:00:00Z", "2024-02-29T00:00:00Z"))

    def page(**more: Any) -> Any:
        return breeze(model, {"query_type": "calls_over_time", **more})[1]

    assert (len(page()["data"]), page()["total"]) == (50, 60)
    assert list(page()) == ["query_type", "data", "total", "page", "page_size"]
    second = page(page=2)
    assert (len(second["data"]), second["total"], second["page"]) == (10, 60, 2)
    assert second["data"][-1] == {"date": "2024-02-29", "count": 1}
    assert page(page=61, page_size=1)["data"] == []
    far = page(page=10**9, page_size=1000)
    assert (far["data"], far["total"], far["page"]) == ([], 60, 10**9)


@pytest.mark.slow
def test_an_open_range_may_have_millions_of_hours() -> None:
    times = at("1970-01-01T00:00:00Z", "9998-12-31T23:59:59.999Z")
    body = {"query_type": "calls_over_time", "granularity": "hour", "page": 10, "page_size": 7}
    status, answer = breeze(model_of(*times), body)
    days = 8029 * 365 + 1947  # 1947 leap days from 1972 to 9996
    assert (status, answer["total"]) == (200, days * 24)
    assert [row["date"] for row in answer["data"]] == [
        *(f"1970-01-03T{hour:02d}:00:00Z" for hour in range(15, 22)),
    ]
    last = {**body, "page": answer["total"], "page_size": 1}
    assert breeze(model_of(*times), last)[1]["data"] == [
        {"date": "9998-12-31T23:00:00Z", "count": 1}
    ]


# ------------------------------------------------------------------ filters


def test_ids_are_compared_by_their_text() -> None:
    records = [
        call("1", template_id=5, merchant_id="m"),
        call("2", template_id="5", reseller_id="r"),
        call("3", template_id="05"),
        call("4"),
    ]
    assert count(records, template_id=5) == count(records, template_id="5") == 2
    assert count(records, template_id="5", merchant_id="m") == 1
    assert count(records, template_id="5", reseller_id="m") == 0
    assert count(records, reseller_id="r") == 1


def test_durations_and_sentiments() -> None:
    records = [
        call("1", duration_seconds=Decimal("59.5"), sentiment=Decimal("0.5004")),
        call("2", duration_seconds=60, sentiment=Decimal("0.501")),
        call("3"),
    ]
    assert count(records, min_duration=60) == 2
    assert count(records, min_duration=Decimal("60.000001")) == 0
    assert count(records, max_duration=Decimal("59.999999")) == 0
    assert count(records, max_duration=10**30) == 2
    assert count(records, min_duration=0) == 2
    assert count(records, sentiment_min=Decimal("0.5")) == 2
    assert count(records, sentiment_min=Decimal("0.5004")) == 1
    assert count(records, sentiment_max=Decimal("0.5")) == 1
    assert count(records, sentiment_min=0, sentiment_max=1) == 2


def test_payloads() -> None:
    records = [
        call("1", payload={"a": "1", "b": None}),
        call("2", payload={"a": 1, "b": True}),
        call("3", payload={"a": Decimal("0.1")}),
        call("4", payload={"a": True, "b": False}),
        call("5"),
    ]
    for value in ("1", 1, True, Decimal("0.10"), Decimal("1.00")):
        assert count(records, payload_filters={"a": value}) == 1
    assert count(records, payload_filters={"a": 0.1}) == 1
    assert count(records, payload_filters={"a": Decimal("0.1000000000000000055")}) == 0
    assert count(records, payload_filters={"b": None}) == 1
    assert count(records, payload_filters={"c": None}) == 0
    assert count(records, payload_filters={"a": 1, "b": True}) == 1
    assert count(records, payload_filters={"a": 1, "b": False}) == 0
    assert count(records, payload_filters={"b": 0}) == 0
    assert count(records, payload_filters={}) == 5
    for beyond in ("x" * 257, 10**101, Decimal("1e-101"), Decimal("1." + "1" * 38)):
        assert count(records, payload_filters={"a": beyond}) == 0
    assert count(records, payload_filters={"no such key!": 1}) == 0


# ------------------------------------------------------------------ bounds

EDGES = at(
    "2024-02-28T23:59:59.999Z",
    "2024-02-29T00:00:00Z",
    "2024-02-29T00:00:00.001Z",
    "2024-02-29T12:00:00.500Z",
    "2024-02-29T23:59:59.999Z",
    "2024-03-01T00:00:00Z",
)


@pytest.mark.parametrize(
    ("from_", "to", "calls"),
    [
        ("2024-02-29", "2024-02-29", 4),
        ("2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z", 4),
        ("2024-02-29T00:00:00.001Z", "2024-02-29T23:59:59.998Z", 2),
        ("2024-02-29T00:00:00.0019Z", "2024-02-29T23:59:59.9999Z", 3),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", 2),
        ("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z", 1),
        ("2024-02-28T23:59:59Z", "2024-02-28T23:59:59Z", 1),
        ("2024-02-29T01:00:00+01:00", "2024-02-28T19:00:00-05:00", 2),
        ("2024-02-29T00:00:00", "2024-02-29T12:00:00", 3),
        ("2024-02-29T12:00:00.5", "2024-02-29T12:00:00.5", 1),
        ("2024-02-29T12:00:00.501", "2024-02-29T12:00:00", 0),
        ("2024-02-28", "2024-02-28", 1),
        ("2024-03-01", "2024-03-31", 1),
        (None, "2024-02-28", 1),
        ("2024-03-01", None, 1),
    ],
)
def test_both_bounds_are_inclusive(from_: str, to: str, calls: int) -> None:
    filters = {"date_from": from_, "date_to": to}
    assert count(EDGES, **{name: bound for name, bound in filters.items() if bound}) == calls


@pytest.mark.parametrize(
    ("zone", "from_", "to", "calls"),
    [
        ("Europe/Berlin", "2024-03-01", "2024-03-01", 2),
        ("Asia/Kolkata", "2024-02-29", "2024-02-29", 4),
        ("Asia/Kathmandu", "2024-02-29T05:45:00", "2024-02-29T05:45:00", 2),
        ("America/St_Johns", "2024-02-28", "2024-02-28", 3),
        ("Pacific/Kiritimati", "2024-02-29", "2024-03-01", 6),
    ],
)
def test_bounds_without_an_offset_are_local(zone: str, from_: str, to: str, calls: int) -> None:
    body = {
        "query_type": "call_count",
        "filters": {"date_from": from_, "date_to": to},
        "timezone": zone,
    }
    assert breeze(model_of(*EDGES), body)[1]["data"] == [{"count": calls}]


def test_a_time_that_occurs_twice_is_both() -> None:
    records = at("2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "2024-10-27T01:30:00.999Z")
    bound = "2024-10-27T02:30:00"
    berlin = {"timezone": "Europe/Berlin"}
    filters = {"date_from": bound, "date_to": bound}
    assert rows(records, "call_count", filters, **berlin) == [{"count": 3}]
    # One that never occurs is 01:30Z, the instant that 03:30 names too.
    records = at("2024-03-31T01:29:59.999Z", "2024-03-31T01:30:00Z", "2024-03-31T01:30:01Z")
    filters = dict.fromkeys(("date_from", "date_to"), "2024-03-31T02:30:00")
    assert rows(records, "call_count", filters, **berlin) == [{"count": 1}]


# ------------------------------------------------------------------ buckets


def test_weeks_and_months() -> None:
    records = at("2024-02-29T00:00:00Z", "2024-03-03T23:59:59.999Z", "2024-03-04T00:00:00Z")
    assert dates(records, {}, granularity="week") == {"2024-02-26": 2, "2024-03-04": 1}
    assert dates(records, {}, granularity="month") == {"2024-02-01": 1, "2024-03-01": 2}
    over = {"date_from": "2023-12-31", "date_to": "2024-02-01"}
    assert dates(records, over, granularity="month") == {
        "2023-12-01": 0,
        "2024-01-01": 0,
        "2024-02-01": 0,
    }
    turn = {"date_from": "2023-12-31", "date_to": "2024-01-01"}
    assert list(dates(records, turn, granularity="week")) == ["2023-12-25", "2024-01-01"]


def test_hours_of_a_day_of_25_hours() -> None:
    day = {"date_from": "2024-10-27", "date_to": "2024-10-27"}
    records = at("2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "2024-10-27T01:59:59.999Z")
    shown = dates(records, day, granularity="hour", timezone="Europe/Berlin")
    assert list(shown)[:5] == [
        "2024-10-27T00:00:00+02:00",
        "2024-10-27T01:00:00+02:00",
        "2024-10-27T02:00:00+02:00",
        "2024-10-27T02:00:00+01:00",
        "2024-10-27T03:00:00+01:00",
    ]
    assert len(shown) == 25
    assert {label: n for label, n in shown.items() if n} == {
        "2024-10-27T02:00:00+02:00": 1,
        "2024-10-27T02:00:00+01:00": 2,
    }


@pytest.mark.parametrize(
    ("zone", "day", "hours", "within"),
    [
        ("UTC", "2024-02-29", 24, "2024-02-29T23:00:00Z"),
        ("Europe/Berlin", "2024-03-31", 23, "2024-03-31T03:00:00+02:00"),
        ("Europe/London", "2024-10-27", 25, "2024-10-27T01:00:00Z"),
        ("Asia/Kolkata", "2024-02-29", 24, "2024-02-29T00:00:00+05:30"),
        ("Asia/Kathmandu", "2024-02-29", 24, "2024-02-29T23:00:00+05:45"),
        # 01:30 to 02:00 comes twice: hour 1 has two buckets, one of half an hour.
        ("Australia/Lord_Howe", "2024-04-07", 25, "2024-04-07T01:00:00+10:30"),
        # Hour 2 lasts from 02:30 to 03:00.
        ("Australia/Lord_Howe", "2024-10-06", 24, "2024-10-06T02:00:00+11:00"),
        ("America/St_Johns", "2024-11-03", 25, "2024-11-03T01:00:00-03:30"),
        # From the first midnight to the last instant of the day: a minute of hour 0, the 59
        # minutes of the day before that come again, and the whole day.
        ("America/St_Johns", "2010-11-07", 26, "2010-11-06T23:00:00-03:30"),
        # Hour 0 lasts one minute, hour 1 from 01:01.
        ("America/St_Johns", "2010-03-14", 24, "2010-03-14T01:00:00-02:30"),
    ],
)
def test_hours_of_local_days(zone: str, day: str, hours: int, within: dict[str, Any]) -> None:
    filters = {"date_from": day, "date_to": day}
    shown = dates([], filters, granularity="hour", timezone=zone)
    assert len(shown) == hours
    assert within in shown


def test_days_where_midnight_comes_twice() -> None:
    zone = {"timezone": "America/St_Johns"}
    records = at(
        "2010-11-07T02:30:59.999Z",  # 00:00:59.999 on the 7th
        "2010-11-07T02:31:00Z",  # 23:01 on the 6th
        "2010-11-07T03:30:00Z",  # 00:00 on the 7th, again
    )
    assert dates(records, {}, **zone) == {"2010-11-06": 1, "2010-11-07": 2}
    of_the_7th = {"date_from": "2010-11-07", "date_to": "2010-11-07"}
    assert dates(records, of_the_7th, **zone) == {"2010-11-06": 1, "2010-11-07": 2}
    of_the_6th = {"date_from": "2010-11-06", "date_to": "2010-11-06"}
    assert dates(records, of_the_6th, **zone) == {"2010-11-06": 1, "2010-11-07": 1}
    # Without a bound from the first date that has a call, with one from the first of the range.
    assert dates([records[0], records[2]], {}, **zone) == {"2010-11-07": 2}
    since = {"date_from": "2010-11-07"}
    assert dates(records[:1], since, **zone) == {"2010-11-07": 1}
    assert dates([records[0], records[2]], since, **zone) == {"2010-11-06": 0, "2010-11-07": 2}
    until = {"date_to": "2010-11-06"}
    assert dates(records[:2], until, **zone) == {"2010-11-06": 1, "2010-11-07": 1}
    assert dates(records[1:2], until, **zone) == {"2010-11-06": 1}


def test_a_date_that_was_left_out_shows_zero() -> None:
    records = at("2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z")
    assert dates(records, {}, timezone="Pacific/Apia") == {
        "2011-12-29": 1,
        "2011-12-30": 0,
        "2011-12-31": 1,
    }


# ------------------------------------------------------------------ errors


def status_of(**body: Any) -> tuple[int, Any]:
    return breeze(Oracle(), {"query_type": "call_count", **body})


MALFORMED_FILTERS: list[dict[str, Any]] = [
    {"unknown": 1},
    {"template_id": None},
    {"template_id": True},
    {"merchant_id": ["a"]},
    {"reseller_id": {}},
    {"date_from": None},
    {"date_to": 1709164800},
    {"min_duration": "5"},
    {"max_duration": True},
    {"sentiment_min": None},
    {"sentiment_max": [1]},
    {"payload_filters": None},
    {"payload_filters": []},
    {"payload_filters": {"a": []}},
    {"payload_filters": {"a": {}}},
]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "call_count",
        {},
        {"query_type": None},
        {"query_type": "calls"},
        {"query_type": ["call_count"]},
        {"query_type": "call_count", "unknown": 1},
        {"query_type": "call_count", "filters": None},
        {"query_type": "call_count", "filters": []},
        *(
            {"query_type": "call_count", "page": 0, "filters": filters}
            for filters in MALFORMED_FILTERS
        ),
    ],
)
def test_malformed(body: Any) -> None:
    assert breeze(Oracle(), body) == (400, None)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"page": 0}, "page"),
        ({"page": Decimal("1.0")}, "page"),
        ({"page": True}, "page"),
        ({"page": None}, "page"),
        ({"page_size": 1001}, "page_size"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": "50"}, "page_size"),
        ({"granularity": "minute"}, "granularity"),
        ({"granularity": None}, "granularity"),
        ({"granularity": ["day"]}, "granularity"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"timezone": "+01:00"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"timezone": 0}, "timezone"),
    ],
)
def test_bad_values_beside_the_filters(body: dict[str, Any], place: str) -> None:
    assert status_of(**body) == (422, {(place,)})


@pytest.mark.parametrize(
    "filters",
    [
        {"template_id": ""},
        {"merchant_id": "x" * 129},
        {"reseller_id": "a\x7fb"},
        {"template_id": Decimal("5.0")},
        {"template_id": 10**128},
        {"date_from": "2024-02-30"},
        {"date_from": "2024-2-3"},
        {"date_from": "2024-W01"},
        {"date_from": ""},
        {"date_from": "2024-02-29T00:00Z"},
        {"date_from": "2024-02-29 00:00:00Z"},
        {"date_from": "2024-02-29T00:00:00.Z"},
        {"date_from": "2024-02-29T24:00:00"},
        {"date_from": "2024-02-29T00:00:60Z"},
        {"date_from": "1969-12-31"},
        {"date_from": "9999-01-01"},
        {"date_to": "1969-12-31T23:59:59Z"},
        {"date_to": "9999-12-31"},
        {"date_to": "0000-01-01"},
        {"min_duration": Decimal("-0.5")},
        {"max_duration": -1},
        {"sentiment_min": Decimal("1.0001")},
        {"sentiment_max": -1},
    ],
)
def test_bad_values_of_filters(filters: dict[str, Any]) -> None:
    assert status_of(filters=filters) == (422, {("filters", next(iter(filters)))})


@pytest.mark.parametrize(
    ("least", "most", "status"),
    [(1, 1, 200), (Decimal("0.5"), Decimal("0.50"), 200), (1, Decimal("0.9999"), 422)],
)
def test_no_minimum_over_its_maximum(least: Any, most: Any, status: int) -> None:
    assert status_of(filters={"min_duration": least, "max_duration": most})[0] == status
    assert status_of(filters={"sentiment_min": least, "sentiment_max": most})[0] == status


def test_leads_have_neither_durations_nor_sentiments() -> None:
    for query_type in LEAD_TYPES:
        for name in ("min_duration", "max_duration", "sentiment_min", "sentiment_max"):
            body = {"query_type": query_type, "filters": {name: 1}}
            assert breeze(Oracle(), body) == (422, {("filters", name)})


OVER_TIME = ("calls_over_time", "avg_duration_over_time")


@pytest.mark.parametrize(
    ("from_", "to", "zone", "status"),
    [
        ("2024-02-29T00:00:01Z", "2024-02-29T00:00:00Z", None, 422),
        ("2024-02-29T00:00:00.999Z", "2024-02-29T00:00:00Z", None, 200),
        ("2024-02-29T00:00:00.001Z", "2024-02-29T00:00:00.000Z", None, 422),
        ("2024-02-29T23:59:59Z", "2024-02-29", None, 200),
        ("2024-03-01", "2024-02-29", None, 422),
        ("2024-01-01", "2025-02-03", None, 200),  # 400 days
        ("2024-01-01", "2025-02-04", None, 422),
        ("2024-01-01T00:00:00Z", "2025-02-03T23:59:59Z", None, 200),
        ("2024-01-01T00:00:00Z", "2025-02-04T00:00:00Z", None, 422),
        ("2024-01-01T00:00:00Z", "2025-02-03T23:59:59.999Z", None, 200),
        ("2024-01-01T00:00:00Z", "2025-02-04T00:00:00.000Z", None, 422),
        ("2024-01-01T00:00:00Z", "2025-02-04T00:59:59Z", "UTC", 200),
        ("2024-01-01T00:00:00Z", "2025-02-04T01:00:00Z", "UTC", 422),
        ("2024-10-26", "2025-11-29", "Europe/Berlin", 200),  # 400 days and an hour
        ("2024-10-26", "2025-11-30", "Europe/Berlin", 422),
        ("1970-01-01", "1970-01-01", "Asia/Tokyo", 422),
        ("1970-01-01", "1970-01-01", "Pacific/Niue", 200),
        ("9998-12-31", "9998-12-31", "Pacific/Niue", 422),
        ("9998-12-31", "9998-12-31", "Pacific/Kiritimati", 200),
        ("9999-01-01T13:59:59", "9999-01-01T13:59:59", "Pacific/Kiritimati", 200),
        ("9999-01-01T14:00:00", "9999-01-01T14:00:00", "Pacific/Kiritimati", 422),
        ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59Z", None, 200),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", None, 200),
    ],
)
def test_ranges(from_: str, to: str, zone: str | None, status: int) -> None:
    filters = {"date_from": from_, "date_to": to}
    for query_type in OVER_TIME:
        body: dict[str, Any] = {
            "query_type": query_type,
            "granularity": "hour",
            "filters": filters,
        }
        if zone:
            body["timezone"] = zone
        assert status_of(**body)[0] == status


@pytest.mark.slow
@pytest.mark.parametrize("granularity", ["day", "week", "month"])
def test_only_hours_limit_the_length_of_a_range(granularity: str) -> None:
    filters = {"date_from": "1970-01-01", "date_to": "9998-12-31"}
    for query_type in ROWS:
        body = {"query_type": query_type, "granularity": granularity, "filters": filters}
        assert status_of(**body)[0] == 200
    others = set(ROWS) - set(OVER_TIME)
    for query_type in others:
        body = {"query_type": query_type, "granularity": "hour", "filters": filters}
        assert status_of(**body)[0] == 200


def test_granularity_is_checked_for_every_type() -> None:
    for query_type in ROWS:
        for granularity in GRANULARITIES:
            body = {"query_type": query_type, "granularity": granularity}
            assert breeze(Oracle(), body)[0] == 200
        assert breeze(Oracle(), {"query_type": query_type, "granularity": "year"})[0] == 422
