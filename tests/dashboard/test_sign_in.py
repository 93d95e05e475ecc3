"""How a session begins and ends, and what a new organisation sees."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support import stack as stacks
from tests.support.dashboard import Dashboard, address, eventually
from tests.support.stack import Organisation

NewDashboard = Callable[..., Dashboard]


def expect_form(page: Page, alert: str | None = None) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text([] if alert is None else [alert])


def session_of(page: Page) -> Any:
    return page.evaluate("({ ...sessionStorage })")


def test_a_token_opens_the_page_in_this_tab_until_sign_out(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    assert json.loads(session_of(page)["rollcall.session"])["token"] == dashboard.organisation.token
    assert dashboard.stored() == {"local": {}, "cookies": "", "databases": 0}

    page.reload()
    dashboard.settle()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    expect_form(other)

    page.get_by_role("button", name="Sign out").click()
    expect_form(page)
    assert session_of(page) == {}
    page.reload()
    expect_form(page)


def test_a_token_that_does_not_fit_is_refused(dashboard: Dashboard) -> None:
    dashboard.go("/")
    page = dashboard.page
    ingest = dashboard.organisation.new_token("ingest")["token"]
    for token, message in {
        "rc_unknown": "The token is not valid: it is unknown, expired or revoked.",
        ingest: "The token is valid, but does not have the permission read.",
        "with space": "A token has no spaces and no special characters. "
        "Check that you copied all of it, and nothing else.",
    }.items():
        dashboard.sign_in(token)
        expect_form(page, message)
        assert session_of(page) == {}
    dashboard.sign_in()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_revoked_token_returns_to_the_form(dashboard: Dashboard) -> None:
    tenant = dashboard.organisation
    issued = tenant.new_token("read")
    dashboard.go(address())
    dashboard.sign_in(issued["token"])
    dashboard.settle()
    tenant.stack.administer.revoke_token(issued["token_id"])
    headers = [("Authorization", f"Token {issued['token']}")]

    # Gateways keep an authorization for a while.
    def status() -> int:
        return stacks.request(tenant.stack.api, "GET", "/v1/schema", headers).status

    eventually(status, 401)
    page, before = dashboard.page, parse_qs(urlsplit(dashboard.page.url).query)
    page.get_by_role("combobox", name="Compare with").select_option("Previous year")
    expect_form(page, "The token is no longer valid: it has expired or was revoked. Sign in again.")
    assert session_of(page) == {}
    # The view stays: who signs in again goes on where the session ended.
    assert parse_qs(urlsplit(page.url).query) == before | {"compare": ["previous_year"]}
    dashboard.sign_in()
    dashboard.settle()
    expect(page.get_by_role("combobox", name="Compare with")).to_have_value("previous_year")
    assert issued["token"] not in " ".join(dashboard.addresses)


def test_a_session_is_over_after_twelve_hours(dashboard: Dashboard) -> None:
    page = dashboard.page
    page.clock.install()
    dashboard.open(address())
    page.clock.fast_forward("11:30:00")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.clock.fast_forward("30:00")
    expect_form(page, "You were signed out after 12 hours. Sign in again.")
    assert session_of(page) == {}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Organisation]:
    """An organisation without a record, on a stack that has printed a one-time code."""
    arguments = ["--org", "fresh", "--token-file", tmp_path / "token"]
    stack = stacks.start("dynamodb-local", arguments=arguments)
    yield Organisation(stack, "fresh", "fresh", (tmp_path / "token").read_text().strip())
    stack.stop()


def test_a_code_opens_a_new_organisation_once(
    new_dashboard: NewDashboard, fresh: Organisation
) -> None:
    printed = re.search(r"dashboard of fresh: \S+?(/#code=\S+)", fresh.stack.log.read_text("utf-8"))
    assert printed
    path = printed.group(1)
    dashboard = new_dashboard(fresh)
    page = dashboard.page
    dashboard.go(path)
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()
    assert "code" not in page.url
    # The ways to send the first call name this stack, and no token.
    samples = page.locator(".empty-way pre").all_inner_texts()
    assert len(samples) == 3
    assert all(fresh.stack.api in sample and fresh.token not in sample for sample in samples)

    second = new_dashboard(fresh)
    second.go(path)
    expect(second.page.get_by_role("alert")).to_contain_text(
        "Signing in with this address failed: "
    )
    assert session_of(second.page) == {}
    assert "code" not in second.page.url

    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    call = {"type": "call", "id": "first", "started_at": now, "status": "completed"}
    assert fresh.post([call]).status == 200
    expect(page.locator(".tile").first).to_contain_text("1")
    expect(page.get_by_role("heading", name="No calls yet")).to_have_count(0)
