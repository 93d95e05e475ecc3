"""What a function loads when it starts: numpy only where pages are read, pydantic only for bodies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rollcall_cli.openapi.operations import OPERATIONS

FUNCTIONS = Path(__file__).parents[1] / "functions"
# The functions that read pages for nearly every event.
READ_PAGES = {
    "update_rollups",
    "query_analytics",
    "get_inbound_analytics",
    "get_outbound_analytics",
    "get_pearl_analytics",
    "get_call",
    "get_record",
    "list_values",
    "query_records",
    "search_calls",
    "reconcile_organisations",
}
READ_BODIES = {name for name, operation in OPERATIONS.items() if operation.body is not None}
PROGRAM = """
import json, runpy, sys
runpy.run_path(sys.argv[1])
print(json.dumps([name for name in ("numpy", "pydantic", "boto3") if name in sys.modules]))
"""


@pytest.mark.parametrize(
    "function", sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))
)
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
    loaded = set(json.loads(done.stdout))
    assert ("numpy" in loaded) == (function in READ_PAGES)
    assert ("pydantic" in loaded) == (function in READ_BODIES)
    assert "boto3" not in loaded
