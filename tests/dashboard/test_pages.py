"""The pages of one campaign and of one workspace, and the way to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.support.dashboard import Dashboard, address, eventually
from tests.support.dashboard_data import WORKSPACE
from tests.support.stack import Organisation

PAGES = pytest.mark.parametrize("page_of", [{"campaign": "42"}, {"workspace": WORKSPACE}])
READS_CAMPAIGNS = "**/v1/values/campaign_id**"
TWO_CAMPAIGNS = [
    {"value": "42", "name": "東京オフィス", "count": 2},
    {"value": "bare", "name": None, "count": 1},
]


def body_of(route: Route) -> dict[str, Any]:
    return dict(json.loads(route.request.post_data or "{}"))


def with_more_rows(dimension: str, measure: str) -> Callable[[Route], None]:
    """Answers of the API about one dimension, with thirty values more."""

    def handle(route: Route) -> None:
        if body_of(route).get("dimensions") != [dimension]:
            route.fallback()
            return
        response = route.fetch()
        answer = response.json()
        more = [
            {dimension: f"value {n:02}", measure: 1, "previous": {measure: 0}} for n in range(30)
        ]
        answer["rows"] = (answer["rows"] + more)[: body_of(route)["limit"]]
        answer["total_rows"] += len(more)
        route.fulfill(response=response, json=answer)

    return handle


def test_the_list_of_campaigns_in_every_state(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        waiting.append(route)

    page.route(READS_CAMPAIGNS, wait)
    page.get_by_role("button", name="Campaigns and workspaces").click()
    panel = page.get_by_role("dialog", name="Campaigns and workspaces")
    picker = panel.get_by_label("Campaign")
    expect(picker).to_be_disabled()
    expect(picker.locator("option")).to_have_text(["Loading"])
    # The records of the tests are older than that.
    expect(panel).to_contain_text("No workspace in the last 90 days")

    eventually(lambda: len(waiting) > 0, True)
    waiting[0].fulfill(status=503, body="{}")
    error = panel.get_by_role("alert")
    expect(error).to_contain_text("The list of campaigns could not be loaded")
    page.unroute(READS_CAMPAIGNS)
    page.route(READS_CAMPAIGNS, lambda route: route.fulfill(json={"values": TWO_CAMPAIGNS}))
    error.get_by_role("button", name="Try again").click()
    expect(picker.locator("option")).to_have_text(["All campaigns", "東京オフィス", "bare"])
    picker.select_option("東京オフィス")
    expect(page.get_by_role("heading", name="東京オフィス")).to_be_visible()


def test_a_long_list_of_a_campaign_shows_ten_or_all(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/v1/query", with_more_rows("label", "calls"))
    dashboard.open(address(campaign="42"))
    labels = page.get_by_role("figure", name="Calls by label")
    named = labels.locator(".bars-row:not(.bars-muted)")
    expect(named).to_have_count(10)
    labels.get_by_role("button", name=re.compile(r"^All \d+$")).click()
    table = page.get_by_role("region", name="Calls by label")
    eventually(lambda: table.locator("tbody tr").count() >= 30, True)
    assert "all=place" in page.url
    page.keyboard.press("Escape")
    expect(named).to_have_count(10)


def test_a_long_ranking_of_a_workspace_shows_ten_or_all(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/v1/query", with_more_rows("room_id", "events"))
    dashboard.open(address(workspace=WORKSPACE))
    table = page.get_by_role("table", name="Most joined rooms")
    expect(table.locator("tbody tr")).to_have_count(10)
    page.get_by_role("button", name="All 32").click()
    expect(table.locator("tbody tr")).to_have_count(32)
    assert "all=room_id" in page.url


@pytest.mark.parametrize("page_of", [{}, {"campaign": "42"}, {"workspace": WORKSPACE}])
def test_the_address_holds_which_figures_show_their_table(
    dashboard: Dashboard, page_of: dict[str, str]
) -> None:
    dashboard.open(address(**page_of))
    dashboard.see_all()
    dashboard.show_tables()
    before = dashboard.figures()
    assert before
    assert [title for title, shown in before.items() if not shown["table"]] == []
    dashboard.page.reload()
    dashboard.settle()
    dashboard.see_all()
    eventually(dashboard.figures, before)


def test_a_campaign_of_an_earlier_period_has_its_name(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address(campaign="42"))
    expect(page.get_by_role("heading", name="東京オフィス 42")).to_be_visible()
    dashboard.press("Show calls")
    expect(page.get_by_role("dialog")).to_contain_text("Campaign is 東京オフィス")


def test_a_filter_by_a_campaign_that_is_not_among_the_listed_has_its_name(
    dashboard: Dashboard,
) -> None:
    dashboard.page.route(READS_CAMPAIGNS, lambda route: route.fulfill(json={"values": []}))
    dashboard.open(address(filters=["campaign_id:eq:42"]))
    eventually(dashboard.chips, ["Campaign is 東京オフィス"])


def test_the_title_names_the_page_and_the_organisation(
    dashboard: Dashboard, organisation: Organisation
) -> None:
    page = dashboard.page
    of = f"{organisation.name} · Rollcall"
    dashboard.go(address())
    expect(page).to_have_title("Sign in · Rollcall")
    dashboard.open(address())
    expect(page).to_have_title(f"Overview · {of}")
    dashboard.press("Sources")
    expect(page).to_have_title(f"Sources · {of}")
    page.go_back()
    expect(page).to_have_title(f"Overview · {of}")
    dashboard.press("Sign out")
    expect(page).to_have_title("Sign in · Rollcall")
    dashboard.open(address(campaign="42"))
    expect(page).to_have_title(f"東京オフィス · {of}")


def test_the_title_without_the_organisation(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/organizations/", lambda route: route.fulfill(status=503, body="{}"))
    dashboard.open(address(workspace=WORKSPACE))
    expect(page).to_have_title("Atelier Zoë · Rollcall")


@PAGES
def test_a_page_states_how_far_its_figures_can_be_trusted(
    dashboard: Dashboard, page_of: dict[str, str]
) -> None:
    page = dashboard.page
    dashboard.open(address(**page_of))
    trust = page.get_by_role("region", name="Freshness and exactness of the figures")
    expect(trust.get_by_role("button", name="exact", exact=True)).to_be_visible()
    expect(trust.get_by_role("button", name="as of ")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the figures of a page come in several answers
    answers = dashboard.heard().queries
    read = sum(int(answer.headers["x-rollcall-items-read"]) for answer in answers)
    expect(trust.get_by_role("button", name=f"read {read:,} items")).to_be_visible()


@PAGES
def test_a_page_without_a_connection(dashboard: Dashboard, page_of: dict[str, str]) -> None:
    page = dashboard.page
    dashboard.open(address(**page_of))
    # The code of a page is loaded with it.
    expect(
        page.get_by_role("region", name="Freshness and exactness of the figures")
    ).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("combobox", name="Compare with").select_option("No comparison")
    banner = page.get_by_text(
        "No connection. The figures below are the last ones that were loaded."
    )
    expect(banner).to_be_visible()
    page.context.set_offline(False)
    expect(banner).to_have_count(0)


@PAGES
def test_a_page_that_the_token_may_not_read(dashboard: Dashboard, page_of: dict[str, str]) -> None:
    page = dashboard.page
    page.route("**/v1/query", lambda route: route.fulfill(status=403, body="{}"))
    dashboard.go(address(**page_of))
    dashboard.sign_in()
    expect(page.get_by_role("alert")).to_contain_text(
        "This token does not have the permission read."
    )


def test_the_rankings_of_a_workspace_follow_while_it_is_live(
    dashboard: Dashboard, organisation: Organisation
) -> None:
    page = dashboard.page
    page.clock.install()
    dashboard.open(address(workspace=WORKSPACE, live="on"))
    more = 0

    def counted(route: Route) -> None:
        if body_of(route).get("dimensions") not in (["room_id"], ["event_type"]):
            route.fallback()
            return
        response = route.fetch()
        answer = response.json()
        answer["totals"]["events"] += more
        answer["rows"][0]["events"] += more
        route.fulfill(response=response, json=answer)

    page.route("**/v1/query", counted)
    first = page.get_by_role("table", name="Most joined rooms").locator("tbody td").first
    before = int(first.inner_text())
    more = 5
    for _ in range(14):
        page.clock.run_for(5_000)
        dashboard.settle()
    expect(first).to_have_text(str(before + more))
