"""From a bar to its calls; and that the address holds every choice."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, expect

from tests.support.dashboard import Dashboard, address, eventually
from tests.support.dashboard_data import DETAIL, FROM, TO, WITH_DETAIL, WORKSPACE
from tests.support.dashboard_text import figure, plain
from tests.support.stack import Organisation

SCOPE = {"from": FROM, "to": TO, "timezone": "UTC"}
CSV = [("Accept", "text/csv")]


def calls_of(organisation: Organisation, *conditions: dict[str, Any], **scope: str) -> str:
    body = {**SCOPE, **scope, "measures": ["calls"], "filters": list(conditions)}
    return figure(organisation.send("POST", "/v1/query", body).json["totals"]["calls"], "count")


def condition(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def expect_calls(dashboard: Dashboard, count: str) -> None:
    eventually(lambda: dashboard.tiles()["Calls"][0], count)


def chosen(dashboard: Dashboard) -> dict[str, list[str]]:
    return parse_qs(urlsplit(dashboard.page.url).query)


def saved(dashboard: Dashboard, button: Locator) -> bytes:
    with dashboard.page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def test_filters_are_added_changed_and_removed(
    dashboard: Dashboard, organisation: Organisation
) -> None:
    page = dashboard.page
    dashboard.open(address())
    page.get_by_role("button", name="Add filter").click()
    editor = page.get_by_role("dialog", name="Add filter")
    # Values come with the number of their calls.
    count = calls_of(organisation, condition("outcome", "eq", "予約済み"))
    expect(editor.locator(".values-row").filter(has_text="予約済み")).to_contain_text(count)
    editor.get_by_role("checkbox", name="予約済み").check()
    editor.get_by_role("button", name="Apply").click()
    assert dashboard.chips() == ["Outcome is 予約済み"]
    expect_calls(dashboard, count)

    page.get_by_role("button", name="Outcome is 予約済み", exact=True).click()
    editor = page.get_by_role("dialog", name="Change filter")
    editor.get_by_label("Condition").select_option("is not")
    editor.get_by_role("searchbox").fill("förm")
    editor.get_by_role("checkbox", name="förmlich zugesagt").check()
    editor.get_by_role("button", name="Apply").click()
    assert dashboard.chips() == ["Outcome is not 予約済み or förmlich zugesagt"]
    expect_calls(
        dashboard,
        calls_of(organisation, condition("outcome", "not_in", ["予約済み", "förmlich zugesagt"])),
    )

    page.get_by_role("button", name="Add filter").click()
    editor = page.get_by_role("dialog", name="Add filter")
    editor.get_by_label("Field").select_option("Duration (seconds)")
    editor.get_by_label("Condition").select_option("is between")
    editor.get_by_role("spinbutton", name="At least").fill("10")
    editor.get_by_role("spinbutton", name="At most").fill("60")
    editor.get_by_role("button", name="Apply").click()
    long = condition("duration_seconds", "between", [10, 60])
    assert dashboard.chips()[1] == "Duration (seconds) is between 10 and 60"
    page.get_by_role("button", name="Remove filter: Outcome").click()
    expect_calls(dashboard, calls_of(organisation, long))
    page.get_by_role("button", name="Clear filters").click()
    expect_calls(dashboard, calls_of(organisation))
    assert dashboard.chips() == []


def test_the_focus_stays_among_the_filters(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address(filters=["direction:eq:outbound", "provider:eq:twilio"]))
    page.get_by_role("button", name="Remove filter: Direction").press("Enter")
    expect(page.get_by_role("button", name="Remove filter: Provider")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add filter")).to_be_focused()
    assert dashboard.chips() == []

    page.go_back()
    page.go_back()
    eventually(lambda: len(dashboard.chips()), 2)
    page.get_by_role("button", name="Clear filters").press("Enter")
    expect(page.get_by_role("button", name="Add filter")).to_be_focused()


def test_a_filter_without_its_key_or_value_is_refused(dashboard: Dashboard) -> None:
    page = dashboard.page
    dashboard.open(address())
    page.get_by_role("button", name="Add filter").click()
    editor = page.get_by_role("dialog", name="Add filter")
    editor.get_by_label("Field").select_option("Payload")
    editor.get_by_role("button", name="Apply").click()
    expect(editor.get_by_role("alert")).to_have_text("Enter a key.")
    editor.get_by_label("Payload key").press_sequentially("city")
    expect(editor.get_by_role("alert")).to_have_count(0)
    editor.get_by_role("button", name="Apply").click()
    expect(editor.get_by_role("alert")).to_have_text("Enter a value.")
    # Values of a list are no text that a value contains.
    editor.get_by_label("Field").select_option("Outcome")
    editor.get_by_role("checkbox", name="no show").check()
    editor.get_by_label("Condition").select_option("contains")
    expect(editor.get_by_label("Value", exact=True)).to_have_value("")
    editor.get_by_role("button", name="Apply").click()
    expect(editor.get_by_role("alert")).to_have_text("Enter a value.")
    assert dashboard.chips() == []


def test_periods_and_comparisons(dashboard: Dashboard, organisation: Organisation) -> None:
    page = dashboard.page
    dashboard.open(address())
    page.get_by_role("button", name="Oct 20, 2025").click()
    editor = page.get_by_role("dialog", name="Custom")
    editor.get_by_label("From").fill("2025-10-21")
    editor.get_by_label("To").fill("2025-10-22")
    editor.get_by_role("button", name="Apply").click()
    days = {"from": "2025-10-21", "to": "2025-10-22"}
    expect_calls(dashboard, calls_of(organisation, **days))
    for name, words in {
        "previous_weekdays": "Same weekdays before",
        "previous_year": "Previous year",
        "previous_period": "Previous period",
    }.items():
        page.get_by_role("combobox", name="Compare with").select_option(words)
        body = {**SCOPE, **days, "measures": ["calls"], "compare": name}
        before = organisation.send("POST", "/v1/query", body).json["previous_totals"]["calls"]
        expected = f"up from {figure(before, 'count')}"
        eventually(lambda expected=expected: dashboard.tiles()["Calls"][1].endswith(expected), True)
    page.get_by_role("combobox", name="Compare with").select_option("No comparison")
    eventually(lambda: {change for _, change in dashboard.tiles().values()}, {""})
    page.get_by_label("Time zone").select_option("Asia/Kolkata")
    expect_calls(dashboard, calls_of(organisation, **days, timezone="Asia/Kolkata"))


def test_from_a_bar_to_one_call(dashboard: Dashboard, organisation: Organisation) -> None:
    page = dashboard.page
    dashboard.open(address())
    page.get_by_role("figure", name="Calls by campaign").get_by_role(
        "button", name="東京オフィス"
    ).click()
    assert dashboard.chips() == ["Campaign is 東京オフィス"]
    page.get_by_role("figure", name="Calls by outcome").get_by_role(
        "button", name="No value"
    ).click()
    conditions = [condition("campaign_id", "eq", "42"), {"field": "outcome", "op": "is_null"}]
    expect_calls(dashboard, calls_of(organisation, *conditions))

    dashboard.press("Show calls")
    body = {**SCOPE, "filters": conditions, "order": "newest", "limit": 2}
    found = organisation.send("POST", "/v1/calls/search", body).json["calls"]
    page.locator(".calls-link").nth(1).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=f"Call {found[1]['id']}")).to_be_visible()
    expect(drawer.get_by_text("Counted.")).to_be_visible()
    drawer.get_by_text("Raw JSON").click()
    stored = organisation.send("GET", f"/v1/calls/{found[1]['id'].replace(' ', '%20')}")
    assert json.loads(drawer.locator(".call-raw").inner_text()) == json.loads(stored.body)
    assert chosen(dashboard)["call"] == [found[1]["id"]]

    drawer.get_by_role("button", name="Newer call").click()
    expect(drawer.get_by_role("heading", name=f"Call {found[0]['id']}")).to_be_visible()
    # A value of a call leads to the others that have it.
    drawer.locator("dd").get_by_role("button", name=found[0]["direction"].capitalize()).click()
    direction = condition("direction", "eq", found[0]["direction"])
    count = calls_of(organisation, *conditions, direction)
    expect(drawer.get_by_role("heading", name="Calls")).to_have_text(f"Calls {count}")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect_calls(dashboard, count)


def test_what_was_said_in_a_call(dashboard: Dashboard, organisation: Organisation) -> None:
    """Of the call's own answer: a search does not have it."""
    dashboard.open(address(call=f"call {WITH_DETAIL}"))
    drawer = dashboard.page.get_by_role("dialog")
    expect(drawer.locator("h3", has_text="Summary")).to_be_visible()
    expect(drawer.locator(".call-text").first).to_have_text(DETAIL["summary"])
    turns = [
        (turn.locator(".call-role").inner_text(), turn.locator(".call-text").inner_text())
        for turn in drawer.locator(".call-turn").all()
    ]
    assert turns == [
        ("Agent", DETAIL["transcript"][0]["text"]),
        ("Customer", DETAIL["transcript"][1]["text"]),
        ("supervisor", DETAIL["transcript"][2]["text"]),
    ]
    assert drawer.locator(".call-at").count() == 2
    expect(drawer.locator("audio")).to_have_attribute("src", DETAIL["recording_url"])
    link = drawer.get_by_role("link", name="CRM & mehr")
    expect(link).to_have_attribute("href", DETAIL["links"][0]["url"])
    for number in (DETAIL["from_number"], DETAIL["to_number"]):
        expect(drawer.get_by_text(number, exact=True).first).to_be_visible()
    drawer.get_by_text("Raw JSON").click()
    shown = json.loads(drawer.locator(".call-raw").inner_text())
    assert shown["record"]["detail"] == DETAIL
    found = organisation.send("POST", "/v1/calls/search", {**SCOPE, "limit": 500}).json["calls"]
    assert not any("detail" in call for call in found)


