"""axe in light, dark, on a phone and at 200 %; the keyboard."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.dashboard import PHONE, Dashboard, address
from tests.support.dashboard_data import WORKSPACE
from tests.support.hooking import hooked, retell_body
from tests.support.stack import ROOT, Stack

NewDashboard = Callable[..., Dashboard]

AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True},
    "200 %": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
}


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe. Skips without the dashboard's packages, which CI installs before the tests."""
    if AXE.exists():
        return AXE.read_text("utf-8")
    if os.environ.get("ROLLCALL_REQUIRE_CHROMIUM") == "1":
        pytest.fail("axe is required: make dashboard-test installs it")
    pytest.skip("needs dashboard/node_modules: make dashboard-test installs them")


def violations(page: Page) -> list[str]:
    found = page.evaluate(
        "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
    )
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def is_too_wide(page: Page) -> bool:
    width: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return width


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_no_violation_and_no_sideways_scroll(
    new_dashboard: NewDashboard, axe: str, mode: str
) -> None:
    # axe itself needs what the policy forbids.
    dashboard = new_dashboard(bypass_csp=True, reduced_motion="reduce", **MODES[mode])
    page = dashboard.page

    def check(state: str) -> None:
        page.evaluate(axe)
        assert (state, violations(page)) == (state, [])
        assert not is_too_wide(page), state

    dashboard.go("/")
    expect(page.get_by_label("Token")).to_be_visible()
    check("sign-in")
    filters = ["provider:eq:twilio", "campaign_id:eq:long"]
    dashboard.open(address(filters=filters))
    dashboard.see_all()
    check("overview")
    dashboard.show_tables()
    check("tables")
    page.get_by_role("button", name="Add filter").click()
    expect(page.get_by_role("dialog").locator(".values-row").first).to_be_visible()
    check("filter")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    check("help")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show calls").click()
    expect(page.locator(".calls-row").first).to_be_visible()
    dashboard.settle()
    check("list")
    page.locator(".calls-link").first.click()
    expect(page.get_by_text("Counted.")).to_be_visible()
    check("call")


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_no_violation_on_other_pages_and_in_other_states(
    new_dashboard: NewDashboard, stack: Stack, axe: str, mode: str
) -> None:
    options = {"bypass_csp": True, "reduced_motion": "reduce", **MODES[mode]}

    def check(state: str, dashboard: Dashboard) -> None:
        dashboard.see_all()
        dashboard.page.evaluate(axe)
        assert (state, violations(dashboard.page)) == (state, [])
        assert not is_too_wide(dashboard.page), state

    for place, name in {"campaign": "42", "workspace": WORKSPACE}.items():
        dashboard = new_dashboard(**options)
        dashboard.open(address(**{place: name}))
        expect(dashboard.page.locator(".sheet-title")).to_be_visible()
        check(place, dashboard)

    dashboard = new_dashboard(**options)
    dashboard.page.route("**/v1/query", lambda route: route.fulfill(status=503, body="{}"))
    dashboard.open(address())
    expect(dashboard.page.get_by_role("alert").first).to_be_visible()
    check("error", dashboard)

    fresh = stack.new_organisation()
    dashboard = new_dashboard(fresh, **options)
    dashboard.open(address())
    expect(dashboard.page.get_by_role("heading", name="No calls yet")).to_be_visible()
    check("empty", dashboard)
    dashboard.press("Sources")
    expect(dashboard.page.get_by_role("heading", name="No hooks yet")).to_be_visible()
    check("no hooks", dashboard)

    hook = hooked(fresh, "retell")
    hook.send(b"{}", headers=[])
    hook.send(retell_body("call", start_timestamp="never"))
    hooked(fresh, "twilio")
    dashboard = new_dashboard(fresh, **options)
    dashboard.open(address(page="sources"))
    expect(dashboard.page.get_by_text("rollcall redrive list")).to_be_visible()
    check("sources", dashboard)

    dashboard = new_dashboard(fresh, **options)
    dashboard.go(address(page="sources"))
    dashboard.sign_in(fresh.new_token("read")["token"])
    expect(dashboard.page.get_by_text("This page needs a token")).to_be_visible()
    check("sources without admin", dashboard)


