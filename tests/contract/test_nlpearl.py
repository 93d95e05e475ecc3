"""NLPearl's published campaign analytics, as its clients see them (docs/contract.md#nlpearl)."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support import stack as stacks
from tests.support.builders import OMIT, call, campaign, deletion, label
from tests.support.http_answers import compact, forged, gateway_error
from tests.support.oracle import instant
from tests.support.request_bodies import NOT_JSON, loaded, padded
from tests.support.stack import nlpearl_route

KINDS = ["Inbound", "Outbound", "Pearl"]
LIMIT = 65_536
PERIOD = {"from": "2024-03-02T00:00:00Z", "to": "2024-03-05T23:59:59Z"}
DAYS = [f"2024-03-0{day}T00:00:00Z" for day in (2, 3, 4, 5)]
STATUSES = (
    "totalCalls totalLeads needRetry wrongCountryCode needFollowUp voiceMailLeft successful "
    "unsuccessful wrongNumber completed unreachable error"
).split()
SENTIMENTS = "negative slightlyNegative neutral slightlyPositive positive".split()
EVENTS = (
    "takeMessageCount smsSentCount callTransferredCount calendarBookedCount emailSentCount"
).split()


# ------------------------------------------------------------------ asking


def ask(organisation, kind, id, body=PERIOD, query="", headers=()):
    return organisation.send("POST", nlpearl_route(kind, id) + query, body, headers)


def report(organisation, kind, id, date_from=PERIOD["from"], date_to=PERIOD["to"]):
    answer = ask(organisation, kind, id, {"from": date_from, "to": date_to})
    assert answer.status == 200, answer.body
    return answer.json


def refused(answer, status):
    """An error in the dialect's shape."""
    assert answer.status == status, answer.body
    assert list(answer.json) == ["message"]
    assert isinstance(answer.json["message"], str)
    assert answer.json["message"]
    assert answer.header("Content-Type").startswith("application/json")
    return True


def statuses(**counts):
    assert set(counts) <= set(STATUSES)
    return {name: counts.get(name, 0) for name in STATUSES}


def line(name, *values):
    """A time line of one figure for the four days of PERIOD."""
    return [{"date": day, name: value} for day, value in zip(DAYS, values, strict=True)]


def cells(*cells):
    return [{"hourOfDay": hour, "dayOfWeek": day, "count": count} for day, hour, count in cells]


def with_pickup(body, rates):
    """Where the published answers for Outbound and Pearl have it: before the success rates."""
    sections = list(body.items())
    place = list(body).index("callsSuccessRateTimeLine")
    sections.insert(place, ("callsPickupRateTimeLine", line("pickupRatePercentage", *rates)))
    return dict(sections)


def text(body):
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


# ------------------------------------------------------------------ the data