def test_from_a_point_and_a_cell(dashboard: Dashboard, organisation: Organisation) -> None:
    page = dashboard.page
    dashboard.open(address())
    page.get_by_role("button", name="Saturday, October 25: ").click()
    assert (chosen(dashboard)["from"], chosen(dashboard)["to"]) == (["2025-10-25"], ["2025-10-25"])
    day = {"from": "2025-10-25", "to": "2025-10-25"}
    expect_calls(dashboard, calls_of(organisation, **day))
    page.get_by_role("button", name="Sat, Oct 25, 2:00 – 3:00 PM: ").press("Enter")
    hour = {"from": "2025-10-25T14:00:00", "to": "2025-10-25T14:59:59"}
    expect_calls(dashboard, calls_of(organisation, **hour))
    page.go_back()
    page.go_back()
    expect_calls(dashboard, calls_of(organisation))

    tuesday = condition("day_of_week", "eq", 2)
    page.get_by_role("button", name="Tuesday, 12:00 – 1:00 PM: ").click()
    eventually(dashboard.chips, ["Weekday is Tuesday", "Hour is 12:00 – 1:00 PM"])
    expect_calls(dashboard, calls_of(organisation, tuesday, condition("hour_of_day", "eq", 12)))


def test_the_walkthrough_of_the_readme(dashboard: Dashboard, organisation: Organisation) -> None:
    """Which calls on Tuesday afternoon, Berlin time, had negative sentiment: five clicks."""
    page = dashboard.page
    dashboard.open(address())
    page.get_by_role("button", name="Tuesday, 12:00 – 1:00 PM: ").click()
    page.get_by_role("button", name="Tuesday, 5:00 – 6:00 PM: ").click()
    dashboard.press("Sentiment", "tab")
    page.get_by_role("figure", name="Calls by sentiment").get_by_role(
        "button", name=re.compile("^Negative")
    ).click()
    conditions = [
        condition("day_of_week", "eq", 2),
        {"field": "hour_of_day", "op": "between", "value": [12, 17]},
        condition("sentiment_band", "eq", "negative"),
    ]
    count = calls_of(organisation, *conditions)
    assert count
    expect_calls(dashboard, count)
    dashboard.press("Show calls")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name="Calls")).to_have_text(f"Calls {count}")
    expect(drawer.locator(".calls-link")).to_have_count(min(int(count), 50))


