"""`rollcall reconcile` as a process beside a running stack: quiet, damaged, and under load."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from rollcall.domain.epochs import Epoch
from tests.support import drift
from tests.support import stack as stacks
from tests.support.figures import assert_figures, send
from tests.support.generate import batches, mixed_records
from tests.support.oracle import Oracle
from tests.support.stack import ROLLCALL, Organisation, Stack, request
from tests.support.tables import Tables

AUDIT = "/v1/audit"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stacks.skip_without_dynamodb_local()
    running = stacks.start("dynamodb-local")
    yield running
    running.stop()


def reconcile(stack: Stack, handle: str, *options: str) -> tuple[int, Any]:
    done = subprocess.run(
        [ROLLCALL, "reconcile", "--org", handle, "--json", *options],
        env=stack.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def audit_of(organisation: Organisation) -> Any:
    headers = [("Authorization", f"Token {organisation.token}")]
    answer = request(organisation.stack.api, "GET", AUDIT, headers)
    assert answer.status == 200, answer.body
    return answer.json


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_drift_is_reported_repaired_and_served(stack: Stack) -> None:
    organisation, oracle = stack.new_organisation("drifting"), Oracle()
    send(organisation, oracle, mixed_records(5, 400, days=3, spaces=3))
    stack.drain()
    assert audit_of(organisation)["last_run"] is None

    status, reported = reconcile(stack, "drifting", "--grace", "1s")
    assert (status, reported["drift"], reported["exact"]) == (0, 0, True)
    served = audit_of(organisation)
    for name in ("facts", "rows", "pages", "rollups", "drift", "exact"):
        assert served[name] == reported[name], name
    assert served["last_run"] == reported["finished_at"]

    org_id = next(o["id"] for o in stack.cli("org", "list", "--json") if o["handle"] == "drifting")
    tables = Tables(stack.ready["dynamodb"], org_id)
    planter = drift.Planter(tables, Epoch(org_id, 0), Random(5))
    for plant in (drift.Planter.row_lost, drift.Planter.rollup_altered):
        assert plant(planter)
    status, reported = reconcile(stack, "drifting", "--grace", "1s")
    assert (status, reported["exact"], reported["repaired"]) == (1, False, 0)
    assert {"row_missing", "rollup_differs"} <= {found["kind"] for found in reported["differences"]}
    assert all(found["since"] and found["amount"] for found in reported["differences"])
    assert audit_of(organisation)["exact"] is False

    status, repaired = reconcile(stack, "drifting", "--grace", "1s", "--repair")
    assert (status, repaired["exact"]) == (0, True)
    assert repaired["repaired"] == repaired["drift"] >= 2
    assert_figures(organisation, oracle)
    assert reconcile(stack, "drifting", "--grace", "1s")[0] == 0


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_under_load_it_finds_nothing_and_repairs_nothing(stack: Stack) -> None:
    organisation, oracle = stack.new_organisation("busy"), Oracle()
    records = mixed_records(6, 4_000, versions=(1, 3), deletes=0.1, days=5, spaces=3)
    stopped = threading.Event()
    sent = 0

    def load() -> None:
        nonlocal sent
        for batch in batches(records, 40):
            if stopped.wait(0.3):  # some 100 records a second, for about a minute
                return
            answer = organisation.post(batch)
            assert answer.status in (200, 207, 422), answer.body
            oracle.post(batch, time.time_ns() // 1_000_000)
            sent += len(batch)

    client = threading.Thread(target=load)
    client.start()
    try:
        for run in range(2):
            before = sent
            status, audit = reconcile(stack, "busy", "--repair", "--grace", "15s")
            assert run or sent > before, "nothing was written meanwhile"
            assert (audit["drift"], audit["repaired"]) == (0, 0), audit
            assert status == (1 if audit["unsettled"] else 0)
            print(
                f"{audit['facts']} facts, {audit['unsettled']} unsettled, sent {before} to {sent}"
            )
    finally:
        stopped.set()
        client.join(60)
    stack.drain()
    assert_figures(organisation, oracle)
    status, audit = reconcile(stack, "busy", "--grace", "1s")
    assert (status, audit["drift"], audit["unsettled"]) == (0, 0, 0)