# 2024-03-02 was a Saturday.
INBOUND = [
    call("i1", started_at="2024-03-02T23:59:59.999Z", disposition="successful", lead_id="L1",
         duration_seconds=10, cost=0.00005, sentiment=0.2, labels=["hot"],
         events={"sms_sent": 2}),
    call("i2", started_at="2024-03-03T00:00:00.000Z", disposition="successful", lead_id="L1",
         duration_seconds=21, cost=1.5, sentiment=0.6, labels=["hot", 7],
         events={"take_message": 1, "call_transferred": 1}),
    call("i3", started_at="2024-03-03T08:00:00Z", disposition="voicemail_left", lead_id="L2",
         labels=[7, "same-2", "gone"]),
    call("i4", started_at="2024-03-03T08:59:59.999Z", disposition="wrong_country_code",
         duration_seconds=20, sentiment=1, labels=["unregistered", "same-1", "gone"]),
    call("i5", started_at="2024-03-05T00:00:00Z", disposition="need_follow_up", lead_id=5,
         duration_seconds=0, cost=0.00004),
    call("i6", started_at="2024-03-05T10:00:00Z", disposition="unsuccessful", lead_id="5",
         status="failed", duration_seconds=1, cost=0.00004),
    call("i7", started_at="2024-03-05T10:01:00Z", disposition="wrong_number", duration_seconds=0),
    call("i8", started_at="2024-03-05T10:02:00Z", disposition="completed", sentiment=0.1999),
    call("i9", started_at="2024-03-05T10:03:00Z", disposition="unreachable", status="no_answer",
         sentiment=0.1994),
    call("i10", started_at="2024-03-05T10:04:00Z", disposition="error", status="failed"),
    call("i11", started_at="2024-03-05T10:59:59.999Z", status="busy"),
    call("i12", started_at="2024-03-05T10:05:00Z", disposition="need_retry", status="no_answer"),
    # Outside the range, by a millisecond.
    call("before", started_at="2024-03-01T23:59:59.999Z", lead_id="L9"),
    call("after", started_at="2024-03-06T00:00:00.000Z", lead_id="L9"),
]  # fmt: skip
LABELS = [
    label("hot", name="Hot", color="#ff0000"),
    label(7, name="Warm", color=OMIT),
    label("same-1", name="Same", color="red"),
    label("same-2", name="Same", color="blue"),
    label("gone", name="Gone", color="#000000"),
    deletion("label", "gone"),
    label("unused", name="Unused"),
]
INBOUND_BODY = {
    "callsStatusOverview": statuses(
        totalCalls=12, totalLeads=3, needRetry=1, wrongCountryCode=1, needFollowUp=1,
        voiceMailLeft=1, successful=2, unsuccessful=1, wrongNumber=1, completed=1, unreachable=1,
        error=1,
    ),
    # 0.1999 is stored as 0.2, which is the edge of the second band; 0.1994 as 0.199.
    "callsSentimentOverview": dict(zip(SENTIMENTS, [1, 2, 0, 1, 1], strict=True)),
    "callsStatusTimeLine": [
        {**statuses(totalCalls=1, totalLeads=1, successful=1), "date": DAYS[0]},
        {**statuses(totalCalls=3, totalLeads=2, successful=1, voiceMailLeft=1, wrongCountryCode=1),
         "date": DAYS[1]},
        {**statuses(), "date": DAYS[2]},
        {**statuses(totalCalls=8, totalLeads=1, needRetry=1, needFollowUp=1, unsuccessful=1,
                    wrongNumber=1, completed=1, unreachable=1, error=1),
         "date": DAYS[3]},
    ],
    # 10; (21 + 20) / 2; none; (0 + 1 + 0) / 3.
    "callsAverageTimeLine": line("averageCallDuration", 10.0, 20.5, 0.0, 0.33),
    # 0.00005 is rounded away from zero, 0.00004 + 0.00004 after it was added up; averages are
    # over all calls of the day.
    "callsCostTimeLine": [
        {"date": DAYS[0], "totalPrice": 0.0001, "averageCostPerCall": 0.0001},
        {"date": DAYS[1], "totalPrice": 1.5, "averageCostPerCall": 0.5},
        {"date": DAYS[2], "totalPrice": 0.0, "averageCostPerCall": 0.0},
        {"date": DAYS[3], "totalPrice": 0.0001, "averageCostPerCall": 0.0},
    ],
    "callsSuccessRateTimeLine": line("successRatePercentage", 100.0, 33.33, 0.0, 0.0),
    # By count, then name, then id; what is not registered is named by its id.
    "callLabelCount": [
        {"id": "hot", "name": "Hot", "color": "#ff0000", "count": 2},
        {"id": "7", "name": "Warm", "color": "#9e9e9e", "count": 2},
        {"id": "gone", "name": "gone", "color": "#9e9e9e", "count": 2},
        {"id": "same-1", "name": "Same", "color": "red", "count": 1},
        {"id": "same-2", "name": "Same", "color": "blue", "count": 1},
        {"id": "unregistered", "name": "unregistered", "color": "#9e9e9e", "count": 1},
    ],
    "callEventsCounts": dict(zip(EVENTS, [1, 2, 1, 0, 0], strict=True)),
    "callsByHourDayOfWeeks": cells((0, 0, 1), (0, 8, 2), (2, 0, 1), (2, 10, 7), (6, 23, 1)),
}  # fmt: skip
# Answered: i1; i2 and i4 of three, i3 being a voicemail; i8 of eight, i5 and i7 lasting 0 s.
INBOUND_PICKUP = [100.0, 66.67, 0.0, 12.5]

