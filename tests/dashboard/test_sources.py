"""The page of the hooks: the API's numbers, the commands, and every state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.dashboard import Dashboard, address, eventually
from tests.support.dashboard_text import grouped, plain
from tests.support.hooking import Hooked, hooked, retell_body
from tests.support.stack import Organisation, Stack

NewDashboard = Callable[..., Dashboard]
SOURCES = {"page": "sources"}
READS_HOOKS = "**/v1/hooks"
COUNTS = ("Recorded", "Ignored", "Refused", "Failed")


@pytest.fixture(scope="module")
def used(stack: Stack) -> Organisation:
    """An organisation with two hooks: one with a delivery of every kind, one without any."""
    organisation = stack.new_organisation()
    hook = hooked(organisation, "retell")
    deliver(hook)
    hooked(organisation, "twilio")
    return organisation


def deliver(hook: Hooked) -> None:
    """Three recorded deliveries, two ignored, one refused and one that fails."""
    for number in range(3):
        assert hook.send(retell_body(f"call-{number}")).json == {"recorded": True}
    for _ in range(2):
        assert (
            "ignored" in hook.send(json.dumps({"event": "chat_started", "chat": {}}).encode()).json
        )
    assert (
        hook.send(retell_body("call-9"), headers=[("X-Retell-Signature", "v=1,d=00")]).status == 401
    )
    assert hook.send(retell_body("call-8", start_timestamp="never")).status == 200


@pytest.fixture
def sources(new_dashboard: NewDashboard, used: Organisation) -> Dashboard:
    dashboard = new_dashboard(used, permissions=["clipboard-read", "clipboard-write"])
    dashboard.open(address(**SOURCES))
    return dashboard


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, level=3))


def facts(hook: Locator) -> dict[str, str]:
    """What a hook's card says, by its names."""
    expect(hook).to_be_visible()
    rows = hook.locator(".hook-fact").evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').textContent])"
    )
    return {name: plain(text) for name, text in rows}


def answered(hooks: list[dict[str, Any]]) -> Callable[[Route], None]:
    return lambda route: route.fulfill(json={"hooks": hooks})


def test_every_number_is_that_of_the_api(sources: Dashboard, used: Organisation) -> None:
    found = used.send("GET", "/v1/hooks").json["hooks"]
    assert [hook["provider"] for hook in found] == ["retell", "twilio"]
    assert [found[0][name.lower()] for name in COUNTS] == [3, 2, 1, 1]
    cards = sources.page.get_by_role("list", name="Hooks").get_by_role("listitem")
    expect(cards).to_have_count(2)
    for place, hook in enumerate(found):
        shown = facts(cards.nth(place))
        for name in COUNTS:
            assert shown[name] == grouped(hook[name.lower()], 0)
        expect(cards.nth(place)).to_contain_text(hook["hook"])
        assert when(hook["created_at"], "UTC") in shown["Created"]
        last = hook["last_delivery_at"]
        assert (
            shown["Last delivery"] == "None yet"
            if last is None
            else when(last, "UTC") in shown["Last delivery"]
        )


def when(instant: str, zone: str) -> str:
    """The minute as an American reads it."""
    moment = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    return f"{moment:%b} {moment.day}, {moment.year}, {moment:%I:%M %p}"


def test_times_are_relative_and_in_the_zone_of_the_view(
    new_dashboard: NewDashboard, used: Organisation
) -> None:
    dashboard = new_dashboard(used)
    page = dashboard.page
    last = (datetime.now(UTC) - timedelta(hours=3, minutes=1)).isoformat().replace("+00:00", "Z")
    [hook, _] = used.send("GET", "/v1/hooks").json["hooks"]
    page.route(READS_HOOKS, answered([hook | {"last_delivery_at": last, "recorded": 1_234_567}]))
    dashboard.open(address(**SOURCES, zone="Asia/Kolkata"))
    shown = facts(card(page, "Retell"))
    assert shown["Last delivery"] == f"3h ago {when(last, 'Asia/Kolkata')}"
    assert shown["Recorded"] == "1,234,567"
    page.get_by_role("combobox", name="Time zone").select_option("UTC")
    eventually(lambda: facts(card(page, "Retell"))["Last delivery"], f"3h ago {when(last, 'UTC')}")


