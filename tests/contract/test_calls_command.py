"""`rollcall calls` and `rollcall call` against a stack."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import stack as stacks
from tests.support.builders import call
from tests.support.command_line import run_command

Command = Callable[..., "subprocess.CompletedProcess[str]"]
TOTAL = 13


@pytest.fixture(scope="module")
def org(stack: Any) -> Any:
    org = stack.new_organisation()
    records = [
        call(
            f"c/{n:02d}" if n % 2 else n,
            started_at=f"2026-11-01T10:00:{n:02d}Z",
            duration_seconds=n,
            outcome="booked" if n % 3 else "busy",
            payload={"plan": "12", "score": n},
        )
        for n in range(1, TOTAL + 1)
    ]
    assert org.post(records).status == 200
    stack.drain()
    return org


@pytest.fixture
def rollcall(org: Any) -> Command:
    def run(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
        environment = stacks.local_environment() | {
            "ROLLCALL_API": org.stack.api,
            "ROLLCALL_TOKEN": org.token,
            "COLUMNS": str(columns),
        }
        return run_command(*arguments, environment=environment)

    return run


def test_the_pages_hold_each_call_once(rollcall: Command) -> None:
    ids: list[str] = []
    cursor: list[str] = []
    while True:
        done = rollcall("calls", "--oldest", "--limit", "5", "--json", *cursor)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        ids += [str(each["id"]) for each in answer["calls"]]
        if answer["next"] is None:
            break
        cursor = ["--cursor", answer["next"]]
    assert ids == [f"c/{n:02d}" if n % 2 else str(n) for n in range(1, TOTAL + 1)]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_has_the_newest_first_and_fits(rollcall: Command, columns: int) -> None:
    done = rollcall(
        "calls", "--where", "outcome=busy", "--where", "duration_seconds=..9", columns=columns
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["id", "c/09", "6", "c/03"]
    assert lines[1].split()[:5] == ["2026-11-01T10:00:09Z", "c/09", "completed", "9", "busy"]
    assert [line for line in lines if len(line.rstrip()) > columns] == []


def test_more_pages_are_announced(rollcall: Command) -> None:
    done = rollcall("calls", "--limit", "2")
    assert done.stderr.startswith("rollcall: there are more; the next page has --cursor ")


def test_csv_is_printed_as_it_is_answered(rollcall: Command) -> None:
    done = rollcall("calls", "--csv", "--limit", "3", "--last", "3650d", "--timezone", "UTC")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["payload.score"] for row in rows] == ["13", "12", "11"]


def test_faults_are_printed(rollcall: Command) -> None:
    done = rollcall("calls", "--where", "outcom=x", "--limit", "501")
    assert (done.returncode, done.stdout) == (2, "")
    pointers = {line.split(": ")[1] for line in done.stderr.splitlines()}
    assert pointers == {"/filters/0/field", "/limit"}


def test_a_call_is_shown_field_by_field(org: Any, rollcall: Command) -> None:
    done = rollcall("call", "c/03")
    assert (done.returncode, done.stderr) == (0, "")
    fields = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert fields["id"].strip() == "c/03"
    assert fields["payload.plan"].strip() == '"12"'
    assert fields["payload.score"].strip() == "3"
    assert fields["counted"].strip() == "true"
    answer = org.send("GET", "/v1/calls/c%2F03")
    assert rollcall("call", "c/03", "--json").stdout.encode().rstrip() == answer.body


def test_an_unknown_call_is_an_error(rollcall: Command) -> None:
    done = rollcall("call", "c/99")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rollcall: there is no call 'c/99'\n"