OUTBOUND = [
    call("o1", started_at="2024-03-02T00:00:00.000Z", disposition="successful", lead_id="L1",
         duration_seconds=30, cost=2, events={"calendar_booked": 3, "email_sent": 10**15}),
    call("o2", started_at="2024-03-02T12:00:00Z", status="no_answer", answered=True,
         lead_id="L3", sentiment=0.999),
    call("o3", started_at="2024-03-02T12:30:00Z", disposition="successful", answered=False),
    call("o4", started_at="2024-03-05T23:59:59.999Z", status="busy", cost=0.00049,
         sentiment=0.4),
]  # fmt: skip
OUTBOUND_BODY = with_pickup(
    {
        "callsStatusOverview": statuses(totalCalls=4, totalLeads=2, successful=2),
        "callsSentimentOverview": dict(zip(SENTIMENTS, [0, 0, 1, 0, 1], strict=True)),
        "callsStatusTimeLine": [
            {**statuses(totalCalls=3, totalLeads=2, successful=2), "date": DAYS[0]},
            {**statuses(), "date": DAYS[1]},
            {**statuses(), "date": DAYS[2]},
            {**statuses(totalCalls=1), "date": DAYS[3]},
        ],
        "callsAverageTimeLine": line("averageCallDuration", 30.0, 0.0, 0.0, 0.0),
        "callsCostTimeLine": [
            {"date": DAYS[0], "totalPrice": 2.0, "averageCostPerCall": 0.6667},
            {"date": DAYS[1], "totalPrice": 0.0, "averageCostPerCall": 0.0},
            {"date": DAYS[2], "totalPrice": 0.0, "averageCostPerCall": 0.0},
            {"date": DAYS[3], "totalPrice": 0.0005, "averageCostPerCall": 0.0005},
        ],
        "callsSuccessRateTimeLine": line("successRatePercentage", 66.67, 0.0, 0.0, 0.0),
        "callLabelCount": [],
        "callEventsCounts": dict(zip(EVENTS, [0, 0, 0, 3, 10**15], strict=True)),
        "callsByHourDayOfWeeks": cells((2, 23, 1), (6, 0, 1), (6, 12, 2)),
    },
    [66.67, 0.0, 0.0, 0.0],
)
EMPTY_BODY = {
    "callsStatusOverview": statuses(),
    "callsSentimentOverview": dict.fromkeys(SENTIMENTS, 0),
    "callsStatusTimeLine": [{**statuses(), "date": day} for day in DAYS],
    "callsAverageTimeLine": line("averageCallDuration", 0.0, 0.0, 0.0, 0.0),
    "callsCostTimeLine": [
        {"date": day, "totalPrice": 0.0, "averageCostPerCall": 0.0} for day in DAYS
    ],
    "callsSuccessRateTimeLine": line("successRatePercentage", 0.0, 0.0, 0.0, 0.0),
    "callLabelCount": [],
    "callEventsCounts": dict.fromkeys(EVENTS, 0),
    "callsByHourDayOfWeeks": [],
}
NO_PICKUP = [0.0, 0.0, 0.0, 0.0]

# Campaigns known by one call each; the call has the id as its lead.
STRANGE_IDS = [
    "a/b", "a b", "a+b", "a%2Fb", "100%", "é", "😀", "#", "?", "a&b=c", ".", "~", "\u200b",
    "x" * 128, "😀" * 128, "Inbound", 42, 10**127,
]  # fmt: skip


@pytest.fixture(scope="module")
def org(stack):
    """Campaigns of either direction, and of both."""

    def of(campaign_id, direction, calls):
        return [{**each, "campaign_id": campaign_id, "direction": direction} for each in calls]

    noon = {"started_at": "2024-03-03T12:00:00Z"}
    return loaded(
        stack,
        [
            *LABELS,
            *of("in", "inbound", INBOUND),
            *of("out", "outbound", OUTBOUND),
            *of("both", "inbound", [call("b1", **noon, lead_id="L1"), call("b2", **noon)]),
            *of("both", "outbound", [call("b3", **noon, lead_id="L1", status="failed")]),
            campaign("bare", direction="outbound", name=OMIT),
            campaign("bare-in", direction="inbound"),
            campaign("deleted", direction="inbound"),
            deletion("campaign", "deleted"),
            *of("emptied", "inbound", [call("b4", **noon)]),
            deletion("call", "b4"),
            call("b5", **noon, direction="inbound"),  # of no campaign
            *(
                call(f"s{n}", **noon, campaign_id=id, direction="inbound", lead_id=id)
                for n, id in enumerate(STRANGE_IDS)
            ),
        ],
    )


