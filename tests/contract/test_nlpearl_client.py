"""NLPearl's own client (`nlpearl` on PyPI) against Rollcall; only its host function is replaced.

The client checks little and raises nothing for an error status: it returns the body that came back.
What it sends is written down in `test_what_the_client_sends`.
"""

import json
import re
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import nlpearl
import pytest

from tests.support.builders import call, campaign, label
from tests.support.http_answers import forged
from tests.support.request_bodies import loaded

COMPATIBILITY = Path(__file__).parents[2] / "docs" / "compatibility.md"
MODULES = (
    nlpearl.account, nlpearl.call, nlpearl.inbound, nlpearl.outbound, nlpearl.pearl,
    nlpearl.recording,
)  # fmt: skip
MARCH = ("2024-03-01T00:00:00.000Z", "2024-03-31T23:59:59.999Z")
# 2024-03-04 was a Monday.
CALLS = [
    call("c1", started_at="2024-03-04T09:00:00Z", disposition="successful", lead_id="lead-1",
         duration_seconds=60, cost=0.25, sentiment=0.9, labels=["hot"],
         events={"calendar_booked": 1}),
    call("c2", started_at="2024-03-04T09:30:00Z", disposition="unsuccessful", lead_id="lead-2",
         duration_seconds=30, cost=0.5, sentiment=0.1),
    call("c3", started_at="2024-03-05T23:59:59.999Z", disposition="voicemail_left",
         lead_id="lead-1", events={"sms_sent": 2}),
]  # fmt: skip
OVERVIEW = {
    "totalCalls": 3,
    "totalLeads": 2,
    "needRetry": 0,
    "wrongCountryCode": 0,
    "needFollowUp": 0,
    "voiceMailLeft": 1,
    "successful": 1,
    "unsuccessful": 1,
    "wrongNumber": 0,
    "completed": 0,
    "unreachable": 0,
    "error": 0,
}
SECTIONS = {
    "callsStatusOverview", "callsSentimentOverview", "callsStatusTimeLine",
    "callsAverageTimeLine", "callsCostTimeLine", "callsSuccessRateTimeLine", "callLabelCount",
    "callEventsCounts", "callsByHourDayOfWeeks",
}  # fmt: skip
WITH_PICKUP = {*SECTIONS, "callsPickupRateTimeLine"}


@pytest.fixture(scope="module")
def org(stack):
    """The same three calls in an inbound and in an outbound campaign."""
    return loaded(
        stack,
        [
            *({**each, "campaign_id": "in-1", "direction": "inbound"} for each in CALLS),
            *(
                {**each, "id": f"o{each['id']}", "campaign_id": "out-1", "direction": "outbound"}
                for each in CALLS
            ),
            label("hot", name="Hot lead", color="#ff0000"),
            campaign("quiet", direction="outbound"),
        ],
    )


def use(monkeypatch: pytest.MonkeyPatch, base: str, token: str, version: str) -> None:
    """Send the client to `base`. Its modules each hold the host function by name."""

    def local_url() -> str:
        return f"{base}/{nlpearl.api_version}"

    for module in MODULES:
        monkeypatch.setattr(module, "_get_api_url", local_url)
    monkeypatch.setattr(nlpearl, "api_key", token)
    monkeypatch.setattr(nlpearl, "api_version", version)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def v1(monkeypatch, org):
    use(monkeypatch, org.stack.api, org.token, "v1")


@pytest.fixture
def v2(monkeypatch, org):
    use(monkeypatch, org.stack.api, org.token, "v2")


def days(line: list[dict[str, Any]]) -> dict[str, Any]:
    """What a time line says of each day: the value, or the values where there are several."""
    found = {}
    for entry in line:
        values = [value for name, value in entry.items() if name != "date"]
        found[entry["date"]] = values[0] if len(values) == 1 else values
    return found


def month(**values: Any) -> dict[str, Any]:
    """March 2024: zero where no day is named (`d4=…`)."""
    zero = [0, 0] if any(isinstance(value, list) for value in values.values()) else 0
    return {f"2024-03-{day:02}T00:00:00Z": values.get(f"d{day}", zero) for day in range(1, 32)}


# ------------------------------------------------------------------ what it sends


