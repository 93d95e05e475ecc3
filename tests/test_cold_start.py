"""What a function loads when it starts: numpy only where pages are read, pydantic only for bodies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[1] / "functions"
HEAVY = {
    "authorize_request": set(),
    "get_organisation_analytics": set(),
    "list_organisations": set(),
    "ingest_records": {"pydantic"},
    "update_rollups": {"numpy"},
    "query_analytics": {"numpy", "pydantic"},
    "get_inbound_analytics": {"numpy", "pydantic"},
    "get_outbound_analytics": {"numpy", "pydantic"},
    "get_pearl_analytics": {"numpy", "pydantic"},
    "get_workspace_analytics": set(),
    "get_audit": set(),
    "reconcile_organisations": {"numpy"},
}
PROGRAM = """
import json, runpy, sys
runpy.run_path(sys.argv[1])
print(json.dumps([name for name in ("numpy", "pydantic", "boto3") if name in sys.modules]))
"""


def test_every_function_is_listed() -> None:
    assert {path.parent.name for path in FUNCTIONS.glob("*/handler.py")} == HEAVY.keys()


@pytest.mark.parametrize("function", HEAVY)
def test_only_what_is_needed_is_loaded(function: str, tmp_path: Path) -> None:
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROLLCALL_FAILURE_DESTINATION": tmp_path.as_uri(),
    }
    handler = FUNCTIONS / function / "handler.py"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(handler)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == HEAVY[function]
