"""`rollcall status` on a running stack: what it finds, and its exit status."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import full_call, lead
from tests.support.stack import ROLLCALL, Organisation


def status(org: Organisation, *arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [ROLLCALL, "status", "--org", org.handle, *arguments],
        env=org.stack.environment() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def document(org: Organisation, *arguments: str, **environment: str) -> dict[str, Any]:
    code, out, err = status(org, "--json", *arguments, **environment)
    found = json.loads(out)
    assert (code, err) == (0 if found["healthy"] else 1, "")
    return found


@pytest.mark.slow
def test_a_healthy_stack_and_what_a_reconciliation_finds(org: Organisation) -> None:
    stack = org.stack
    assert org.post([lead("7"), full_call("1"), full_call("2")]).status == 200
    found = document(org, "--api", stack.api)
    [ours] = found["organisations"]
    assert (found["healthy"], found["api"]["answers"], ours["applied"]) == (True, True, True)
    assert (found["failed_objects"], ours["last_audit"]) == (None, None)
    stack.drain()
    figures = org.unpod()

    org_id = next(o["id"] for o in stack.cli("org", "list", "--json") if o["handle"] == org.handle)
    rollups = [
        {name: item[name] for name in ("PK", "SK")}
        for page in stack.client.get_paginator("scan").paginate(
            TableName=stack.ready["analytics_table"]
        )
        for item in page["Items"]
        if f"#{org_id}#" in item["PK"]["S"] and "#ROLLUP#" in item["PK"]["S"]
    ]
    stack.client.delete_item(TableName=stack.ready["analytics_table"], Key=rollups[0])
    reconciling = ("reconcile", "--org", org.handle, "--grace", "0s")
    drifted = subprocess.run(
        [ROLLCALL, *reconciling],
        env=stack.environment(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert drifted.returncode == 1
    found = document(org)
    assert (found["healthy"], found["organisations"][0]["last_audit"]["drift"]) == (False, 1)
    stack.cli(*reconciling, "--repair")
    code, out, _ = status(org, "--read-only")
    assert (code, out.splitlines()[-1]) == (0, "healthy")
    assert "not measured" in out
    assert org.unpod() == figures


@pytest.mark.slow
def test_failed_records_and_a_silent_api_need_attention(org: Organisation, tmp_path: Path) -> None:
    failures = {"ROLLCALL_FAILURE_DESTINATION": tmp_path.as_uri()}
    assert document(org, **failures)["failed_objects"] == 0
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "1.json").write_text("{}")
    (tmp_path / "quarantine" / ".2.json").write_text("unfinished")
    found = document(org, **failures)
    assert (found["healthy"], found["failed_objects"]) == (False, 1)
    code, out, _ = status(org, "--api", "http://127.0.0.1:9")
    assert (code, "DOES NOT ANSWER" in out, out.splitlines()[-1]) == (1, True, "NEEDS ATTENTION")


@pytest.mark.slow
def test_what_cannot_be_found_out_is_an_error(org: Organisation) -> None:
    for arguments, environment, words in (
        ((), {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}, "cannot be reached"),
        (("--org", "unknown"), {}, "no organisation has the handle 'unknown'"),
        (("--wait", "soon"), {}, "--wait must be a duration"),
        ((), {"ROLLCALL_FAILURE_DESTINATION": "file:///nowhere/at/all"}, "cannot be read"),
        (("--api", "http://["), {}, "is not a URL"),
    ):
        code, out, err = status(org, *arguments, **environment)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert words in err