@pytest.fixture(scope="module")
def other(stack):
    """Another organisation with a campaign of the same name."""
    return loaded(
        stack,
        [
            call("i1", started_at="2024-03-03T12:00:00Z", campaign_id="in", direction="inbound"),
            call("x", started_at="2024-03-03T12:00:00Z", campaign_id="its", direction="outbound"),
        ],
    )


@pytest.fixture(scope="module")
def without_data(stack):
    """An organisation without data."""
    return stack.new_organisation()


# ------------------------------------------------------------------ the published answers


@pytest.mark.parametrize(
    ("kind", "id", "expected"),
    [
        ("Inbound", "in", INBOUND_BODY),
        ("Pearl", "in", with_pickup(INBOUND_BODY, INBOUND_PICKUP)),
        ("Outbound", "out", OUTBOUND_BODY),
        ("Pearl", "out", OUTBOUND_BODY),
        ("Outbound", "bare", with_pickup(EMPTY_BODY, NO_PICKUP)),
        ("Pearl", "bare", with_pickup(EMPTY_BODY, NO_PICKUP)),
        ("Inbound", "bare-in", EMPTY_BODY),
    ],
)
def test_the_published_answer_byte_for_byte(org, kind, id, expected):
    answer = ask(org, kind, id)
    assert answer.status == 200, answer.body
    found = json.loads(answer.body)
    for section in expected:  # one at a time, so that a difference says where it is
        assert text(found[section]) == text(expected[section]), section
    assert list(found) == list(expected)
    assert compact(answer.body) == text(expected)
    assert answer.header("Content-Type").startswith("application/json")


def test_a_pearl_is_both_directions(org):
    noon = "2024-03-03T12:00:00Z"
    for kind, calls, leads in (("Inbound", 2, 1), ("Outbound", 1, 1), ("Pearl", 3, 1)):
        found = report(org, kind, "both", noon, noon)
        assert found["callsStatusOverview"] == statuses(totalCalls=calls, totalLeads=leads)
        [entry] = found["callsStatusTimeLine"]
        assert entry == {**statuses(totalCalls=calls, totalLeads=leads), "date": DAYS[1]}
        assert found["callsByHourDayOfWeeks"] == cells((0, 12, calls))
    [entry] = report(org, "Pearl", "both", noon, noon)["callsPickupRateTimeLine"]
    assert entry == {"date": DAYS[1], "pickupRatePercentage": Decimal("66.67")}


def test_labels_are_ordered_by_count_name_and_id(stack):
    """Text by code point: U+E000 comes before an emoji, and 10 before 2."""
    names = {"x": "😀", "y": "\ue000", 10: "same", 2: "same", "é": "Z", "ü": ""}
    calls = [
        call("c1", labels=[*names, "often", "unregistered"]),
        call("c2", labels=["often", "often"]),
    ]
    org = loaded(
        stack,
        [
            *(label(id, name=name, color="red") for id, name in names.items()),
            *({**each, "campaign_id": 1, "direction": "inbound"} for each in calls),
        ],
    )
    found = report(org, "Inbound", 1)["callLabelCount"]
    assert [(label["id"], label["count"]) for label in found] == [
        ("often", 2), ("ü", 1), ("é", 1), ("10", 1), ("2", 1), ("unregistered", 1), ("y", 1),
        ("x", 1),
    ]  # fmt: skip


def test_leads_of_a_range_are_fewer_than_those_of_its_days(org):
    found = report(org, "Inbound", "in")
    assert found["callsStatusOverview"]["totalLeads"] == 3
    assert [day["totalLeads"] for day in found["callsStatusTimeLine"]] == [1, 2, 0, 1]