def test_a_page_has_its_name_though_nothing_of_late_does(
    dashboard: Dashboard, organisation: Organisation
) -> None:
    page = dashboard.page
    # The calls of the tests are of long ago.
    assert organisation.send("GET", "/v1/values/campaign_id").json["values"] == []
    dashboard.open(address(campaign="42"))
    title = page.locator(".sheet-title")
    expect(title).to_have_text("東京オフィス 42")
    expect(page.locator(".sheet-picker option:checked")).to_have_text("東京オフィス")
    dashboard.press("Show calls")
    expect(page.locator(".drawer-scope")).to_contain_text("Campaign is 東京オフィス")
    dashboard.go(address(workspace=WORKSPACE))
    expect(title).to_have_text(f"Atelier Zoë {WORKSPACE}")
    assert dashboard.refusals == []
    # One that never was has no name.
    dashboard.go(address(campaign="never"))
    expect(title).to_have_text("never")


def test_csv_is_the_apis(dashboard: Dashboard, organisation: Organisation) -> None:
    page = dashboard.page
    dashboard.open(address(filters=["provider:eq:twilio"], compare="off"))
    scope = {**SCOPE, "filters": [condition("provider", "eq", "twilio")]}
    for title, asked in {
        "Calls by outcome": {"measures": ["calls"], "dimensions": ["outcome"]},
        "Calls": {"measures": ["calls"], "dimensions": ["day"]},
        "Durations of calls": {
            "measures": [f"{mark}_duration" for mark in "min p50 p75 p90 p95 p99 max".split()]
        },
    }.items():
        file = saved(
            dashboard, page.get_by_role("button", name=f"{title}: download CSV", exact=True)
        )
        answer = organisation.send("POST", "/v1/query", scope | asked, CSV)
        assert answer.status == 200, answer.body
        assert file == answer.body

    dashboard.press("Show calls")
    drawer = page.get_by_role("dialog")
    file = saved(dashboard, drawer.get_by_role("button", name="Calls: download CSV", exact=True))
    lines = list(csv.reader(io.StringIO(file.decode("utf-8"), newline="")))
    body, pages, cursor = scope | {"order": "newest", "limit": 500}, [], None
    while cursor is not None or not pages:
        asked = body if cursor is None else body | {"cursor": cursor}
        answer = organisation.send("POST", "/v1/calls/search", asked, CSV)
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8"), newline="")))
        pages.append(rows if not pages else rows[1:])
        cursor = answer.header("X-Rollcall-Next")
    assert len(pages) > 1
    assert lines == [row for rows in pages for row in rows]
    assert len(lines) - 1 == int(calls_of(organisation, *scope["filters"]).replace(",", ""))


