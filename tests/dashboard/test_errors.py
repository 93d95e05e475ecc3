"""Every state in which figures are missing: its message, its advice, and what stays on the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.support.dashboard import Dashboard, address, eventually

REQUEST_ID = "3f1c6c1e-1d5b-4b5e-9a53-0d6c1c1e8d55"
HEAT = "Calls by weekday and hour"
EARLIER = "from an earlier answer"


def fail_with(status: int, detail: str, when: Callable[[Route], bool]) -> Callable[[Route], None]:
    """Answers as the API's own errors are, for the requests that `when` chooses."""

    def handle(route: Route) -> None:
        if not when(route):
            route.fallback()
            return
        problem = {"type": "about:blank", "title": "Error", "status": status, "detail": detail}
        headers = {"x-amzn-RequestId": REQUEST_ID}
        route.fulfill(
            status=status,
            body=json.dumps(problem),
            headers=headers,
            content_type="application/problem+json",
        )

    return handle


def is_heat(route: Route) -> bool:
    return "day_of_week" in (route.request.post_data or "")


def is_leads(route: Route) -> bool:
    return '"dataset":"leads"' in (route.request.post_data or "")


def is_count(route: Route) -> bool:
    """Of the number of calls beside the list."""
    return json.loads(route.request.post_data or "")["measures"] == ["calls"]


def values(tiles: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {title: value for title, (value, _) in tiles.items()}


def changes(tiles: dict[str, tuple[str, str]]) -> set[str]:
    return {change for _, change in tiles.values()}


@pytest.mark.parametrize(
    ("status", "detail", "advice"),
    [
        (500, "Internal error.", None),
        (503, "Service unavailable. Send it again later.", None),
        (
            422,
            "The query reads more than 1,000,000 rows.",
            "Choose a shorter period, or add a filter.",
        ),
        (429, "Rate exceeded.", "Too many requests at once. Wait a moment, then try again."),
    ],
)
def test_one_card_fails_and_the_others_stay(
    dashboard: Dashboard, status: int, detail: str, advice: str | None
) -> None:
    page = dashboard.page
    page.route("**/v1/query", fail_with(status, detail, is_heat))
    dashboard.open(address())
    dashboard.see_all()
    error = page.get_by_role("alert")
    expect(error).to_have_count(1)
    expect(error).to_contain_text(f"{HEAT} could not be loaded")
    expect(error).to_contain_text(detail if status != 429 else "Wait a moment")
    expect(error).to_contain_text(f"Request {REQUEST_ID}")
    if advice is not None:
        expect(error).to_contain_text(advice)
    others = dashboard.figures()
    assert HEAT not in others
    assert {"Calls", "Calls by outcome", "Calls by campaign", "Calls by provider"} <= set(others)
    assert all(re.search(r"\d", value) for value, _ in dashboard.tiles().values())
    assert f"{status}" in dashboard.refusals[0]

    page.unroute("**/v1/query")
    error.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("figure", name=HEAT)).to_be_visible()
    expect(error).to_have_count(0)