# Bounds: whole seconds, milliseconds, offsets, days touched.
BOUNDS = [
    ("2024-03-03T08:59:59Z", "2024-03-03T08:59:59Z", 1, ["2024-03-03"]),
    ("2024-03-03T08:59:59.999Z", "2024-03-03T08:59:59.999Z", 1, ["2024-03-03"]),
    ("2024-03-03T08:59:59.9999Z", "2024-03-03T08:59:59.9999Z", 1, ["2024-03-03"]),
    ("2024-03-03T08:59:59.998Z", "2024-03-03T08:59:59.998Z", 0, ["2024-03-03"]),
    ("2024-03-03T08:59:00Z", "2024-03-03T08:59:59.998Z", 0, ["2024-03-03"]),
    ("2024-03-03T08:00:00Z", "2024-03-03T08:59:58Z", 1, ["2024-03-03"]),
    ("2024-03-03T08:00:00Z", "2024-03-03T08:59:59Z", 2, ["2024-03-03"]),
    ("2024-03-02T23:59:59.999Z", "2024-03-03T00:00:00.000Z", 2, ["2024-03-02", "2024-03-03"]),
    ("2024-03-02T23:59:59Z", "2024-03-03T00:00:00Z", 2, ["2024-03-02", "2024-03-03"]),
    ("2024-03-03T00:00:00.001Z", "2024-03-04T00:00:00Z", 2, ["2024-03-03", "2024-03-04"]),
    ("2024-03-03T00:00:00Z", "2024-03-03T23:59:59.999Z", 3, ["2024-03-03"]),
    ("2024-03-03T05:30:00+05:30", "2024-03-03T14:29:59+05:30", 3, ["2024-03-03"]),
    ("2024-03-02T19:00:00-05:00", "2024-03-03T03:59:59-05:00", 3, ["2024-03-03"]),
    ("2024-03-03T00:00:00+05:30", "2024-03-03T00:00:00-05:30", 2, ["2024-03-02", "2024-03-03"]),
    ("2024-02-28T12:00:00Z", "2024-03-01T23:59:59Z", 1,
     ["2024-02-28", "2024-02-29", "2024-03-01"]),
    ("2024-03-01T23:59:59.999Z", "2024-03-06T00:00:00Z", 14,
     [f"2024-03-0{day}" for day in range(1, 7)]),
    ("2031-12-31T23:59:59Z", "2032-01-01T00:00:00Z", 0, ["2031-12-31", "2032-01-01"]),
    ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0, ["1970-01-01"]),
    ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59Z", 0, ["9998-12-31"]),
]  # fmt: skip
TIME_LINES = [
    "callsStatusTimeLine", "callsAverageTimeLine", "callsCostTimeLine", "callsSuccessRateTimeLine",
]  # fmt: skip


@pytest.mark.parametrize(("date_from", "date_to", "calls", "days"), BOUNDS)
def test_bounds(org, date_from, date_to, calls, days):
    found = report(org, "Inbound", "in", date_from, date_to)
    assert found["callsStatusOverview"]["totalCalls"] == calls
    for name in TIME_LINES:
        assert [entry["date"] for entry in found[name]] == [f"{day}T00:00:00Z" for day in days]
    assert sum(entry["totalCalls"] for entry in found["callsStatusTimeLine"]) == calls
    assert sum(cell["count"] for cell in found["callsByHourDayOfWeeks"]) == calls


# ------------------------------------------------------------------ the length of a range

# 91 days from 2024-01-01 end with 2024-03-31.
NINETY_ONE_DAYS = [
    ("2024-01-01T00:00:00Z", "2024-03-31T23:59:59Z", 91),
    ("2024-01-01T00:00:00Z", "2024-03-31T23:59:59.999Z", 91),
    ("2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z", None),
    ("2024-01-01T00:00:00.000Z", "2024-04-01T00:00:00.000Z", None),
    ("2024-01-01T00:00:00.001Z", "2024-04-01T00:00:00.000Z", 92),
    ("2024-01-01T00:00:01Z", "2024-04-01T00:00:00Z", 92),
    ("2024-01-01T12:00:00Z", "2024-04-01T11:59:59Z", 92),
    ("2024-01-01T12:00:00Z", "2024-04-01T12:00:00Z", None),
    ("2024-01-01T00:00:00+02:00", "2024-04-01T00:00:00+01:00", None),
    ("2024-01-01T00:00:00+01:00", "2024-04-01T00:00:00+02:00", 92),
    ("2024-01-01T00:00:00Z", "2024-04-01T00:00:01Z", None),
    ("1970-01-01T00:00:00Z", "2070-01-01T00:00:00Z", None),
    ("1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z", None),
]


@pytest.mark.parametrize(("date_from", "date_to", "days"), NINETY_ONE_DAYS)
def test_the_length_of_a_range(org, date_from, date_to, days):
    for kind, id in (("Outbound", "bare"), ("Inbound", "in")):
        answer = ask(org, kind, id, {"from": date_from, "to": date_to})
        if days is None:
            assert refused(answer, 400)
        else:
            assert answer.status == 200, answer.body
            assert len(answer.json["callsStatusTimeLine"]) == days


