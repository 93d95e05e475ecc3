"""Pictures of the states of the dashboard: python -m tests.dashboard.screenshots FOLDER"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from rollcall_cli.demo_data import demo_records
from tests.support import stack as stacks
from tests.support.browser import FLAGS, chromium
from tests.support.dashboard import PHONE, Dashboard, address, new_context
from tests.support.hooking import hooked, retell_body
from tests.support.stack import Organisation, Stack

VIEW = {"period": "last_28_days", "zone": "Europe/Berlin"}
DARK: dict[str, Any] = {"color_scheme": "dark"}
ON_PHONE = {"viewport": PHONE, "device_scale_factor": 2}


def fill(organisation: Organisation) -> None:
    """The demo's calls of eight weeks, which end now."""
    records = list(demo_records(seed=7, calls=1_200, days=56, now=datetime.now(UTC)))
    for start in range(0, len(records), 500):
        receipt = organisation.post(records[start : start + 500])
        assert receipt.status == 200, receipt.body[:500]
    organisation.stack.drain()


def connected(stack: Stack) -> Organisation:
    """An organisation with two hooks: one with deliveries of every kind, one without any."""
    organisation = stack.new_organisation("acme", "Acme")
    hook = hooked(organisation, "retell")
    for number in range(24):
        hook.send(retell_body(f"hooked-{number}"))
    hook.send(json.dumps({"event": "chat_started", "chat": {}}).encode())
    hook.send(retell_body("hooked-0"), headers=[("X-Retell-Signature", "v=1,d=00")])
    hook.send(retell_body("hooked-24", start_timestamp="never"))
    hooked(organisation, "twilio")
    return organisation


def take(browser: Browser, organisation: Organisation, folder: Path) -> None:
    """Write the pictures as NAME.png."""
    campaign = organisation.send("GET", "/v1/values/campaign_id?limit=1").json["values"][0]["value"]
    hooks = connected(organisation.stack)
    sources = address(**VIEW, page="sources")

    def tab(path: str, of: Organisation = organisation, **options: Any) -> Dashboard:
        one = Dashboard(new_context(browser, **options).new_page(), of)
        one.open(path)
        return one

    def picture(name: str, one: Dashboard, *, whole: bool = False) -> None:
        one.page.mouse.move(0, 0)
        one.page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled")
        one.page.context.close()

    def whole(name: str, path: str, **options: Any) -> None:
        one = tab(path, **options)
        one.see_all()
        one.page.evaluate("scrollTo(0, 0)")
        picture(name, one, whole=True)

    for theme, scheme in {"light": {}, "dark": DARK}.items():
        whole(f"overview-{theme}", address(**VIEW), **scheme)
        picture(f"first-view-{theme}", tab(address(**VIEW), **scheme))
        whole(f"phone-{theme}", address(**VIEW), **scheme, **ON_PHONE)
        one = Dashboard(new_context(browser, **scheme).new_page(), organisation)
        one.go("/")
        one.page.get_by_label("Token").wait_for()
        picture(f"sign-in-{theme}", one)
        picture(f"calls-{theme}", tab(address(**VIEW, calls="open"), **scheme))
        whole(f"sources-{theme}", sources, of=hooks, **scheme)
        whole(f"sources-phone-{theme}", sources, of=hooks, **scheme, **ON_PHONE)
    one = tab(address(**VIEW, calls="open"))
    one.page.locator(".calls-link").first.click()
    one.page.get_by_text("Counted.").wait_for()
    picture("call", one)
    whole("campaign", address(**VIEW, campaign=str(campaign)))
    one = tab(address(**VIEW))
    one.page.keyboard.press("?")
    picture("help", one)
    one = Dashboard(new_context(browser).new_page(), organisation)
    one.page.route("**/v1/query", lambda route: route.fulfill(status=503, body="{}"))
    one.open(address(**VIEW))
    picture("error", one)
    empty = organisation.stack.new_organisation()
    one = Dashboard(new_context(browser).new_page(), empty)
    one.open(address(**VIEW))
    one.page.get_by_role("heading", name="No calls yet").wait_for()
    picture("empty", one)
    one = Dashboard(new_context(browser).new_page(), empty)
    one.open(sources)
    one.page.get_by_role("heading", name="No hooks yet").wait_for()
    picture("sources-empty", one, whole=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stack = stacks.start(stacks.chosen_engine("one"))
    try:
        organisation = stack.new_organisation("demo", "Demo")
        fill(organisation)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            take(browser, organisation, folder)
            browser.close()
    finally:
        stack.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