class Recorder(BaseHTTPRequestHandler):
    """Remembers one request."""

    seen: ClassVar[list[tuple[str, str, dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.command, self.path, dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def recorder() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Recorder)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    Recorder.seen.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.mark.parametrize(
    ("version", "analytics", "path"),
    [
        ("v1", lambda *period: nlpearl.Inbound.get_analytics("a b", *period),
         "/v1/Inbound/a%20b/Analytics"),
        ("v1", lambda *period: nlpearl.Outbound.get_analytics("a b", *period),
         "/v1/Outbound/a%20b/Analytics"),
        ("v2", lambda *period: nlpearl.Pearl.get_analytics("a b", *period),
         "/v2/Pearl/a%20b/Analytics"),
    ],
)  # fmt: skip
def test_what_the_client_sends(monkeypatch, recorder, version, analytics, path):
    use(monkeypatch, recorder, "the-token", version)
    analytics(date(2024, 3, 1), date(2024, 3, 31))
    analytics(datetime(2024, 3, 1), datetime(2024, 3, 31, 23, 59, 59, 999_999))
    analytics("2024-03-01T00:00:00Z", "2024-03-31T23:59:59.9Z")
    sent = [
        ("2024-03-01T00:00:00.000Z", "2024-03-31T00:00:00.000Z"),
        ("2024-03-01T00:00:00.000Z", "2024-03-31T23:59:59.999Z"),
        ("2024-03-01T00:00:00Z", "2024-03-31T23:59:59.9Z"),
    ]
    assert len(Recorder.seen) == len(sent)
    for (method, target, headers, body), (start, end) in zip(Recorder.seen, sent, strict=True):
        assert (method, target) == ("POST", path)
        assert headers["Authorization"] == "Bearer the-token"
        assert headers["Content-Type"] == "application/json"
        assert list(json.loads(body).items()) == [("from", start), ("to", end)]


def test_the_host_function_is_all_that_is_replaced():
    """The client asks one function for its host, and v2 is what it asks for unless set."""
    assert nlpearl.api_version == "v2"
    assert nlpearl.pearl._get_api_url() == "https://api.nlpearl.ai/v2"
    for module in MODULES:
        assert module._get_api_url is nlpearl._helpers._get_api_url


def recipe(api: str, token: str) -> str:
    """The example of the documentation, with another address and token."""
    [example] = re.findall(
        r"^```python\n(.*?)^```", COMPATIBILITY.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert example.count("http://127.0.0.1:3000") == 1
    return example.replace("http://127.0.0.1:3000", api).replace("rc_…", token)


def test_the_example_of_the_documentation(v1, org):
    names: dict[str, Any] = {}
    exec(recipe(org.stack.api, org.token).replace("campaign-1", "out-1"), names)
    assert set(names["found"]) == WITH_PICKUP


def test_the_example_leaves_no_module_that_calls_the_vendor(v1, recorder):
    exec(recipe(recorder, "the-token"), {})
    clients = [module for module in vars(nlpearl).values() if hasattr(module, "_get_api_url")]
    clients.remove(nlpearl._helpers)
    assert len(clients) == 6
    assert {module._get_api_url() for module in clients} == {f"{recorder}/v1"}


@pytest.mark.parametrize("untried", ["1.0.5", "1.1.0", "2.2.1", "3.0.0"])
def test_the_example_sends_nothing_with_a_version_that_was_not_tried(
    monkeypatch, recorder, untried
):
    monkeypatch.setattr(nlpearl, "api_key", None)
    monkeypatch.setattr("importlib.metadata.version", lambda name: untried)
    with pytest.raises(RuntimeError, match=f"nlpearl {untried} was not tried"):
        exec(recipe(recorder, "the-token"), {})
    assert nlpearl.api_key is None
    assert Recorder.seen == []


# ------------------------------------------------------------------ analytics


def check(found, pickup):
    """Every section of the answer for the three calls over March."""
    assert found["callsStatusOverview"] == OVERVIEW
    assert found["callsSentimentOverview"] == {
        "negative": 1, "slightlyNegative": 0, "neutral": 0, "slightlyPositive": 0, "positive": 1,
    }  # fmt: skip
    assert [list(day) for day in found["callsStatusTimeLine"]] == [[*OVERVIEW, "date"]] * 31
    by_day = {
        day["date"]: {name: value for name, value in day.items() if value and name != "date"}
        for day in found["callsStatusTimeLine"]
    }
    assert {day: counts for day, counts in by_day.items() if counts} == {
        "2024-03-04T00:00:00Z": {
            "totalCalls": 2, "totalLeads": 2, "successful": 1, "unsuccessful": 1,
        },
        "2024-03-05T00:00:00Z": {"totalCalls": 1, "totalLeads": 1, "voiceMailLeft": 1},
    }  # fmt: skip
    assert days(found["callsAverageTimeLine"]) == month(d4=45)
    assert days(found["callsCostTimeLine"]) == month(d4=[0.75, 0.375])
    assert days(found["callsSuccessRateTimeLine"]) == month(d4=50)
    if pickup:
        assert days(found["callsPickupRateTimeLine"]) == month(d4=100)
    assert found["callLabelCount"] == [
        {"id": "hot", "name": "Hot lead", "color": "#ff0000", "count": 1}
    ]
    assert found["callEventsCounts"] == {
        "takeMessageCount": 0, "smsSentCount": 2, "callTransferredCount": 0,
        "calendarBookedCount": 1, "emailSentCount": 0,
    }  # fmt: skip
    assert found["callsByHourDayOfWeeks"] == [
        {"hourOfDay": 9, "dayOfWeek": 1, "count": 2},
        {"hourOfDay": 23, "dayOfWeek": 2, "count": 1},
    ]


def test_inbound(v1):
    found = nlpearl.Inbound.get_analytics("in-1", *MARCH)
    assert set(found) == SECTIONS
    check(found, pickup=False)


def test_outbound(v1):
    found = nlpearl.Outbound.get_analytics("out-1", *MARCH)
    assert set(found) == WITH_PICKUP
    check(found, pickup=True)


@pytest.mark.parametrize("id", ["in-1", "out-1"])
def test_pearl(v2, id):
    found = nlpearl.Pearl.get_analytics(id, *MARCH)
    assert set(found) == WITH_PICKUP
    check(found, pickup=True)


@pytest.mark.parametrize("make", [datetime, date])
def test_dates_as_python_has_them(v1, make):
    """A date is its midnight, so the last day counts for one millisecond."""
    found = nlpearl.Inbound.get_analytics("in-1", make(2024, 3, 4), make(2024, 3, 5))
    assert found["callsStatusOverview"]["totalCalls"] == 2
    assert list(days(found["callsAverageTimeLine"])) == [
        "2024-03-04T00:00:00Z", "2024-03-05T00:00:00Z",
    ]  # fmt: skip
    found = nlpearl.Inbound.get_analytics("in-1", make(2024, 3, 4), make(2024, 3, 6))
    assert found["callsStatusOverview"]["totalCalls"] == 3


def test_a_campaign_without_calls(v1):
    found = nlpearl.Outbound.get_analytics("quiet", *MARCH)
    assert set(found) == WITH_PICKUP
    assert set(found["callsStatusOverview"].values()) == {0}
    assert found["callLabelCount"] == found["callsByHourDayOfWeeks"] == []


def test_the_longest_range_that_the_client_lets_through(v1):
    """Its limit and Rollcall's are the same: less than 91 days of 24 hours."""
    found = nlpearl.Outbound.get_analytics(
        "quiet", "2024-01-01T00:00:00.000Z", "2024-03-31T23:59:59.999Z"
    )
    assert len(found["callsStatusTimeLine"]) == 91
    start = datetime(2024, 1, 1, 12)
    end = start + timedelta(days=91) - timedelta(milliseconds=1)
    found = nlpearl.Outbound.get_analytics("quiet", start, end)
    assert len(found["callsStatusTimeLine"]) == 92
    with pytest.raises(ValueError, match="90 days"):
        nlpearl.Outbound.get_analytics("quiet", start, start + timedelta(days=91))


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize("make", [lambda token: "x", lambda token: "id:secret", forged])
def test_a_bad_token(monkeypatch, v1, org, make):
    monkeypatch.setattr(nlpearl, "api_key", make(org.token))
    for found in (
        nlpearl.Inbound.get_analytics("in-1", *MARCH),
        nlpearl.Outbound.get_analytics("out-1", *MARCH),
    ):
        assert list(found) == ["status_code", "message", "error", "detail"]
        assert (found["status_code"], found["error"]) == (401, "Unauthorized")


def test_a_token_that_may_not_read(monkeypatch, v2, org):
    monkeypatch.setattr(nlpearl, "api_key", org.new_token("ingest")["token"])
    found = nlpearl.Pearl.get_analytics("in-1", *MARCH)
    assert (found["status_code"], found["error"]) == (403, "Forbidden")


def is_error(found):
    return list(found) == ["message"] and isinstance(found["message"], str) and found["message"]


def test_unknown_campaigns(v1):
    assert is_error(nlpearl.Inbound.get_analytics("unknown", *MARCH))
    assert is_error(nlpearl.Inbound.get_analytics("out-1", *MARCH))
    assert is_error(nlpearl.Outbound.get_analytics("in-1", *MARCH))


def test_an_unknown_pearl(v2):
    assert is_error(nlpearl.Pearl.get_analytics("unknown", *MARCH))


def test_an_id_that_makes_another_path(v1):
    """The client puts the id into the path as it is."""
    found = nlpearl.Inbound.get_analytics("in-1/more", *MARCH)
    assert (found["status_code"], found["error"]) == (404, "Not Found")


def test_refused_periods(v1):
    """What the client does not refuse: the end before the start, dates that are none, an offset and Z."""
    aware = timezone(timedelta(hours=1))
    for period in (
        ("2024-03-02T00:00:00Z", "2024-03-01T00:00:00Z"),
        (datetime(2024, 3, 2), datetime(2024, 3, 1)),
        (date(2024, 3, 2), date(2024, 3, 1)),
        ("9999-01-01T00:00:00Z", "9999-01-01T00:00:00Z"),
        (datetime(1969, 12, 31), datetime(1969, 12, 31)),
        (datetime(2024, 3, 1, tzinfo=aware), datetime(2024, 3, 2, tzinfo=aware)),
    ):
        assert is_error(nlpearl.Inbound.get_analytics("in-1", *period)), period


def test_what_the_client_refuses_itself(v1):
    for period in (
        ("2024-03-01T00:00:00+01:00", "2024-03-02T00:00:00+01:00"),
        ("2024-03-01", "2024-03-02"),
        ("2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z"),
    ):
        with pytest.raises(ValueError, match=r"ISO format|90 days"):
            nlpearl.Inbound.get_analytics("in-1", *period)
    with pytest.raises(ValueError, match="only available in API v2"):
        nlpearl.Pearl.get_analytics("in-1", *MARCH)