def test_from_after_to(org):
    for date_from, date_to in (
        ("2024-03-02T00:00:01Z", "2024-03-02T00:00:00Z"),
        ("2024-03-03T00:00:00Z", "2024-03-02T00:00:00Z"),
        ("2024-03-02T00:00:00.001Z", "2024-03-02T00:00:00.000Z"),
        ("2024-03-02T00:00:00Z", "2024-03-02T00:00:00+01:00"),
        ("2070-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ):
        assert refused(ask(org, "Inbound", "in", {"from": date_from, "to": date_to}), 400)


# ------------------------------------------------------------------ 404


@pytest.mark.parametrize(
    ("kind", "id"),
    [
        *((kind, id) for kind in KINDS for id in ("unknown", "IN", "deleted", "emptied", "its", "i")),
        ("Inbound", "out"),
        ("Outbound", "in"),
        ("Inbound", "bare"),
        ("Outbound", "bare-in"),
        *((kind, id) for kind in KINDS for id in ("\x00", "in\n", "\x7f", "\x85", "x" * 129)),
        *((kind, "x" * 5_000) for kind in KINDS),
    ],
)  # fmt: skip
def test_unknown_campaigns(org, other, kind, id):
    """404, before anything that is wrong with the body or the query."""
    for body in (PERIOD, {}, b"", b"{", {"from": "x", "to": "y"}, {**PERIOD, "x": 1}):
        assert refused(ask(org, kind, id, body), 404)
    assert refused(ask(org, kind, id, query="?x=1"), 404)


def test_a_foreign_campaign_is_an_unknown_one(org, other):
    assert ask(other, "Outbound", "its").status == 200
    foreign, unknown = ask(org, "Outbound", "its"), ask(org, "Outbound", "unknown")
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
    assert ask(other, "Inbound", "in").json["callsStatusOverview"]["totalCalls"] == 1
    assert refused(ask(other, "Inbound", "both"), 404)


@pytest.mark.parametrize("id", STRANGE_IDS, ids=lambda id: ascii(id)[:24])
def test_ids_in_a_path(org, id):
    for kind in ("Inbound", "Pearl"):
        if id == ".":
            continue  # clients remove this segment from a path
        found = report(org, kind, id)["callsStatusOverview"]
        assert found == statuses(totalCalls=1, totalLeads=1)
        assert refused(ask(org, "Outbound", id), 404)


def test_paths_that_are_no_id(org):
    for path in (
        "/v1/Inbound/%FF/Analytics",
        "/v1/Inbound/%C3%28/Analytics",
        "/v1/Inbound/%ED%A0%80/Analytics",
        "/v1/Inbound/%/Analytics",
        "/v1/Inbound/%zz/Analytics",
        "/v1/Inbound/%2/Analytics",
        "/v1/Inbound/in%00/Analytics",
        "/v1/Inbound//Analytics",
        "/v1/Inbound/../Analytics",
        "/v1/Inbound/%2e%2e/Analytics",
    ):
        answer = org.send("POST", path, PERIOD)
        assert answer.status in (400, 404), (path, answer.body)


def test_a_plus_sign_in_a_path_is_one(org):
    assert org.send("POST", "/v1/Inbound/a+b/Analytics", PERIOD).status == 200
    found = org.send("POST", "/v1/Inbound/a%2Bb/Analytics", PERIOD)
    assert found.json["callsStatusOverview"]["totalCalls"] == 1


# ------------------------------------------------------------------ 400

GOOD, LATER = PERIOD["from"], PERIOD["to"]
BAD_DATES = [
    None, True, 0, 1709337600, 1.5, [], [GOOD], {}, "", " ", "now", "2024", "2024-03",
    "2024-03-02", "2024-W09", "2024-W09-6", "2024-062", "2024-03-02T00:00:00",
    "2024-03-02T00:00:00.000", "2024-03-02T00:00", "2024-03-02T00:00Z", "2024-03-02T00Z",
    "2024-03-02Z", "2023-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z",
    "2024-00-01T00:00:00Z", "2024-03-00T00:00:00Z", "2024-03-32T00:00:00Z",
    "2024-03-02T24:00:00Z", "2024-03-02T00:60:00Z", "2024-03-02T00:00:60Z",
    "2016-12-31T23:59:60Z", "2024-03-02t00:00:00Z", "2024-03-02T00:00:00z",
    "2024-03-02 00:00:00Z", "2024-03-02T00:00:00.Z", "2024-03-02T00:00:00,5Z",
    "2024-03-02T00:00:00Zx", "2024-03-02T00:00:00ZZ", "2024-03-02T00:00:00Z\x00",
    "2024-03-02T00:00:00Z\n", " 2024-03-02T00:00:00Z", "2024-03-02T00:00:00+0100",
    "2024-03-02T00:00:00+01", "2024-03-02T00:00:00+24:00", "2024-03-02T00:00:00+01:60",
    "2024-03-02T00:00:00.000+00:00Z", "2024-03-02T00:00:00−01:00", "20240302T000000Z",
    "٢٠٢٤-03-02T00:00:00Z", "+2024-03-02T00:00:00Z", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:59:59+01:00",
    "9999-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9998-12-31T23:30:00-01:00",
    "10000-01-01T00:00:00Z", "x" * 10_000,
]  # fmt: skip


@pytest.mark.representatives(1)
@pytest.mark.parametrize("kind", KINDS)
def test_bad_dates(org, kind):
    id = "out" if kind == "Outbound" else "in"
    for value in BAD_DATES:
        for body in ({"from": value, "to": LATER}, {"from": GOOD, "to": value}):
            assert refused(ask(org, kind, id, body), 400), body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": GOOD},
        {"to": LATER},
        {**PERIOD, "x": 1},
        {**PERIOD, "": None},
        {**PERIOD, "From": GOOD},
        {"From": GOOD, "To": LATER},
        {"fromDate": GOOD, "toDate": LATER},
        {**PERIOD, "timezone": "UTC"},
        {**PERIOD, "skip": 0},
    ],
)
def test_fields(org, body):
    assert refused(ask(org, "Inbound", "in", body), 400)


