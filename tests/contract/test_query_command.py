"""`rollcall query` against a stack: what it prints is what POST /v1/query answers."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import stack as stacks
from tests.support.builders import call
from tests.support.command_line import run_command

OUTCOMES = ["booked", None, "busy", "booked"]


@pytest.fixture(scope="module")
def org(stack: Any) -> Any:
    org = stack.new_organisation()
    records = [
        call(
            n,
            started_at=f"2026-11-0{1 + n % 3}T10:00:00Z",
            duration_seconds=30 * n,
            **({"outcome": OUTCOMES[n % 4]} if OUTCOMES[n % 4] else {}),
        )
        for n in range(1, 13)
    ]
    assert org.post(records).status == 200
    stack.drain()
    return org


Query = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def query(org: Any) -> Query:
    def run(
        *arguments: str, stdin: str = "", token: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = stacks.local_environment() | {
            "ROLLCALL_API": org.stack.api,
            "ROLLCALL_TOKEN": token or org.token,
            "COLUMNS": "60",
        }
        return run_command("query", *arguments, environment=environment, stdin=stdin)

    return run


def answered(org: Any, **body: Any) -> Any:
    answer = org.send("POST", "/v1/query", body)
    assert answer.status == 200, answer.body
    return answer.json


def test_the_options_make_the_body_that_the_json_answers(org: Any, query: Query) -> None:
    done = query(
        *("--measure", "calls", "--measure", "avg_duration", "--by", "outcome"),
        *("--where", "duration_seconds=60..", "--where", "outcome!=busy"),
        *("--from", "2026-11-01", "--to", "2026-11-02", "--timezone", "Europe/Berlin"),
        *("--compare", "previous_period", "--order", "calls:asc", "--limit", "1", "--others"),
        "--json",
    )
    assert done.returncode == 0, done.stderr
    expected = answered(
        org,
        measures=["calls", "avg_duration"],
        dimensions=["outcome"],
        filters=[
            {"field": "duration_seconds", "op": "gte", "value": 60},
            {"field": "outcome", "op": "ne", "value": "busy"},
        ],
        **{"from": "2026-11-01", "to": "2026-11-02"},
        timezone="Europe/Berlin",
        compare="previous_period",
        order=[{"by": "calls", "direction": "asc"}],
        limit=1,
        others=True,
    )
    assert stacks.from_json(done.stdout) == expected
    assert expected["totals"]["calls"] > 0
    assert len(expected["rows"]) == 2


def test_the_table_shows_what_is_answered(query: Query) -> None:
    done = query("--measure", "calls", "--by", "outcome", "--where", "duration_seconds=..300")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()[:5]] == [
        ["outcome", "calls"],
        ["booked", "4"],
        ["busy", "3"],
        ["null", "3"],
        ["TOTAL", "10"],
    ]


def test_csv_is_printed_as_it_is_answered(query: Query) -> None:
    done = query("--measure", "calls", "--by", "outcome", "--csv")
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["outcome"], row["calls"]) for row in rows] == [
        ("booked", "6"),
        ("busy", "3"),
        ("", "3"),
    ]


@pytest.mark.parametrize("format", [[], ["--csv"]])
def test_each_page_leads_to_the_next(query: Query, format: list[str]) -> None:
    arguments = ["--measure", "calls", "--by", "day", "--limit", "2", *format]
    first = query(*arguments)
    said, _, cursor = first.stderr.rpartition(" --cursor ")
    assert said == "rollcall: there are more; the next page has"
    second = query(*arguments, "--cursor", cursor.strip())
    assert (second.returncode, second.stderr) == (0, "")
    days = [[f"2026-11-0{n}" in page.stdout for n in (1, 2, 3)] for page in (first, second)]
    assert days == [[True, True, False], [False, False, True]]


@pytest.mark.parametrize("is_stdin", [True, False])
def test_a_body_may_be_in_a_file(query: Query, tmp_path: Any, is_stdin: bool) -> None:
    body = '{"measures":["calls"],"dimensions":["day"],"to":"2026-11-01"}'
    file = tmp_path / "query.json"
    file.write_text(body)
    done = query("--file", "-", stdin=body) if is_stdin else query("--file", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split() == ["2026-11-01", "4"]


def test_all_faults_are_printed_each_with_its_pointer(query: Query) -> None:
    done = query(
        *("--measure", "cals", "--by", "dya", "--limit", "0"),
        *("--where", "outcom=x", "--where", "duration_seconds=long"),
    )
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert {line.split(": ")[1] for line in lines} == {
        *("/measures/0", "/dimensions/0", "/limit", "/filters/0/field", "/filters/1/value")
    }
    assert any("'cals' is not a measure of calls; known are calls, " in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "--csv"], "--json or --csv"),
        (["--last", "week"], "--last must be a number of days"),
        (["--last", "7d", "--from", "2026-11-01"], "--last cannot be combined"),
        (["--last", "7d", "--timezone", "Mars"], "--timezone Mars"),
        (["--where", "outcome"], "--where outcome"),
        (["--file", "/nonexistent"], "--file /nonexistent: No such file"),
        (["--file", "x", "--measure", "calls"], "--file has the whole query"),
        (["--file", "-", "--token", "-"], "cannot both read stdin"),
        (["--api", "http://127.0.0.1:9"], "cannot reach"),
        (["--api", "ftp://x"], "is not a URL"),
        ([], "/measures: is required"),
    ],
)
def test_what_cannot_be_asked_is_one_line(query: Query, arguments: list[str], words: str) -> None:
    done = query(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_the_token_needs_the_scope_read(org: Any, query: Query) -> None:
    other = org.new_token("ingest")["token"]
    done = query("--measure", "calls", token=other)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "it needs the permission read" in done.stderr
    assert "does not accept the token" in query("--measure", "calls", token="rc_no").stderr


def test_a_terminal_gets_bars(org: Any) -> None:
    """On a terminal of 40 columns, the greatest bar ends at its edge."""
    main, other = pty.openpty()
    environment = stacks.local_environment() | {
        "ROLLCALL_API": org.stack.api,
        "ROLLCALL_TOKEN": org.token,
        "COLUMNS": "40",
        "TERM": "xterm",
    }
    arguments = ["--measure", "calls", "--by", "outcome"]
    process = subprocess.Popen(
        [stacks.ROLLCALL, "query", *arguments], env=environment, stdout=other, stderr=other
    )
    os.close(other)
    out = b""
    try:
        while chunk := os.read(main, 4096):
            out += chunk
    except OSError:  # Linux's end of a terminal
        pass
    assert process.wait(60) == 0
    os.close(main)
    lines = out.decode().splitlines()
    width = len("outcome  calls  ")
    assert lines[1] == f"booked       6  {'█' * (40 - width)}"
    assert lines[2].rstrip() == f"busy         3  {'█' * 12}"


def test_json_is_printed_as_it_is_answered(org: Any, query: Query) -> None:
    """Byte for byte: decimals keep their digits."""
    body = {"measures": ["avg_duration", "cost"]}
    done = query("--file", "-", "--json", stdin=json.dumps(body))
    assert done.stdout.encode().rstrip() == org.send("POST", "/v1/query", body).body
