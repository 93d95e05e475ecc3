"""`rollcall export` against a stack, stopped with Ctrl-C at random places."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support import stack as stacks
from tests.support.builders import call

TOTAL = 2_300  # five pages


@pytest.fixture(scope="module")
def org(stack: Any) -> Any:
    org = stack.new_organisation()
    for first in range(0, TOTAL, 500):
        records = [
            call(
                f"c{n:04d}",
                started_at=f"2026-11-{1 + n % 28:02d}T10:00:00Z",
                status="completed" if n % 2 else "busy",
                duration_seconds=n,
                payload={"n": n},
            )
            for n in range(first, min(first + 500, TOTAL))
        ]
        assert org.post(records).status == 200
    stack.drain()
    return org


def start(org: Any, *arguments: Any) -> subprocess.Popen[str]:
    environment = stacks.local_environment() | {
        "ROLLCALL_API": org.stack.api,
        "ROLLCALL_TOKEN": org.token,
    }
    return subprocess.Popen(
        [stacks.ROLLCALL, "export", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ids_in(file: Path) -> list[str]:
    if file.suffix == ".parquet":
        return list(pq.read_table(file)["id"].to_pylist())
    with file.open(newline="", encoding="utf-8") as content:
        return [row["id"] for row in csv.DictReader(content)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_an_interrupted_export_holds_each_call_once(org: Any, tmp_path: Path, seed: int) -> None:
    """No sleep decides whether it passes: an early or late signal only stops elsewhere."""
    file = tmp_path / "calls.parquet"
    checkpoint = tmp_path / "calls.parquet.rollcall-progress"
    chance = random.Random(seed)
    for _ in range(3):
        process = start(org, file)
        while process.poll() is None and not checkpoint.exists():
            time.sleep(0.01)  # leave the command a core while it begins
        time.sleep(chance.random())  # the place of the interruption is what the test varies
        process.send_signal(chance.choice([signal.SIGINT, signal.SIGKILL]))
        process.communicate(timeout=60)
    if not file.exists():
        out, err = (process := start(org, file)).communicate(timeout=120)
        assert (process.returncode, out) == (0, f"{TOTAL} calls in {file}\n"), err
    assert sorted(ids_in(file)) == [f"c{n:04d}" for n in range(TOTAL)]
    assert {path.name for path in tmp_path.iterdir()} == {"calls.parquet"}


@pytest.mark.slow
def test_the_range_and_the_conditions_select_the_calls(org: Any, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    process = start(
        org, file, "--from", "2026-11-02", "--to", "2026-11-03", "--where", "status=busy"
    )
    out, err = process.communicate(timeout=120)
    expected = [f"c{n:04d}" for n in range(TOTAL) if n % 28 in (1, 2) and n % 2 == 0]
    assert (process.returncode, out) == (0, f"{len(expected)} calls in {file}\n"), err
    assert sorted(ids_in(file)) == expected
    again = start(org, file)
    out, err = again.communicate(timeout=60)
    assert (again.returncode, out) == (2, "")
    assert err == f"rollcall: {file} exists; remove it, or name another file\n"
