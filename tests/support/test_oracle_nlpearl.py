"""The oracle's NLPearl answers against examples worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support import oracle
from tests.support.builders import call, campaign, deletion, label
from tests.support.oracle import Oracle
from tests.support.oracle_nlpearl import nlpearl

NOW = oracle.instant("2026-11-21T12:00:00Z", "now")
DAY = {"from": "2024-03-05T00:00:00Z", "to": "2024-03-05T23:59:59Z"}
TWELVE = (
    "totalCalls totalLeads needRetry wrongCountryCode needFollowUp voiceMailLeft successful "
    "unsuccessful wrongNumber completed unreachable error"
).split()


def model_of(*records: Any) -> Oracle:
    model = Oracle()
    for record in records:
        assert model.post([record], NOW)[0] == 200
    return model


def own(id: Any, **fields: Any) -> dict[str, Any]:
    """A call of the campaign that is asked for."""
    return call(id, **{"direction": "outbound", "campaign_id": "c", **fields})


def answer(*records: Any, body: Any = DAY, route: str = "outbound") -> Any:
    status, report = nlpearl(model_of(campaign("c"), *records), route, "c", body)
    assert status == 200
    return report


def test_an_empty_day() -> None:
    zeros = dict.fromkeys(TWELVE, 0)
    date = {"date": "2024-03-05T00:00:00Z"}
    assert answer() == {
        "callsStatusOverview": zeros,
        "callsSentimentOverview": {
            "negative": 0,
            "slightlyNegative": 0,
            "neutral": 0,
            "slightlyPositive": 0,
            "positive": 0,
        },
        "callsStatusTimeLine": [{**date, **zeros}],
        "callsAverageTimeLine": [{**date, "averageCallDuration": 0}],
        "callsCostTimeLine": [{**date, "totalPrice": 0, "averageCostPerCall": 0}],
        "callsSuccessRateTimeLine": [{**date, "successRatePercentage": 0}],
        "callLabelCount": [],
        "callEventsCounts": {
            "takeMessageCount": 0,
            "smsSentCount": 0,
            "callTransferredCount": 0,
            "calendarBookedCount": 0,
            "emailSentCount": 0,
        },
        "callsByHourDayOfWeeks": [],
        "callsPickupRateTimeLine": [{**date, "pickupRatePercentage": 0}],
    }


def test_figures_by_hand() -> None:
    report = answer(
        own(
            "1",
            disposition="successful",
            lead_id=5,
            duration_seconds=10,
            cost=Decimal("0.00005"),
            sentiment=1,
            labels=["l", "x"],
            events={"sms_sent": 2},
        ),
        own(
            "2",
            disposition="voicemail_left",
            lead_id="5",
            duration_seconds=5,
            sentiment=0,
            labels=["l"],
            events={"sms_sent": 1, "email_sent": 4},
        ),
        own("3", status="busy", lead_id="6", sentiment=Decimal("0.8"), labels=["y"]),
        own("not here", started_at="2024-03-06T00:00:00Z", lead_id=7),
        own("another campaign", campaign_id="d"),
        own("inbound", direction="inbound"),
        label("l", name="Zebra", color="red"),
        label("y", name="x"),
    )
    overview = {
        **dict.fromkeys(TWELVE, 0),
        "totalCalls": 3,
        "totalLeads": 2,
        "voiceMailLeft": 1,
        "successful": 1,
    }
    date = {"date": "2024-03-05T00:00:00Z"}
    assert report == {
        "callsStatusOverview": overview,
        "callsSentimentOverview": {
            "negative": 1,
            "slightlyNegative": 0,
            "neutral": 0,
            "slightlyPositive": 0,
            "positive": 2,
        },
        "callsStatusTimeLine": [{**date, **overview}],
        "callsAverageTimeLine": [{**date, "averageCallDuration": Decimal("7.5")}],
        "callsCostTimeLine": [
            # 0.00005 is 0.0001; a third of it, not of 0.0001, is 0.
            {**date, "totalPrice": Decimal("0.0001"), "averageCostPerCall": 0}
        ],
        "callsSuccessRateTimeLine": [{**date, "successRatePercentage": Decimal("33.33")}],
        "callLabelCount": [
            {"id": "l", "name": "Zebra", "color": "red", "count": 2},
            {"id": "x", "name": "x", "color": "#9e9e9e", "count": 1},
            {"id": "y", "name": "x", "color": "#ff0000", "count": 1},
        ],
        "callEventsCounts": {
            "takeMessageCount": 0,
            "smsSentCount": 3,
            "callTransferredCount": 0,
            "calendarBookedCount": 0,
            "emailSentCount": 4,
        },
        # 5 March 2024 was a Tuesday.
        "callsByHourDayOfWeeks": [{"hourOfDay": 12, "dayOfWeek": 2, "count": 3}],
        "callsPickupRateTimeLine": [{**date, "pickupRatePercentage": Decimal("33.33")}],
    }


def test_routes() -> None:
    records = [own("1"), own("2"), own("3", direction="inbound")]
    model = model_of(*records)
    totals = {}
    for route in ("inbound", "outbound", "pearl"):
        status, report = nlpearl(model, route, "c", DAY)
        assert status == 200
        totals[route] = report["callsStatusOverview"]["totalCalls"]
        assert ("callsPickupRateTimeLine" in report) == (route != "inbound")
    assert totals == {"inbound": 1, "outbound": 2, "pearl": 3}


@pytest.mark.parametrize(
    ("records", "known"),
    [
        ([], []),
        ([campaign("c")], ["outbound", "pearl"]),
        ([campaign("c", direction="inbound")], ["inbound", "pearl"]),
        ([campaign("c"), own("1", direction="inbound")], ["inbound", "outbound", "pearl"]),
        ([campaign("c"), deletion("campaign", "c")], []),
        ([own("1"), deletion("call", "1")], []),
        ([own("1", campaign_id="C")], []),
    ],
)
def test_unknown_campaigns_come_before_anything_else(records: list[Any], known: list[str]) -> None:
    model = model_of(*records)
    for route in ("inbound", "outbound", "pearl"):
        assert nlpearl(model, route, "c", DAY)[0] == (200 if route in known else 404)
        assert nlpearl(model, route, "c", None)[0] == (400 if route in known else 404)


@pytest.mark.parametrize(
    ("from_", "to", "calls"),
    [
        ("2024-03-05T12:00:00Z", "2024-03-05T12:00:00Z", 2),
        ("2024-03-05T12:00:00.000Z", "2024-03-05T12:00:00.000Z", 1),
        ("2024-03-05T12:00:00.001Z", "2024-03-05T12:00:00Z", 1),
        ("2024-03-05T12:00:00.9999Z", "2024-03-05T12:00:00Z", 1),
        ("2024-03-05T11:59:59Z", "2024-03-05T12:00:00.998Z", 1),
        ("2024-03-05T14:00:00+02:00", "2024-03-05T10:00:00.999-02:00", 2),
        ("2024-03-05T12:00:01Z", "2024-03-05T12:00:01Z", 1),
        ("2024-03-05T00:00:00Z", "2024-03-05T23:59:59Z", 3),
    ],
)
def test_bounds(from_: str, to: str, calls: int) -> None:
    records = [
        own("1", started_at="2024-03-05T12:00:00Z"),
        own("2", started_at="2024-03-05T12:00:00.999Z"),
        own("3", started_at="2024-03-05T12:00:01Z"),
        own("before", started_at="2024-03-04T23:59:59.999Z"),
        own("after", started_at="2024-03-06T00:00:00Z"),
    ]
    report = answer(*records, body={"from": from_, "to": to})
    assert report["callsStatusOverview"]["totalCalls"] == calls


def test_a_time_line_has_every_day_that_the_range_touches() -> None:
    report = answer(
        own("1", started_at="2024-02-28T23:59:59.999Z", lead_id=1),
        own("2", started_at="2024-03-01T00:00:00Z", lead_id=1),
        body={"from": "2024-02-28T23:59:59Z", "to": "2024-03-01T00:00:00Z"},
    )
    days = ["2024-02-28", "2024-02-29", "2024-03-01"]
    for name in report:
        if name.endswith("TimeLine"):
            assert [row["date"] for row in report[name]] == [f"{day}T00:00:00Z" for day in days]
    line = report["callsStatusTimeLine"]
    assert [row["totalLeads"] for row in line] == [1, 0, 1]
    assert report["callsStatusOverview"]["totalLeads"] == 1
    assert report["callsByHourDayOfWeeks"] == [
        {"hourOfDay": 23, "dayOfWeek": 3, "count": 1},
        {"hourOfDay": 0, "dayOfWeek": 5, "count": 1},
    ]


def test_sunday_is_0() -> None:
    report = answer(
        own("1", started_at="2024-03-03T05:00:00Z"),
        own("2", started_at="2024-03-02T05:00:00Z"),
        own("3", started_at="2024-03-03T04:59:59.999Z"),
        body={"from": "2024-03-02T00:00:00Z", "to": "2024-03-03T23:59:59Z"},
    )
    assert report["callsByHourDayOfWeeks"] == [
        {"hourOfDay": 4, "dayOfWeek": 0, "count": 1},
        {"hourOfDay": 5, "dayOfWeek": 0, "count": 1},
        {"hourOfDay": 5, "dayOfWeek": 6, "count": 1},
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"from": "2024-01-01T00:00:00Z", "to": "2024-03-31T23:59:59Z"}, 200),
        ({"from": "2024-01-01T00:00:00Z", "to": "2024-03-31T23:59:59.999Z"}, 200),
        ({"from": "2024-01-01T00:00:00Z", "to": "2024-04-01T00:00:00Z"}, 400),
        ({"from": "2024-01-01T00:00:00.001Z", "to": "2024-04-01T00:00:00Z"}, 200),
        ({"from": "2024-01-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}, 200),
        ({"from": "2024-01-01T00:00:00.999Z", "to": "2024-01-01T00:00:00Z"}, 200),
        ({"from": "2024-01-01T00:00:00.999Z", "to": "2024-01-01T00:00:00.998Z"}, 400),
        ({"from": "2024-01-01T00:00:01Z", "to": "2024-01-01T00:00:00Z"}, 400),
        ({"from": "2024-01-01T00:00:00", "to": "2024-01-02T00:00:00Z"}, 400),
        ({"from": "2024-01-01", "to": "2024-01-02"}, 400),
        ({"from": None, "to": "2024-01-02T00:00:00Z"}, 400),
        ({"from": "2024-01-01T00:00:00Z"}, 400),
        ({**DAY, "timezone": "UTC"}, 400),
        ({}, 400),
        ([], 400),
        (None, 400),
    ],
)
def test_statuses(body: dict[str, Any], status: int) -> None:
    assert nlpearl(model_of(campaign("c")), "outbound", "c", body)[0] == status
