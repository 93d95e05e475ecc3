"""What the page requests, how often, and what it may not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.dashboard import Dashboard, address, eventually
from tests.support.dashboard_data import CALLS, FROM, TO
from tests.support.stack import Organisation

READS = (
    "/v1/query",
    "/v1/calls/",
    "/v1/values/",
    "/v1/audit",
    "/v1/schema",
    "/api/v2/platform/organizations/",
)


def bodies(dashboard: Dashboard) -> list[Any]:
    return [json.loads(response.request.post_data or "") for response in dashboard.queries]


def test_the_overview_of_3000_calls_takes_four_queries(
    dashboard: Dashboard, organisation: Organisation
) -> None:
    dashboard.open(address())
    dashboard.see_all()
    body = {"measures": ["calls"], "from": FROM, "to": TO, "timezone": "UTC"}
    assert organisation.send("POST", "/v1/query", body).json["totals"]["calls"] >= CALLS
    assert len(dashboard.queries) <= 4
    paths = {urlsplit(url).path for url in dashboard.addresses}
    others = {path for path in paths if not path.startswith(READS)}
    assert all(path == "/" or path.startswith("/assets/") for path in others)


def test_a_live_refresh_takes_one_query(dashboard: Dashboard) -> None:
    dashboard.open(address())
    dashboard.see_all()
    before = len(dashboard.queries)
    overview = next(body for body in bodies(dashboard) if "answer_rate" in body["measures"])
    dashboard.page.get_by_role("switch", name="Live").click()
    eventually(lambda: len(dashboard.heard().queries) >= before + 2, True)
    dashboard.page.get_by_role("switch", name="Live").click()
    later = bodies(dashboard)[before:]
    assert later == [overview] * len(later)


def test_a_request_elsewhere_would_be_reported(dashboard: Dashboard) -> None:
    """The check that every test ends with finds what it looks for."""
    dashboard.open(address())
    dashboard.page.evaluate("() => { new Image().src = 'http://127.0.0.1:9/elsewhere.png' }")
    eventually(lambda: any("policy: img-src" in error for error in dashboard.heard().errors), True)
    with pytest.raises(AssertionError):
        dashboard.check()
    # What was reported of this page came before what comes of the next one.
    dashboard.page.goto("about:blank")
    dashboard.heard().errors.clear()
    dashboard.addresses.clear()
