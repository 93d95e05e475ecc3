"""A rebuild while records come in and answers go out: none fails, none is torn, none goes back.

The load only ever adds calls, so what an answer may say is known: never less than the same client
was answered before, never more than was sent, never older than the updater ordinarily is. Two tokens
read, whose cached authorizer answers run out at different moments; one is first used just before
the rebuild begins, so that it reads by the old number for nearly a minute after the switch.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import stack as stacks
from tests.support.figures import assert_figures
from tests.support.generate import batches
from tests.support.oracle import Oracle
from tests.support.stack import BREEZE, ROLLCALL, Organisation, Stack

# At least so long is the load; a minute is what is asked for. Longer: a rebuild follows another.
LOAD_SECONDS = float(os.environ.get("ROLLCALL_TEST_LOAD_SECONDS", "62"))
GRACE = os.environ.get("ROLLCALL_TEST_GRACE", "60s")  # a gateway's memory: no less has an effect
RECORDS_BEFORE = 1_500
BATCH = 12
OUTCOMES = 5
RECORDS_A_SECOND = 60
READS_A_SECOND = 24
MIN_RECORDS_A_SECOND = 50
MIN_READS_A_SECOND = 20
# Records are in the figures within a few seconds. An epoch that is no longer written, read for as
# long as a gateway remembers its number, would be behind by a minute.
MAX_SECONDS_BEHIND = 30


def a_call(number: int) -> dict[str, Any]:
    """One of a load in which every call is completed or failed, and lasts."""
    return {
        "type": "call",
        "id": f"call-{number}",
        "started_at": f"2024-03-{1 + number % 9:02}T{number % 24:02}:{number % 60:02}:00Z",
        "status": "completed" if number % 3 else "failed",
        "space_token": f"space-{number % 4}",
        "template_id": f"template-{number % 3}",
        "duration_seconds": number % 50,
        "outcome": f"outcome-{number % OUTCOMES}",
    }


@dataclass
class Load:
    """Writers and readers, and what they saw. `started` and all times are of one clock."""

    organisation: Organisation
    oracle: Oracle
    next_number: int = 0
    attempted: int = 0
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    reads: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    behind: list[tuple[float, float]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    # -- writing -------------------------------------------------------------------------------
    def post(self, count: int) -> None:
        """Send new calls and wait until they are acknowledged."""
        with self.lock:
            records = [a_call(self.next_number + n) for n in range(count)]
            self.next_number += count
            self.attempted += count
        answer = self.organisation.post(records)
        if answer.status != 200 or answer.json["accepted"] != count:
            self.faults.append(f"post: {answer.status} {answer.body!r}")
            return
        with self.lock:
            self.oracle.post(records, time.time_ns() // 1_000_000)
            before = self.acknowledged[-1][1] if self.acknowledged else 0
            self.acknowledged.append((time.monotonic(), before + count))

    # -- reading -------------------------------------------------------------------------------
    def read_lifetime(self, token: str, before: int) -> int:
        """One answer from rollups; gives the total, which the next must not be below."""
        began = time.monotonic()
        answer = self.organisation.get(token=token)
        if answer.status != 200:
            self.faults.append(f"lifetime: {answer.status} {answer.body!r}")
            return before
        data = answer.json["data"]
        total = int(data["total_calls"])
        if int(data["completed_calls"]) + int(data["failed_calls"]) != total:
            self.faults.append(f"torn: {data}")
        self.resolve("lifetime", total, before, began)
        return total

    def read_range(self, token: str, before: int, **limits: Any) -> int:
        """One answer about nine days, from their rollups, or with limits from the ledger."""
        began = time.monotonic()
        filters = {"date_from": "2024-03-01", "date_to": "2024-03-09", **limits}
        body = {"query_type": "outcome_distribution", "filters": filters}
        headers = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
        answer = stacks.request(
            self.organisation.stack.api, "POST", BREEZE, headers, json.dumps(body).encode()
        )
        if answer.status != 200:
            self.faults.append(f"range: {answer.status} {answer.body!r}")
            return before
        rows = answer.json["data"]
        total = sum(int(row["count"]) for row in rows)
        if total and len(rows) != OUTCOMES:
            self.faults.append(f"torn: {rows}")
        self.resolve(answer.header("X-Rollcall-Source") or "", total, before, began)
        return total

    def resolve(self, what: str, total: int, before: int, began: float) -> None:
        """Hold an answer against what was answered before, and against what was sent."""
        with self.lock:
            self.reads += 1
            self.sources[what] += 1
            attempted = self.attempted
            place = bisect_left(self.acknowledged, total + 1, key=lambda entry: entry[1])
            missed = self.acknowledged[place][0] if place < len(self.acknowledged) else began
            self.behind.append((began, max(0.0, began - missed)))
        if total < before:
            self.faults.append(f"{what}: {total} after {before}")
        if total > attempted:
            self.faults.append(f"{what}: {total}, of {attempted} that were sent")

    # -- both ----------------------------------------------------------------------------------
    def keep(self, times_a_second: float, act: Callable[[int], int]) -> None:
        """Do something at a steady rate, handing on what it gives, until the load is stopped."""

        def run() -> None:
            value = 0
            due = time.monotonic()
            while not self.stop.is_set():
                try:
                    value = act(value)
                except Exception as error:  # noqa: BLE001 - counted as a failed request
                    self.faults.append(f"{type(error).__name__}: {error}")
                due += 1 / times_a_second
                self.stop.wait(max(0.0, due - time.monotonic()))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.threads.append(thread)

    def write_on(self) -> None:
        def write(_: int) -> int:
            self.post(BATCH)
            return 0

        for _ in range(2):
            self.keep(RECORDS_A_SECOND / BATCH / 2, write)

    def read_on(self, token: str) -> None:
        rate = READS_A_SECOND / 2
        self.keep(rate / 2, lambda before: self.read_lifetime(token, before))
        self.keep(rate / 4, lambda before: self.read_range(token, before))
        # Every call has a duration, so that the limit keeps them all.
        self.keep(rate / 4, lambda before: self.read_range(token, before, min_duration=0))

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(120)


@pytest.fixture
def stack() -> Iterator[Stack]:
    stacks.skip_without_dynamodb_local()
    running = stacks.start("dynamodb-local")
    yield running
    running.stop()


def start_rebuild(organisation: Organisation, log: Path) -> subprocess.Popen[str]:
    least_waits = {"ROLLCALL_LONGEST_ANSWER_SECONDS": "5", "ROLLCALL_REBUILD_CHUNK_FACTS": "300"}
    waits = ["--grace", GRACE, "--settle", "5s", "--json"]
    with log.open("w") as stderr:
        return subprocess.Popen(
            [ROLLCALL, "rebuild", "--org", organisation.handle, *waits],
            env=organisation.stack.environment() | least_waits,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )


def rebuild(organisation: Organisation, log: Path) -> dict[str, Any]:
    """Run the command to its end; what it says of itself."""
    process = start_rebuild(organisation, log)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, log.read_text()
    return json.loads(said)


def begin_and_kill(organisation: Organisation, log: Path) -> None:
    """SIGKILL the command at some moment after it has begun to copy."""
    process = start_rebuild(organisation, log)
    while process.poll() is None and "rebuilding" not in log.read_text():
        time.sleep(0.05)
    time.sleep(0.8)
    process.kill()
    process.communicate(timeout=30)


def epochs_stored(stack: Stack, org_id: str) -> set[str]:
    """The epochs of which anything is left in the analytics table."""
    scan = stack.client.get_paginator("scan")
    found = set()
    for page in scan.paginate(TableName=stack.ready["analytics_table"]):
        parts = [item["PK"]["S"].split("#") for item in page["Items"]]
        found |= {part[2] for part in parts if part[1] == org_id}
    return found


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_no_client_notices_a_rebuild_during_ingest(stack: Stack, tmp_path: Path) -> None:
    organisation = stack.new_organisation("busy")
    (listed,) = stack.cli("org", "list", "--json")
    first, second = (organisation.new_token("read")["token"] for _ in range(2))
    load = Load(organisation, Oracle())
    for batch in batches(list(range(RECORDS_BEFORE)), 500):
        load.post(len(batch))
    stack.drain()

    began, sent_before = time.monotonic(), load.attempted
    load.write_on()
    load.read_on(first)
    load.stop.wait(3)
    begin_and_kill(organisation, tmp_path / "killed.log")
    reports = []
    while not reports or time.monotonic() - began < LOAD_SECONDS:
        load.read_lifetime(second, 0)  # from now on a gateway knows it, with the live number
        if not reports:
            load.read_on(second)
        reports.append(rebuild(organisation, tmp_path / f"rebuild-{len(reports)}.log"))
    load.end()
    seconds = time.monotonic() - began
    stack.drain()

    records = load.attempted - sent_before
    behind = sorted(each for _, each in load.behind)
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d} {seconds:.0f} s: {records} records"
        f" ({records / seconds:.1f}/s), {load.reads} reads ({load.reads / seconds:.1f}/s: {dict(load.sources)}),"
        f" {len(load.faults)} faults; behind by {behind[len(behind) // 2]:.1f} s in the median,"
        f" {behind[int(len(behind) * 0.99)]:.1f} s for 99 %, {behind[-1]:.1f} s at most"
    )
    for report in reports:
        print(report)
    print((tmp_path / "rebuild-0.log").read_text())
    assert load.faults == []
    assert seconds >= 60
    assert records / seconds >= MIN_RECORDS_A_SECOND
    assert load.reads / seconds >= MIN_READS_A_SECOND
    assert behind[-1] <= MAX_SECONDS_BEHIND
    assert load.acknowledged[-1][1] == load.attempted
    assert epochs_stored(stack, listed["id"]) == {f"E{len(reports)}"}
    assert_figures(organisation, load.oracle)
