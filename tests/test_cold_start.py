"""What a function loads when it starts: numpy only where pages are read, pydantic only for bodies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rollcall_cli.openapi.operations import OPERATIONS

# The tests are short; the functions that their fixture starts are not.
pytestmark = pytest.mark.slow

HANDLERS = sorted((Path(__file__).parents[1] / "functions").glob("*/handler.py"))
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
    "merge_pages",
}
READ_BODIES = {name for name, operation in OPERATIONS.items() if operation.body is not None}
HEAVY = ("numpy", "pydantic", "boto3")
# These write records, which are parsed like those of a body.
WRITE_RECORDS = {"sweep_hooks", "replay_deliveries"}
# A process for each function, forked from one that has what all of them load. Prints a line of JSON for
# each: its name, and which of the heavy packages it loaded.
PROGRAM = """
import json, os, pathlib, runpy, sys
import rollcall.bootstrap, rollcall.storage.client
heavy = json.loads(sys.argv[1])
assert not sys.modules.keys() & set(heavy), "a function would have them without asking"
for handler in map(pathlib.Path, sys.argv[2:]):
    child = os.fork()
    if child == 0:
        sys.path.insert(0, str(handler.parent))
        runpy.run_path(str(handler))
        loaded = [name for name in heavy if name in sys.modules]
        print(json.dumps([handler.parent.name, loaded]), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, handler
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Which of the heavy packages each function loads when it starts."""
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROLLCALL_FAILURE_DESTINATION": tmp_path_factory.mktemp("failures").as_uri(),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(HEAVY), *map(str, HANDLERS)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: set(heavy) for name, heavy in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("function", [path.parent.name for path in HANDLERS])
def test_only_what_is_needed_is_loaded(function: str, loaded: dict[str, set[str]]) -> None:
    assert ("numpy" in loaded[function]) == (function in READ_PAGES)
    assert ("pydantic" in loaded[function]) == (function in READ_BODIES | WRITE_RECORDS)
    assert "boto3" not in loaded[function]