@pytest.mark.parametrize("case", NOT_JSON)
def test_malformed_bodies(org, case):
    assert refused(ask(org, "Inbound", "in", NOT_JSON[case]), 400)


def test_malformed_bodies_with_the_right_fields(org):
    good, later = GOOD.encode(), LATER.encode()
    for body in (
        b'{"from":"%s","from":"%s","to":"%s"}' % (good, good, later),
        b'{"from":"%s","\\u0066rom":"%s","to":"%s"}' % (good, good, later),
        b'{"from":"%s","to":NaN}' % good,
        b'{"from":"%s","to":"%s"}}' % (good, later),
        b'{"from":"%s","to":"%s"' % (good, later),
        b'{"from":"%s\\ud800","to":"%s"}' % (good, later),
        b'{"from":"%s\xff","to":"%s"}' % (good, later),
        b'[{"from":"%s","to":"%s"}]' % (good, later),
    ):
        assert refused(ask(org, "Inbound", "in", body), 400)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("query", ["?x=1", "?from=2024-03-02T00:00:00Z", "?x", "?x="])
def test_query_parameters_are_refused(org, kind, query):
    assert refused(ask(org, kind, "out" if kind == "Outbound" else "in", query=query), 400)


# ------------------------------------------------------------------ the size of a body


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_of_a_body(org, kind):
    id = "out" if kind == "Outbound" else "in"
    answer = ask(org, kind, id, padded(PERIOD, LIMIT))
    assert answer.status == 200, answer.body
    for body in (padded(PERIOD, LIMIT + 1), b"x" * (LIMIT + 1), b" " * (LIMIT + 1)):
        assert gateway_error(ask(org, kind, id, body), 413, "Content Too Large")
    # Before the campaign is looked for, and before the query.
    answer = ask(org, kind, "unknown", padded(PERIOD, LIMIT + 1), "?x=1")
    assert gateway_error(answer, 413, "Content Too Large")


# ------------------------------------------------------------------ routes, tokens, headers


@pytest.mark.parametrize("kind", KINDS)
def test_with_and_without_the_trailing_slash(org, kind):
    path = nlpearl_route(kind, "both")
    answers = [org.send("POST", each, PERIOD) for each in (path, f"{path}/")]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("is_authorised", [True, False])
