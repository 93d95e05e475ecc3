"""One stack, one organisation with known records, and one Chromium for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support import dashboard_data
from tests.support import stack as stacks
from tests.support.browser import FLAGS, chromium
from tests.support.dashboard import Dashboard, new_context
from tests.support.stack import Organisation, Stack


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker("e2e")
    item.add_marker("dynamodb_local")


# Not for the whole session: Playwright keeps a loop of asyncio running, which other tests start themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    chromium()
    stacks.skip_without_dynamodb_local()
    stack = stacks.start("dynamodb-local")
    yield stack
    stack.stop()


@pytest.fixture(scope="package")
def organisation(stack: Stack) -> Organisation:
    organisation = stack.new_organisation()
    dashboard_data.fill(organisation)
    return organisation


@pytest.fixture
def new_dashboard(
    browser: Browser, organisation: Organisation
) -> Iterator[Callable[..., Dashboard]]:
    """Makes a tab in a browser of its own; every one is checked when the test is over."""
    made = []

    def new(tenant: Organisation = organisation, **options: object) -> Dashboard:
        made.append(Dashboard(new_context(browser, **options).new_page(), tenant))
        return made[-1]

    yield new
    try:
        for dashboard in made:
            dashboard.check()
    finally:
        for dashboard in made:
            dashboard.page.context.close()


@pytest.fixture
def dashboard(new_dashboard: Callable[..., Dashboard]) -> Dashboard:
    return new_dashboard()