def test_the_address_is_the_view(
    dashboard: Dashboard, new_dashboard: Callable[..., Dashboard]
) -> None:
    page = dashboard.page
    dashboard.open(address(zone="Europe/Berlin"))
    page.get_by_role("combobox", name="Compare with").select_option("Same weekdays before")
    page.get_by_role("tab", name="Status").click()
    page.get_by_role("figure", name="Calls by status").get_by_role(
        "button", name="No answer"
    ).click()
    page.locator(".tile").filter(has_text="Average duration").click()
    page.get_by_role("button", name="Calls by campaign").first.focus()
    dashboard.settle()
    dashboard.see_all()

    def seen(one: Dashboard) -> tuple[Any, ...]:
        return one.chips(), one.tiles(), one.figures()

    before = seen(dashboard)
    assert "Average duration" in before[2]
    second = new_dashboard(timezone_id="America/Anchorage")
    second.open(dashboard.page.url.removeprefix(dashboard.base))
    second.see_all()
    eventually(lambda: seen(second), before)
    page.reload()
    dashboard.settle()
    dashboard.see_all()
    eventually(lambda: seen(dashboard), before)


def test_back_and_forward(dashboard: Dashboard, organisation: Organisation) -> None:
    page = dashboard.page
    dashboard.open(address())
    every = calls_of(organisation)
    page.get_by_role("figure", name="Calls by outcome").get_by_role(
        "button", name="no show"
    ).click()
    few = calls_of(organisation, condition("outcome", "eq", "no show"))
    expect_calls(dashboard, few)
    dashboard.press("Show calls")
    page.locator(".calls-link").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name="Call call")).to_be_visible()
    page.go_back()
    expect(drawer.get_by_role("heading", name=f"Calls {few}")).to_be_visible()
    page.go_back()
    expect(drawer).to_have_count(0)
    assert plain(dashboard.tiles()["Calls"][0]) == few
    page.go_back()
    expect_calls(dashboard, every)
    page.go_forward()
    expect_calls(dashboard, few)
    page.go_forward()
    expect(drawer.get_by_role("heading", name=f"Calls {few}")).to_be_visible()
