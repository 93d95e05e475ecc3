"""The dashboard in a browser, as a person uses it: by the names of what is on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from tests.support.dashboard_data import FROM, TO
from tests.support.dashboard_text import plain
from tests.support.stack import Organisation

# Machines are shared and slow: this ends a test that hangs, and decides nothing else.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

# Violations of the policy are no console errors of their own in every case.
_REPORT_POLICY = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""
_IS_QUIET = """() => new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() =>
    resolve(document.querySelector("#app *, body > *") !== null
      && document.querySelector("[aria-busy=true], .skeleton, .calls-skeleton, .call-skeleton") === null))))"""
_FIGURES = """() => {
  const texts = (root, selector) => [...root.querySelectorAll(selector)].map((one) => one.textContent);
  const names = (root, selector) =>
    [...root.querySelectorAll(selector)].map((one) => one.getAttribute("aria-label"));
  return Object.fromEntries([...document.querySelectorAll("figure.chart")].map((figure) => [
    figure.querySelector(".chart-title").textContent,
    {
      summary: texts(figure, ".chart-summary").join(" "),
      points: names(figure, ".chart-target"),
      cells: names(figure, ".heat-cell"),
      marks: names(figure, ".marks-row"),
      bars: [...figure.querySelectorAll(".bars-row")].map((bar) =>
        texts(bar, ".bars-name, .bars-value, .bars-share, .bars-change")),
      stages: [...figure.querySelectorAll(".funnel-stage")].map((stage) =>
        [texts(stage, ".funnel-name")[0], stage.querySelector(".funnel-value").firstChild.textContent]),
      table: [...figure.querySelectorAll(".chart-table tbody tr")].map((row) => texts(row, "th, td")),
    },
  ]));
}"""

T = TypeVar("T")


def address(*, filters: Iterable[str] = (), **choices: str) -> str:
    """The page's address for a view of the tests' period, without refreshes unless `live` is "on".

    A filter is "field:op:value", as in the page's own address.
    """
    view = {"from": FROM, "to": TO, "zone": "UTC", "live": "off"} | choices
    if view["live"] == "on":
        del view["live"]
    if "period" in view:
        del view["from"], view["to"]
    return "/?" + urlencode([*view.items(), *(("f", text) for text in filters)])


def eventually(read: Callable[[], T], expected: T) -> None:
    """Assert that `read` comes to give what is expected."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while (found := read()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)  # between two readings of the page, which does not announce its changes
    assert found == expected


@dataclass
class Dashboard:
    """One tab, and what the browser reported about it."""

    page: Page
    organisation: Organisation
    addresses: list[str] = field(default_factory=list)
    """Of every request."""
    errors: list[str] = field(default_factory=list)
    """On the console, without those about the status of an answer."""
    refusals: list[str] = field(default_factory=list)
    """On the console, about the status of an answer."""
    queries: list[Response] = field(default_factory=list)
    """Answers to /v1/query."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            is_refusal = message.text.startswith("Failed to load resource")
            (self.refusals if is_refusal else self.errors).append(message.text)

    def _on_response(self, response: Response) -> None:
        if urlsplit(response.url).path == "/v1/query":
            self.queries.append(response)

    @property
    def base(self) -> str:
        return self.organisation.stack.api

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, token: str | None = None) -> None:
        self.page.get_by_label("Token").fill(token or self.organisation.token)
        self.page.get_by_role("button", name="Sign in").click()

    def open(self, path: str) -> None:
        """Go to an address, sign in, and wait for all that it shows."""
        self.go(path)
        self.sign_in()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being loaded."""
        eventually(lambda: self.page.evaluate(_IS_QUIET), True)

    def press(self, name: str, role: Any = "button", *, exact: bool = True) -> None:
        self.page.get_by_role(role, name=name, exact=exact).click()
        self.settle()

    def see_all(self) -> None:
        """Scroll down to the end: some cards ask for their figures when they come into sight."""
        for _ in range(12):
            self.page.mouse.wheel(0, 700)
            self.settle()

    def figures(self) -> dict[str, dict[str, Any]]:
        """What every chart and every open table holds, by the chart's title."""
        found: dict[str, dict[str, Any]] = _plain(self.page.evaluate(_FIGURES))
        return found

    def show_tables(self) -> None:
        # A button has another name after its click.
        closed = self.page.get_by_role("button", name=": show the table")
        for _ in range(closed.count()):
            closed.first.click()

    def tiles(self) -> dict[str, tuple[str, str]]:
        """The value and the change of each tile, by its title."""
        rows = self.page.evaluate(
            """() => [...document.querySelectorAll(".tile")].map((tile) =>
              [".tile-title", ".tile-value", ".tile-change"].map((part) =>
                tile.querySelector(part).textContent))"""
        )
        return {title: (plain(value), plain(change)) for title, value, change in rows}

    def chips(self) -> list[str]:
        return [chip.inner_text() for chip in self.page.locator(".chip-text").all()]

    def stored(self) -> dict[str, Any]:
        """Everything that outlives the tab."""
        kept: dict[str, Any] = self.page.evaluate(
            """async () => ({ local: { ...localStorage }, cookies: document.cookie,
              databases: (await indexedDB.databases()).length })"""
        )
        return kept

    def heard(self) -> Dashboard:
        """This tab, once what the browser has reported is in the lists: it comes while Playwright waits."""
        self.page.wait_for_timeout(100)
        return self

    def check(self) -> None:
        """Fail unless the page kept to its own origin and its policy, and no address has the token."""
        self.heard()
        origin = self.base
        others = [
            url for url in self.addresses if not url.startswith((f"{origin}/", "blob:", "data:"))
        ]
        assert others == []
        shown = [
            *self.addresses,
            self.page.url,
            *self.page.evaluate("[document.title, document.referrer]"),
        ]
        assert not [text for text in shown if self.organisation.token in text]
        assert self.errors == []


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return plain(value) if isinstance(value, str) else value


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A browser of an American in New Zealand: the view's zone counts, not the browser's."""
    settings = {"locale": "en-US", "timezone_id": "Pacific/Auckland", "viewport": WIDE} | options
    context = browser.new_context(**settings)
    context.add_init_script(_REPORT_POLICY)
    return context