def test_keys_do_what_the_help_says(dashboard: Dashboard) -> None:
    page = dashboard.page
    filters = ["provider:eq:twilio"]
    dashboard.open(address(filters=filters))

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Help")
    described = dialog.locator("dl > div")
    expect(described.first).to_be_visible()
    assert [key.split() for key in described.all_inner_texts()] == [
        ["D", "Today"],
        ["W", "Last", "7", "days"],
        ["M", "Last", "28", "days"],
        ["F", "Add", "a", "filter"],
        ["C", "Next", "kind", "of", "comparison"],
        ["X", "Clear", "all", "filters"],
        ["/", "Search", "values", "to", "filter", "by"],
        ["?", "This", "help"],
        ["Esc", "Close", "what", "is", "open"],
    ]
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    for key, name in {"d": "Today", "w": "7 days", "m": "28 days"}.items():
        page.keyboard.press(key)
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )

    page.keyboard.press("f")
    editor = page.get_by_role("dialog", name="Add filter")
    expect(editor.get_by_label("Field")).to_be_focused()
    page.keyboard.press("Escape")
    expect(editor).to_have_count(0)
    page.keyboard.press("/")
    search = editor.get_by_role("searchbox")
    expect(search).to_be_focused()
    # In a field the keys are letters.
    page.keyboard.type("dwmfcx/?")
    expect(search).to_have_value("dwmfcx/?")
    page.keyboard.press("Escape")
    expect(editor).to_have_count(0)
    expect(page.get_by_role("button", name="Add filter")).to_be_focused()

    for kind in ("previous_weekdays", "previous_year", "off", "previous_period"):
        page.keyboard.press("c")
        expect(page.get_by_role("combobox", name="Compare with")).to_have_value(kind)
    assert dashboard.chips() == ["Provider is twilio"]
    page.keyboard.press("x")
    expect(page.locator(".chip")).to_have_count(0)


REACHABLE = """() => {
  const isShown = (one) => one.checkVisibility() && !one.disabled && one.closest("[inert]") === null;
  const all = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")].filter(isShown);
  all.forEach((one, index) => { one.dataset.testPlace = index; });
  return {
    stops: all.filter((one) => one.tabIndex >= 0).map((one) => one.dataset.testPlace),
    // One of each group is a stop; arrows lead to the others.
    misplaced: all.filter((one) => one.tabIndex < 0 && !one.matches("main, h2")
      && !one.closest("[role=tablist], .chart-plot, .heat-cells, .bars-rows, .marks-rows, .funnel")
        ?.querySelector("[tabindex='0']")).map((one) => one.outerHTML.slice(0, 120)),
  };
}"""


@pytest.mark.parametrize(
    ("path", "least"),
    [(address(filters=["provider:eq:twilio"]), 60), (address(page="sources"), 14)],
)
def test_everything_is_reached_by_tab(new_dashboard: NewDashboard, path: str, least: int) -> None:
    dashboard = new_dashboard()
    page = dashboard.page
    dashboard.open(path)
    dashboard.see_all()
    page.evaluate("scrollTo(0, 0)")
    found = page.evaluate(REACHABLE)
    assert found["misplaced"] == []
    assert len(found["stops"]) > least
    visited = []
    page.keyboard.press("Tab")
    while (place := page.evaluate("document.activeElement.dataset.testPlace ?? null")) is not None:
        if place in visited:
            break
        visited.append(place)
        page.keyboard.press("Tab")
    assert sorted(visited, key=int) == sorted(found["stops"], key=int)


def test_arrows_lead_through_a_chart_and_enter_picks(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    bars = page.get_by_role("figure", name="Calls by provider").locator(".bars-row")
    bars.first.focus()
    page.keyboard.press("ArrowDown")
    expect(bars.nth(1)).to_be_focused()
    name = bars.nth(1).locator(".bars-name").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".chip-text")).to_have_text(f"Provider is {name}")
    page.get_by_role("tab", name="Outcome").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Status")).to_be_focused()
    expect(page.get_by_role("figure", name="Calls by status")).to_be_visible()