def test_a_count_that_needs_action_says_which(sources: Dashboard, used: Organisation) -> None:
    key = used.send("GET", "/v1/hooks").json["hooks"][0]["hook"]
    hook = card(sources.page, "Retell")
    expect(hook).to_contain_text("1 request was not signed with this hook’s secret")
    expect(hook).to_contain_text(f"rollcall hook rotate {key} --secret-file secret")
    expect(hook).to_contain_text("1 delivery could not be recorded")
    expect(hook).to_contain_text("rollcall redrive list")
    expect(hook).not_to_contain_text("rollcall hook test")
    unused = card(sources.page, "Twilio")
    expect(unused).to_contain_text("rollcall hook test HOOK_ID --token-file token")
    expect(unused).not_to_contain_text("rollcall redrive")
    expect(unused).not_to_contain_text("rollcall hook rotate")


def test_each_command_creates_a_hook_of_this_organisation(
    sources: Dashboard, used: Organisation
) -> None:
    page = sources.page
    ways = page.get_by_role("region", name="Connect a provider").get_by_role("listitem")
    expect(ways).to_have_count(7)
    command = f"rollcall hook create {used.handle} --provider vapi --secret-file secret --api {sources.base}"
    expect(ways.first.locator("code")).to_have_text(command)
    ways.first.get_by_role("button", name="Copy").click()
    expect(ways.first.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == command
    expect(ways.nth(6)).to_contain_text("Any other platform")
    expect(ways.nth(6)).to_contain_text("--provider generic --map map.toml")


def test_the_address_holds_the_page(new_dashboard: NewDashboard, used: Organisation) -> None:
    dashboard = new_dashboard(used)
    page = dashboard.page
    dashboard.open(address())
    dashboard.press("Sources")
    expect(page.get_by_role("heading", name="Sources", level=2)).to_be_visible()
    expect(page.get_by_role("button", name="Sources")).to_have_attribute("aria-current", "page")
    assert re.search(r"[?&]page=sources(&|$)", page.url)
    page.reload()
    expect(page.get_by_role("heading", name="Sources", level=2)).to_be_visible()
    # A hook has no period, and its keys must not change what is not to be seen.
    expect(page.get_by_role("region", name="Period, comparison and filters")).to_have_count(0)
    before = page.url
    page.keyboard.press("d")
    assert page.url == before
    page.go_back()
    expect(page.get_by_role("region", name="Period, comparison and filters")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", name="Sources", level=2)).to_be_visible()


def test_no_hooks_yet(new_dashboard: NewDashboard, stack: Stack) -> None:
    organisation = stack.new_organisation()
    dashboard = new_dashboard(organisation)
    page = dashboard.page
    page.clock.install()
    dashboard.open(address(**SOURCES, live="on"))
    expect(page.get_by_role("heading", name="No hooks yet")).to_be_visible()
    expect(page.get_by_text(f"rollcall hook try --api {dashboard.base}")).to_be_visible()
    expect(page.get_by_role("region", name="Connect your first provider")).to_be_visible()
    # The first one appears by itself.
    hooked(organisation, "bland")
    page.clock.run_for(6_000)
    expect(card(page, "Bland")).to_be_visible()


def test_an_organisation_without_calls_leads_here(
    new_dashboard: NewDashboard, stack: Stack
) -> None:
    dashboard = new_dashboard(stack.new_organisation())
    page = dashboard.page
    dashboard.open(address())
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    link = page.get_by_role("link", name="Connect a provider")
    assert "page=sources" in (link.get_attribute("href") or "")
    link.press("Enter")
    expect(page.get_by_role("heading", name="No hooks yet")).to_be_visible()


def test_the_counts_follow_while_the_view_is_live(
    new_dashboard: NewDashboard, stack: Stack
) -> None:
    organisation = stack.new_organisation()
    hook = hooked(organisation, "retell")
    dashboard = new_dashboard(organisation)
    page = dashboard.page
    page.clock.install()
    dashboard.open(address(**SOURCES, live="on"))
    assert facts(card(page, "Retell"))["Recorded"] == "0"
    deliver(hook)
    page.clock.run_for(6_000)
    eventually(lambda: facts(card(page, "Retell"))["Recorded"], "3")
    dashboard.press("Live", "switch")
    requests = reads_of_hooks(dashboard)
    page.clock.run_for(20_000)
    assert reads_of_hooks(dashboard) == requests


def reads_of_hooks(dashboard: Dashboard) -> int:
    return sum(url.endswith("/v1/hooks") for url in dashboard.heard().addresses)


def test_a_token_without_admin_reads_why_it_sees_nothing(
    new_dashboard: NewDashboard, used: Organisation
) -> None:
    dashboard = new_dashboard(used)
    page = dashboard.page
    page.clock.install()
    dashboard.go(address(**SOURCES, live="on"))
    dashboard.sign_in(used.new_token("read")["token"])
    expect(
        page.get_by_role("heading", name="This page needs a token with the permission admin")
    ).to_be_visible()
    expect(
        page.get_by_text("rollcall token create HANDLE --scope read --scope admin")
    ).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("region", name="Connect a provider")).to_be_visible()
    # What was refused is not asked again.
    page.clock.run_for(20_000)
    assert reads_of_hooks(dashboard) == 1


def test_loading_then_an_error_then_the_hooks(
    new_dashboard: NewDashboard, used: Organisation
) -> None:
    dashboard = new_dashboard(used)
    page = dashboard.page
    waiting: list[Route] = []

    def wait(route: Route) -> None:
        waiting.append(route)

    page.route(READS_HOOKS, wait)
    dashboard.go(address(**SOURCES))
    dashboard.sign_in()
    expect(page.locator(".skeleton")).to_be_visible()
    eventually(lambda: len(waiting), 1)
    waiting[0].fulfill(
        status=503, json={"detail": "Service unavailable."}, headers={"x-amzn-RequestId": "r-1"}
    )
    error = page.get_by_role("alert")
    expect(error).to_contain_text("Hooks could not be loaded")
    expect(error).to_contain_text("Service unavailable.")
    expect(error).to_contain_text("Request r-1")
    page.unroute(READS_HOOKS)
    error.get_by_role("button", name="Try again").click()
    expect(card(page, "Retell")).to_be_visible()
    expect(error).to_have_count(0)


def test_counts_stay_when_later_ones_fail(new_dashboard: NewDashboard, used: Organisation) -> None:
    dashboard = new_dashboard(used)
    page = dashboard.page
    page.clock.install()
    dashboard.open(address(**SOURCES, live="on"))
    expect(card(page, "Retell")).to_be_visible()
    page.route(
        READS_HOOKS,
        lambda route: route.fulfill(status=503, json={"detail": "Service unavailable."}),
    )
    page.clock.run_for(6_000)
    expect(page.get_by_text("The figures are from the last answer.")).to_be_visible()
    assert facts(card(page, "Retell"))["Recorded"] == "3"
    page.unroute(READS_HOOKS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The figures are from the last answer.")).to_have_count(0)


def test_without_a_connection(new_dashboard: NewDashboard, used: Organisation) -> None:
    dashboard = new_dashboard(used)
    page = dashboard.page
    page.clock.install()
    dashboard.open(address(**SOURCES, live="on"))
    expect(card(page, "Retell")).to_be_visible()
    page.context.set_offline(True)
    page.clock.run_for(6_000)
    banner = page.get_by_text(
        "No connection. The figures below are the last ones that were loaded."
    )
    expect(banner).to_be_visible()
    assert facts(card(page, "Retell"))["Recorded"] == "3"
    page.context.set_offline(False)
    expect(banner).to_have_count(0)


def test_a_rotation_is_mentioned(new_dashboard: NewDashboard, stack: Stack) -> None:
    organisation = stack.new_organisation()
    hook = hooked(organisation, "bland")
    stack.hooks.rotate(hook.created.id, "another secret", 60_000)
    dashboard = new_dashboard(organisation, locale="de-DE")
    dashboard.go(address(**SOURCES))
    dashboard.page.get_by_label("Token").fill(organisation.token)
    dashboard.page.get_by_role("button", name="Anmelden").click()
    expect(card(dashboard.page, "Bland")).to_contain_text("Bis das alte abläuft, gelten beide.")