def test_a_wrong_method_is_not_found(org, kind, method, is_authorised):
    headers = [("X-HTTP-Method-Override", "POST")]
    if is_authorised:
        headers.append(("Authorization", f"Bearer {org.token}"))
    for path in (nlpearl_route(kind, "in"), nlpearl_route(kind, "in") + "/"):
        answer = stacks.request(org.stack.api, method, path, headers, text(PERIOD))
        assert gateway_error(answer, 404, "Not Found")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/Inbound/in", "/v1/Inbound/Analytics", "/v1/inbound/in/Analytics",
        "/v1/Inbound/in/analytics", "/v2/Inbound/in/Analytics", "/v2/Outbound/out/Analytics",
        "/v1/Pearl/in/Analytics", "/Inbound/in/Analytics", "/v1/Inbound/in/Analytics/more",
        "/v1/Inbound/a/b/Analytics", "/v1/Inbound/in%2FAnalytics", "/v1/Inbound/in/Analytics//",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_authorised", [True, False])
def test_an_unknown_route_is_not_found(org, path, is_authorised):
    headers = [("Authorization", f"Bearer {org.token}")] if is_authorised else []
    answer = stacks.request(org.stack.api, "POST", path, headers, text(PERIOD))
    assert gateway_error(answer, 404, "Not Found")


@pytest.mark.parametrize("kind", KINDS)
def test_tokens(org, kind):
    """401 comes before the size, the campaign, the body and the query."""
    for headers in (
        [],
        [("Authorization", f"Bearer {org.token}x")],
        [("Authorization", f"Bearer {forged(org.token)}")],
        [("Authorization", "Bearer AccountId:SecretKey")],
        [("Authorization", f"Bearer {org.token}"), ("Authorization", f"Bearer {org.token}")],
        [("Authorization", f"Bearer {org.token}"), ("AUTHORIZATION", "Bearer x")],
    ):
        for id, body in (("in", text(PERIOD)), ("unknown", b"{"), ("unknown", b"x" * (LIMIT + 1))):
            path = nlpearl_route(kind, id) + "?x=1"
            answer = stacks.request(org.stack.api, "POST", path, headers, body)
            assert gateway_error(answer, 401, "Unauthorized")


def test_scopes(org):
    token = org.new_token("ingest")["token"]
    for kind in KINDS:
        for id, body in (("in", text(PERIOD)), ("unknown", b"{"), ("unknown", b"x" * (LIMIT + 1))):
            answer = stacks.request(
                org.stack.api,
                "POST",
                nlpearl_route(kind, id) + "?x=1",
                [("Authorization", f"Bearer {token}")],
                body,
            )
            assert gateway_error(answer, 403, "Forbidden")


def test_headers_that_are_not_read(org):
    for headers in (
        [("Org-Handle", "unknown")],
        [("Org-Handle", "alice"), ("Org-Handle", "bob")],
        [("Content-Type", "text/plain")],
        [("X-HTTP-Method-Override", "GET")],
    ):
        answer = ask(org, "Inbound", "in", headers=headers)
        assert compact(answer.body) == text(INBOUND_BODY)


@pytest.mark.parametrize(
    ("kind", "id", "date_from", "date_to"),
    [
        ("Inbound", "in", "2024-03-02T00:00:00Z", "2024-03-05T23:59:59Z"),
        ("Inbound", "in", "2024-03-02T12:00:00Z", "2024-03-05T12:00:00Z"),
        ("Pearl", "both", "2024-03-03T12:00:00Z", "2024-03-03T12:00:00Z"),
        ("Outbound", "bare", "2024-03-02T00:00:00Z", "2024-03-05T23:59:59Z"),
        ("Inbound", "in", "2031-01-01T00:00:00Z", "2031-03-31T23:59:59Z"),
    ],
)
def test_headers_of_an_answer(org, kind, id, date_from, date_to):
    answer = ask(org, kind, id, {"from": date_from, "to": date_to})
    assert answer.status == 200, answer.body
    assert answer.header("Content-Type").startswith("application/json")
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Rollcall-Source") in ("rollups", "ledger", "mixed")
    assert 0 < int(answer.header("X-Rollcall-Items-Read")) <= 100
    assert 0 < float(answer.header("X-Rollcall-Read-Units")) <= 200
    as_of = answer.header("X-Rollcall-As-Of")  # also where the range holds nothing
    assert as_of.endswith("Z")
    age_ms = datetime.now(UTC).timestamp() * 1000 - instant(as_of, "as of")
    assert -5_000 < age_ms < 3_600_000


def test_an_organisation_without_data(without_data):
    for kind in KINDS:
        assert refused(ask(without_data, kind, "in"), 404)
