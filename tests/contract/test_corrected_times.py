"""A year of calls, imported in the wrong time zone and again in the right one.

Every answer equals that of an organisation into which they were imported once, in the right zone.
"""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rollcall.ledger.page import Rows
from tests.support import stack as stacks
from tests.support.builders import deletion
from tests.support.command_line import run_command
from tests.support.raw_items import scanned
from tests.support.stack import BREEZE, Organisation, Stack, nlpearl_route

pytestmark = pytest.mark.slow

CALLS = 240
COLUMNS = (
    "id started_at status disposition direction campaign_id space_token template_id merchant_id"
    " lead_id provider outcome duration_seconds"
).split()
MAP = "\n".join(f'[fields.{name}]\nfrom = "{name}"' for name in COLUMNS)
BREEZE_TYPES = (
    "call_count call_duration outcome_distribution sentiment_distribution calls_over_time"
    " avg_duration_over_time top_outcomes retry_analysis provider_breakdown hourly_heatmap"
).split()


@pytest.fixture(scope="module")
def organisations(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Organisation, Organisation]:
    """(corrected, right from the start); every 20th call is changed or deleted in between."""
    folder = tmp_path_factory.mktemp("year")
    file, map_file = folder / "year.csv", folder / "map.toml"
    map_file.write_text(MAP)
    rows = year()
    corrected, right = stack.new_organisation(), stack.new_organisation()
    write(file, rows)
    imported(corrected, file, map_file, "Asia/Tokyo")
    stack.drain()
    assert_answers(corrected.post([deletion("call", row["id"]) for row in rows[::20]]))
    write(file, [{**row, "outcome": "changed meanwhile"} for row in rows[1::20]])
    imported(corrected, file, map_file, "Asia/Tokyo")
    for org in (corrected, right):
        write(file, rows)
        imported(org, file, map_file, "America/New_York")
    stack.drain()
    return corrected, right


def year() -> list[dict[str, Any]]:
    random = Random(2025)
    minutes = sorted(random.randrange(365 * 1440) for _ in range(CALLS - 2))
    times = [datetime(2025, 1, 1) + timedelta(minutes=minute) for minute in [0, *minutes, 525_599]]
    return [
        {
            "id": f"call-{number}",
            "started_at": time.isoformat(sep=" "),
            "status": random.choice(["completed", "completed", "failed", "busy"]),
            "disposition": random.choice(["successful", "need_retry", ""]),
            "direction": "outbound",
            "campaign_id": f"campaign-{number % 2}",
            "space_token": f"space-{number % 3}",
            "template_id": f"template-{number % 2}",
            "merchant_id": f"merchant-{number % 4}",
            "lead_id": f"lead-{number % 50}",
            "provider": random.choice(["twilio", "plivo"]),
            "outcome": random.choice(["booked", "lost", ""]),
            "duration_seconds": random.randrange(300),
        }
        for number, time in enumerate(times)
    ]


def write(file: Path, rows: list[dict[str, Any]]) -> None:
    with file.open("w", newline="") as text:
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def imported(org: Organisation, file: Path, map_file: Path, zone: str) -> None:
    environment = stacks.local_environment() | {
        "ROLLCALL_API": org.stack.api,
        "ROLLCALL_TOKEN": org.token,
    }
    options = ("--map", str(map_file), "--timezone", zone, "--no-resume")
    done = run_command("import", str(file), *options, environment=environment)
    assert done.returncode == 0, done.stderr
    accepted = len(file.read_text().splitlines()) - 1
    assert f"{accepted} accepted, 0 unchanged, 0 stale, 0 rejected" in done.stdout


def assert_answers(answer: Any) -> Any:
    assert answer.status == 200, answer.body
    return answer.json


def all_queries() -> list[tuple[str, str, Any]]:
    """(method, path, body) of queries in every dialect, over rollups and over pages."""
    asked: list[tuple[str, str, Any]] = []
    for query_type in BREEZE_TYPES:
        for filters in ({}, {"template_id": "template-1"}, {"min_duration": 60}):
            body = {"query_type": query_type, "filters": filters, "page_size": 1_000}
            asked.append(("POST", BREEZE, body))
            asked.append(("POST", BREEZE, {**body, "timezone": "America/New_York"}))
    for first in ("2025-01-01", "2025-03-01", "2025-11-01"):
        body = {"from": f"{first}T00:00:00Z", "to": f"{first[:8]}28T23:59:59Z"}
        asked.append(("POST", nlpearl_route("Outbound", "campaign-1"), body))
    every = ["calls", "answered", "talk_seconds", "p90_duration", "distinct_leads", "answer_rate"]
    for dimension in ("day", "month", "hour_of_day", "outcome", "space_token", "campaign_id"):
        for more in (
            {},
            {"timezone": "America/New_York"},
            {"from": "2025-06-01", "to": "2025-07-15"},
        ):
            body = {"measures": every, "dimensions": [dimension], **more}
            asked.append(("POST", "/v1/query", body))
    asked.append(("GET", "/v1/values/outcome?from=2024-12-01&to=2026-02-01", None))
    return asked


def test_every_answer_is_as_if_the_times_had_been_right_from_the_start(
    organisations: tuple[Organisation, Organisation],
) -> None:
    corrected, right = organisations
    has_data = 0
    for method, path, body in all_queries():
        answers = [assert_answers(org.send(method, path, body)) for org in organisations]
        assert answers[0] == answers[1], (path, body)
        has_data += answers[0] not in ({}, [], None)
    assert has_data > 40
    for space in (None, "space-0", "space-2"):
        assert corrected.unpod(space) == right.unpod(space)
    assert (right.unpod() or {})["total_calls"] == CALLS


def test_every_call_is_found_where_it_belongs(
    organisations: tuple[Organisation, Organisation],
) -> None:
    for order in ("newest", "oldest"):
        found = []
        for org in organisations:
            calls: list[dict[str, Any]] = []
            body: dict[str, Any] = {"order": order, "limit": 70}
            while True:
                answer = assert_answers(org.send("POST", "/v1/calls/search", body))
                calls += answer["calls"]
                if answer["next"] is None:
                    break
                body = {**body, "cursor": answer["next"]}
            found.append([{n: v for n, v in each.items() if n != "updated_at"} for each in calls])
        assert found[0] == found[1]
        assert len(found[0]) == CALLS
    one = assert_answers(organisations[0].send("GET", "/v1/calls/call-7"))
    assert one["counted"] is True


def test_no_live_row_is_left_at_an_old_time(
    stack: Stack, organisations: tuple[Organisation, Organisation]
) -> None:
    rows_of = []
    for org in organisations:
        org_id = next(o.id for o in stack.administer.organisations() if o.handle == org.handle)
        rows_of.append(
            [
                row
                for item in scanned(stack.client, stack.ready["analytics_table"], org_id)
                if "#LEDGER#call#" in item["PK"]["S"]
                for row in Rows.decode("call", item["data"]["B"])
            ]
        )
    live = [
        sorted((row.id, row.time_ms) for row in rows if row.record is not None) for rows in rows_of
    ]
    assert live[0] == live[1]
    dead = [[row for row in rows if row.record is None] for rows in rows_of]
    assert len(dead[0]) == CALLS
    assert dead[1] == []
