"""Every number on the screen is the API's, which the tests ask themselves and in their own words."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.dashboard import Dashboard, address, eventually
from tests.support.dashboard_data import CAMPAIGNS, EVENTS, FROM, LABELS, SPACES, TO
from tests.support.dashboard_text import (
    NONE,
    change,
    figure,
    hour_name,
    minute,
    names_of,
    plain,
    share,
    tile_change,
)
from tests.support.stack import Organisation

Body = dict[str, Any]

UNITS = {
    "calls": "count",
    "answer_rate": "percent",
    "success_rate": "percent",
    "avg_duration": "seconds",
    "p90_duration": "seconds",
    "cost": "money",
    "leads": "count",
    "transferred": "count",
}
TILES = {
    "calls": "Calls",
    "answer_rate": "Answer rate",
    "success_rate": "Success rate",
    "avg_duration": "Average duration",
    "p90_duration": "p90 duration",
    "cost": "Cost",
    "leads": "Leads",
    "transferred": "Transfers",
}
MARKS = {
    "min": "Shortest",
    "p50": "Median",
    "p75": "p75",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "max": "Longest",
}
TABS = {
    "outcome": ("Outcome", "Calls by outcome"),
    "status": ("Status", "Calls by status"),
    "disposition": ("Disposition", "Calls by disposition"),
    "ended_reason": ("End reason", "Calls by end reason"),
    "campaign_id": ("Campaign", "Calls by campaign"),
    "template_id": ("Template", "Calls by template"),
    "space_token": ("Space", "Calls by space"),
    "merchant_id": ("Merchant", "Calls by merchant"),
    "provider": ("Provider", "Calls by provider"),
    "direction": ("Direction", "Calls by direction"),
    "language": ("Language", "Calls by language"),
    "attempt": ("Attempt", "Calls by attempt"),
    "label": ("Label", "Calls by label"),
    "sentiment_band": ("Sentiment", "Calls by sentiment"),
}
NAMES: dict[str, dict[Any, str | None]] = {
    "campaign_id": dict(CAMPAIGNS),
    "label": dict(LABELS),
    "space_token": dict(SPACES),
    "event": {
        "take_message": "Messages taken",
        "sms_sent": "SMS sent",
        "call_transferred": "Transfers",
        "calendar_booked": "Bookings",
        "email_sent": "Emails sent",
    },
    "language": {"de": "German", "en-GB": "British English", "ja": "Japanese"},
}
WORDS = ("status", "disposition", "direction", "sentiment_band")
SPECIAL = {"need_follow_up": "Needs a follow-up"}

# A zone with half an hour, and the days on which two others set their clocks back, by the hour.
VIEWS = {
    "Kolkata": {"zone": "Asia/Kolkata", "from": FROM, "to": TO},
    "Berlin": {"zone": "Europe/Berlin", "from": "2025-10-26", "to": "2025-10-26"},
    "New York": {"zone": "America/New_York", "from": "2025-11-01", "to": "2025-11-02"},
}
# As the address has them, and as the API takes them. Leads have the fields of the first.
FILTERS: dict[str, tuple[list[str], list[Body]]] = {
    "shared": (
        ['template_id:in:["t1","t3"]'],
        [{"field": "template_id", "op": "in", "value": ["t1", "t3"]}],
    ),
    "of calls": (
        ["direction:eq:outbound", 'outcome:not_in:["予約済み","no show"]'],
        [
            {"field": "direction", "op": "eq", "value": "outbound"},
            {"field": "outcome", "op": "not_in", "value": ["予約済み", "no show"]},
        ],
    ),
}
COMPARE = {
    "Kolkata": "previous_period",
    "Berlin": "previous_weekdays",
    "New York": "previous_period",
}


def ask(organisation: Organisation, body: Body) -> Any:
    answer = organisation.send("POST", "/v1/query", body)
    assert answer.status == 200, answer.body
    return answer.json


def name_of(dimension: str, value: Any) -> str:
    if value is None:
        return "No value"
    named = NAMES.get(dimension, {}).get(str(value))
    if dimension in WORDS:
        named = SPECIAL.get(value, value.replace("_", " ").capitalize())
    return plain(named or str(value))


def scope_of(view: str, filters: str) -> Body:
    chosen = VIEWS[view]
    conditions = FILTERS[filters][1] if filters else []
    scope = {
        "from": chosen["from"],
        "to": chosen["to"],
        "timezone": chosen["zone"],
        "filters": conditions,
    }
    return {name: value for name, value in scope.items() if value != []}


def time_rows(rows: list[Body], measure: str, bucket: str) -> list[list[str]]:
    unit = UNITS[measure]
    return [
        [
            name,
            figure(row[measure], unit),
            figure(row["previous"][measure], unit),
            change(row[measure], row["previous"][measure], unit),
        ]
        for name, row in zip(names_of(rows, bucket), rows, strict=True)
    ]


def bar_rows(
    dimension: str, entries: dict[Any, tuple[int, int]], whole: int
) -> dict[str, list[str]]:
    return {
        name_of(dimension, value): [
            figure(now, "count"),
            share(now, whole),
            figure(before, "count"),
            change(now, before, "count"),
        ]
        for value, (now, before) in entries.items()
        if now or before
    }


def entries_of(answer: Any, dimension: str) -> dict[Any, tuple[int, int]]:
    return {row[dimension]: (row["calls"], row["previous"]["calls"]) for row in answer["rows"]}


def by_name(rows: list[list[str]]) -> dict[str, list[str]]:
    found = {name: cells for name, *cells in rows}
    assert len(found) == len(rows)
    return found


def check_time(dashboard: Dashboard, measure: str, answer: Any, bucket: str) -> None:
    """The chart of a figure, its sentence, and the table behind it."""
    title, unit = TILES[measure], UNITS[measure]
    dashboard.page.locator(".tile").filter(has_text=title).first.click()
    expected = time_rows(answer["rows"], measure, bucket)
    starts = [f"{name}: {value if value != NONE else 'none'}, " for name, value, *_ in expected]

    def drawn() -> list[str]:
        points = dashboard.figures().get(title, {"points": []})["points"]
        return [point[: len(start)] for point, start in zip(points, starts, strict=False)]

    eventually(drawn, starts)
    assert dashboard.figures()[title]["summary"].startswith(
        f"{figure(answer['totals'][measure], unit)} in "
    )
    dashboard.press(f"{title}: show the table")
    assert dashboard.figures()[title]["table"] == expected
    dashboard.press(f"{title}: show the chart")


def check_bars(
    dashboard: Dashboard, dimension: str, title: str, expected: dict[str, list[str]]
) -> None:
    """The bars of a card and the table behind them: the ten most, and the calls without a value."""

    def bars() -> dict[str, list[str]]:
        return by_name(dashboard.figures()[title]["bars"])

    # The sign of a change is before its number in the table, and after it beside a bar.
    def beside(cells: list[str]) -> list[str]:
        now, part, _, sign = cells
        return [now, part, " ".join(reversed(sign.split(" ", 1)))]

    if len(expected) <= 10:
        eventually(bars, {name: beside(cells) for name, cells in expected.items()})
        dashboard.press(f"{title}: show the table")
        assert by_name(dashboard.figures()[title]["table"]) == expected
        dashboard.press(f"{title}: show the chart")
        return
    eventually(lambda: {name: beside(expected[name]) for name in bars()} == bars(), True)
    counts = sorted((int(cells[0].replace(",", "")) for cells in expected.values()), reverse=True)
    assert [int(cells[0].replace(",", "")) for cells in bars().values()] == counts[:10]
    card = dashboard.page.locator(
        "section.card", has=dashboard.page.get_by_role("tab", name=TABS[dimension][0])
    )
    card.get_by_role("button", name=f"All {len(expected)}").click()
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(len(expected))
    cells = [
        [plain(cell) for cell in row.locator("th, td").all_text_contents()] for row in rows.all()
    ]
    assert by_name(cells) == expected
    card.get_by_role("button", name="Top ten").click()


@pytest.mark.slow
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("view", VIEWS)
def test_the_overview(
    dashboard: Dashboard, organisation: Organisation, view: str, filters: str
) -> None:
    bucket = "day" if view == "Kolkata" else "hour"
    compared = {"compare": COMPARE[view]}
    scope = scope_of(view, filters)
    whole = scope | compared
    dashboard.open(address(filters=FILTERS[filters][0], **VIEWS[view], **compared))
    dashboard.see_all()

    measures = [name for name in UNITS if name != "leads"]
    calls = ask(organisation, whole | {"measures": measures, "dimensions": [bucket]})
    leads = None
    if filters == "shared":
        leads = ask(
            organisation,
            whole | {"dataset": "leads", "measures": ["leads"], "dimensions": [bucket]},
        )
    hours = {"Kolkata": 15, "Berlin": 25, "New York": 49}[view]
    assert len(calls["rows"]) == hours

    tiles = {}
    for name, title in TILES.items():
        answer = leads if name == "leads" else calls
        if answer is None:
            tiles[title] = (NONE, "Not with these filters")
            continue
        now, before = answer["totals"][name], answer["previous_totals"][name]
        tiles[title] = (figure(now, UNITS[name]), tile_change(now, before, UNITS[name]))
    eventually(dashboard.tiles, tiles)
    for name in measures:
        check_time(dashboard, name, calls, bucket)
    if leads is not None:
        check_time(dashboard, "leads", leads, bucket)

    for dimension in ("outcome", "campaign_id", "provider"):
        answer = ask(organisation, whole | {"measures": ["calls"], "dimensions": [dimension]})
        expected = bar_rows(dimension, entries_of(answer, dimension), answer["totals"]["calls"])
        check_bars(dashboard, dimension, TABS[dimension][1], expected)
    events = ask(organisation, whole | {"measures": [f"event.{name}" for name in EVENTS]})
    now, before = events["totals"], events["previous_totals"]
    counts = {name: (now[f"event.{name}"], before[f"event.{name}"]) for name in EVENTS}
    happened = sum(count for count, _ in counts.values())
    check_bars(dashboard, "event", "Events in calls", bar_rows("event", counts, happened))

    check_heat_map(dashboard, organisation, scope)
    check_durations(dashboard, organisation, scope)
    check_funnel(dashboard, organisation, scope if leads is not None else None)
    check_trust(dashboard)


def check_heat_map(dashboard: Dashboard, organisation: Organisation, scope: Body) -> None:
    title = "Calls by weekday and hour"
    days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
    asked = scope | {
        "measures": ["calls"],
        "dimensions": ["day_of_week", "hour_of_day"],
        "limit": 200,
    }
    rows = ask(organisation, asked)["rows"]
    counts = {(row["day_of_week"], row["hour_of_day"]): row["calls"] for row in rows}
    texts = {
        (day, hour): figure(counts.get((day, hour), 0), "count")
        for day in range(1, 8)
        for hour in range(24)
    }
    assert dashboard.figures()[title]["cells"] == [
        f"{days[day - 1]}, {hour_name(hour)}: {text}" for (day, hour), text in texts.items()
    ]
    dashboard.press(f"{title}: show the table")
    table = dashboard.figures()[title]["table"]
    assert table == [
        [hour_name(hour), *(texts[day, hour] for day in range(1, 8))] for hour in range(24)
    ]


def check_durations(dashboard: Dashboard, organisation: Organisation, scope: Body) -> None:
    title = "Durations of calls"
    totals = ask(organisation, scope | {"measures": [f"{mark}_duration" for mark in MARKS]})[
        "totals"
    ]
    expected = [
        [name, figure(totals[f"{mark}_duration"], "seconds")] for mark, name in MARKS.items()
    ]
    marks = dashboard.figures()[title]["marks"]
    assert [mark.split(", ")[0] for mark in marks] == [
        f"{name}: {value}" for name, value in expected
    ]
    dashboard.press(f"{title}: show the table")
    assert dashboard.figures()[title]["table"] == expected


def check_funnel(dashboard: Dashboard, organisation: Organisation, scope: Body | None) -> None:
    title = "Funnel of leads"
    if scope is None:
        expect(
            dashboard.page.get_by_text("Leads cannot be filtered by Direction, Outcome.")
        ).to_be_visible()
        return
    asked = {"dataset": "leads", "measures": ["leads", "converted"], "dimensions": ["status"]}
    answer = ask(organisation, scope | asked)
    count = {row["status"]: row["leads"] for row in answer["rows"]}
    finished = count.get("FINISHED", 0)
    reached = {
        "Leads": answer["totals"]["leads"],
        "Processing": count.get("PROCESSING", 0) + count.get("RETRY", 0) + finished,
        "Finished": finished,
        "Converted": answer["totals"]["converted"],
    }
    first, steps = reached["Leads"], [0, *reached.values()]
    stages = [[name, figure(number, "count")] for name, number in reached.items()]
    assert dashboard.figures()[title]["stages"] == stages
    dashboard.press(f"{title}: show the table")
    assert dashboard.figures()[title]["table"] == [
        [name, figure(number, "count"), share(number, first), share(number, before)]
        for (name, number), before in zip(reached.items(), steps, strict=False)
    ]


def check_trust(dashboard: Dashboard) -> None:
    """The last answers to the four queries say what they read."""
    last = {response.request.post_data: response for response in dashboard.queries}
    headers = [response.all_headers() for response in last.values()]
    items = sum(int(header["x-rollcall-items-read"]) for header in headers)
    units = sum(float(header["x-rollcall-read-units"]) for header in headers)
    line = plain(dashboard.page.locator(".trust").inner_text())
    assert f"read {items:,} items, {units:,.10g} units" in line
    assert " ago exact " in line.replace("· ", "")
    assert "not audited yet" in line


def test_every_tab(dashboard: Dashboard, organisation: Organisation) -> None:
    view = VIEWS["Kolkata"]
    dashboard.open(address(**view, compare="previous_year"))
    dashboard.see_all()
    whole = scope_of("Kolkata", "") | {"compare": "previous_year", "measures": ["calls"]}
    for dimension, (tab, title) in TABS.items():
        dashboard.page.get_by_role("tab", name=tab, exact=True).click()
        dashboard.settle()
        answer = ask(organisation, whole | {"dimensions": [dimension]})
        expected = bar_rows(dimension, entries_of(answer, dimension), answer["totals"]["calls"])
        check_bars(dashboard, dimension, title, expected)


def test_the_list_of_calls(dashboard: Dashboard, organisation: Organisation) -> None:
    paths, conditions = FILTERS["of calls"]
    dashboard.open(address(filters=paths, **VIEWS["Kolkata"]))
    dashboard.press("Show calls")
    scope = {"from": FROM, "to": TO, "timezone": "Asia/Kolkata", "filters": conditions}
    drawer = dashboard.page.get_by_role("dialog")
    total = ask(organisation, scope | {"measures": ["calls"]})["totals"]["calls"]
    expect(drawer.get_by_role("heading", level=2)).to_have_text(f"Calls {total:,}")

    found = organisation.send(
        "POST", "/v1/calls/search", scope | {"order": "newest", "limit": 120}
    ).json
    expected = [
        [
            minute(call["started_at"], "Asia/Kolkata"),
            name_of("direction", call["direction"]),
            figure(call.get("duration_seconds"), "seconds"),
            name_of("status", call["status"]),
            call.get("outcome", NONE),
            f"{call['cost']:,.6f}".rstrip("0") if "cost" in call else NONE,
            f"{call['sentiment']:.3f}" if "sentiment" in call else NONE,
        ]
        for call in found["calls"]
    ]

    def rows() -> list[list[str]]:
        texts = drawer.locator("tbody").evaluate(
            """(body) => [...body.querySelectorAll(".calls-row")].map((row) =>
              [...row.cells].map((cell) => (cell.querySelector("[aria-hidden]") ?? cell).textContent))"""
        )
        return [[plain(cell) for cell in row] for row in texts]

    # Further pages come by scrolling, each once and in order.
    while len(rows()) < len(expected):
        before = len(rows())
        drawer.locator(".calls-row").last.scroll_into_view_if_needed()
        eventually(lambda before=before: len(rows()) > before, True)
    assert rows()[: len(expected)] == expected