def test_figures_stay_when_later_ones_fail(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    before = dashboard.tiles()
    page.route("**/v1/query", fail_with(500, "Internal error.", lambda _: True))
    page.get_by_role("combobox", name="Compare with").select_option("Previous year")
    expect(page.get_by_text("The figures are from the last answer.").first).to_be_visible()
    dashboard.settle()
    # Each tile says that its figure is not the one of the new comparison.
    assert dashboard.tiles() == {title: (value, EARLIER) for title, (value, _) in before.items()}
    page.unroute("**/v1/query")
    page.get_by_role("button", name="Try again").first.click()
    eventually(lambda: EARLIER in changes(dashboard.tiles()), False)
    assert values(dashboard.tiles()) == values(before)


def test_old_leads_are_marked_when_later_ones_fail(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    before = dashboard.tiles()["Leads"]
    page.route("**/v1/query", fail_with(500, "Internal error.", is_leads))
    page.get_by_role("combobox", name="Compare with").select_option("Previous year")
    eventually(lambda: dashboard.tiles()["Leads"], (before[0], EARLIER))
    dashboard.settle()
    others = {title: tile for title, tile in dashboard.tiles().items() if title != "Leads"}
    assert EARLIER not in changes(others)
    # Leads of another period have no place in the new one's chart.
    page.get_by_role("button", name="28 days").click()
    eventually(lambda: dashboard.tiles()["Leads"], ("–", "Leads could not be loaded"))


def test_the_number_of_calls_is_not_that_of_other_filters(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address(calls="open"))
    drawer = page.get_by_role("dialog")
    heading = drawer.get_by_role("heading", name="Calls")
    expect(heading).to_have_text(re.compile(r"^Calls [\d,]+$"))
    page.route("**/v1/query", fail_with(500, "Internal error.", is_count))
    drawer.locator(".calls-link").first.click()
    drawer.locator("dd").get_by_role("button", name=re.compile("^(Inbound|Outbound)$")).click()
    expect(drawer.locator(".calls-link").first).to_be_visible()
    eventually(lambda: heading.inner_text().strip(), "Calls")


def test_nothing_can_be_loaded(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/v1/query", fail_with(500, "Internal error.", lambda _: True))
    dashboard.open(address())
    dashboard.see_all()
    # The tiles, the main chart, four breakdowns, heat map, funnel and distribution.
    expect(page.get_by_role("alert")).to_have_count(9)
    expect(page.get_by_role("alert").first).to_contain_text(f"Request {REQUEST_ID}")


def test_a_token_without_read(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/v1/query", fail_with(403, "Forbidden.", lambda _: True))
    dashboard.go(address())
    dashboard.sign_in()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("This token does not have the permission read.")
    expect(notice).to_contain_text("ask your administrator")
    notice.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_offline(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    before = dashboard.tiles()
    page.context.set_offline(True)
    page.get_by_role("combobox", name="Compare with").select_option("No comparison")
    banner = page.get_by_text(
        "No connection. The figures below are the last ones that were loaded."
    )
    expect(banner).to_be_visible()
    eventually(dashboard.tiles, {title: (value, EARLIER) for title, (value, _) in before.items()})
    page.context.set_offline(False)
    expect(banner).to_have_count(0)
    dashboard.settle()
    assert changes(dashboard.tiles()) == {""}


def test_a_list_and_a_call_fail(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.route("**/v1/calls/search", fail_with(503, "Service unavailable.", lambda _: True))
    dashboard.open(address(calls="open"))
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("alert")).to_contain_text("Calls could not be loaded")
    expect(drawer.get_by_role("alert")).to_contain_text(f"Request {REQUEST_ID}")
    page.unroute("**/v1/calls/search")
    drawer.get_by_role("button", name="Try again").click()
    expect(drawer.locator(".calls-row").first).to_be_visible()

    page.route("**/v1/calls/call*", fail_with(500, "Internal error.", lambda _: True))
    drawer.locator(".calls-link").first.click()
    expect(drawer.get_by_role("alert")).to_contain_text("Call could not be loaded")
    expect(drawer.get_by_role("alert")).to_contain_text(f"Request {REQUEST_ID}")
    page.unroute("**/v1/calls/call*")
    drawer.get_by_role("button", name="Try again").click()
    expect(drawer.get_by_text("Counted.")).to_be_visible()


def test_a_call_that_was_deleted(dashboard: Dashboard) -> None:
    dashboard.open(address(call="call 3000"))
    drawer = dashboard.page.get_by_role("dialog")
    expect(drawer.get_by_text("There is no such call")).to_be_visible()
    expect(drawer.get_by_text("It was deleted")).to_be_visible()


def test_nothing_matches(dashboard: Dashboard) -> None:
    dashboard.open(address(filters=["outcome:eq:never"], calls="open"))
    page = dashboard.page
    expect(page.get_by_role("dialog").get_by_text("No call matches")).to_be_visible()
    page.keyboard.press("Escape")
    expect(
        page.get_by_text("No calls match. Choose another period, or clear the filters.").first
    ).to_be_visible()
    assert dashboard.tiles()["Calls"][0] == "0"
    dashboard.press("Clear filters")
    assert dashboard.tiles()["Calls"][0] != "0"


def test_the_fields_of_filters_cannot_be_loaded(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address(filters=["duration_seconds:gte:[60]"]))
    page.route("**/v1/schema", fail_with(503, "Service unavailable.", lambda _: True))
    page.get_by_role("button", name="Duration (seconds) is at least 60", exact=True).click()
    editor = page.get_by_role("dialog", name="Change filter")
    expect(editor.get_by_role("alert")).to_contain_text("The list of fields could not be loaded")
    expect(editor.get_by_role("alert")).to_contain_text(f"Request {REQUEST_ID}")
    # The filter stays what it is while its other conditions are not known.
    expect(editor.get_by_label("Condition").locator("option")).to_have_text(["is at least"])
    page.unroute("**/v1/schema")
    editor.get_by_role("button", name="Try again").click()
    expect(editor.get_by_role("alert")).to_have_count(0)
    expect(editor.get_by_label("Condition")).to_have_value("gte")
    editor.get_by_label("Field").select_option("Latency (milliseconds)")


def test_a_browser_that_refuses_to_copy(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.add_init_script(
        "navigator.clipboard.writeText = async () => { throw new DOMException('', 'NotAllowedError') }"
    )
    dashboard.open(address(calls="open"))
    page.locator(".calls-link").first.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("Raw JSON").click()
    drawer.get_by_role("button", name="Copy").click()
    expect(drawer.get_by_text("Not copied: select the text and copy it yourself.")).to_be_visible()
