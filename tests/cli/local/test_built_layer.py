"""What `make build` made, as it is deployed: imported and run by the Python of Lambda's version."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollcall_cli.errors import CommandError
from rollcall_cli.local.built_code import Code, choose_code
from rollcall_cli.local.rie import RieRuntime, find_emulator
from rollcall_cli.local.runtime import invoke
from rollcall_cli.local.template import load_template
from rollcall_cli.openapi.examples import SETTING
from tests.support import stack as stacks
from tests.support.auditing import EXACT, have_audited
from tests.support.exchanges import EXCHANGES, check, send
from tests.support.hooking import hooked, retell_body
from tests.support.stack import Organisation, Stack

pytestmark = pytest.mark.engine


ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "template.yaml"
EVENT = ROOT / "events/reconcile_organisations/hourly.json"
ADR = ROOT / "docs/adr/0005-makefile-built-layer.md"

IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
import rollcall

for module in pkgutil.walk_packages(rollcall.__path__, "rollcall."):
    importlib.import_module(module.name)
print(json.dumps({
    "version": sys.version_info[:2],
    "files": {name: module.__file__ for name, module in sys.modules.items()
              if getattr(module, "__file__", None)},
}))
"""


def unavailable(reason: str) -> None:
    if os.environ.get("ROLLCALL_REQUIRE_BUILD") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def code() -> Code:
    try:
        code = choose_code(load_template(TEMPLATE))
    except CommandError as reason:
        unavailable(str(reason))
    if not code.is_built:
        unavailable(code.description)
    return code


@pytest.fixture(scope="module")
def layer(code: Code) -> Path:
    (folder,) = {folder for each in code.functions.values() for folder in each.layer_folders}
    return folder


@pytest.fixture(scope="module")
def emulator(code: Code) -> Path:
    try:
        return find_emulator(TEMPLATE)
    except CommandError as reason:
        unavailable(str(reason))


@pytest.fixture(scope="module")
def stack(emulator: Path) -> Iterator[Stack]:
    """A `rollcall local` whose functions are the built ones."""
    stacks.skip_without_dynamodb_local()
    running = stacks.start("dynamodb-local", arguments=["--runtime", "rie"])
    yield running
    running.stop()


@pytest.fixture(scope="module")
def acme(stack: Stack) -> Organisation:
    stack.new_organisation("globex", "Globex")
    org = stack.new_organisation("acme", "Acme")
    check(org, *SETTING)
    stack.drain()
    return org


def test_every_module_is_imported_from_what_is_left_in_the_layer(
    code: Code, layer: Path, tmp_path: Path
):
    environment = {
        "PYTHONPATH": str(layer),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "ROLLCALL_FAILURE_DESTINATION": tmp_path.as_uri(),
    }
    done = subprocess.run(
        [code.python, "-c", IMPORT_EVERYTHING],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["version"] == [3, 13]
    sources = ROOT / "layers/rollcall"
    modules = {
        ".".join(path.relative_to(sources).with_suffix("").parts).removesuffix(".__init__")
        for path in (sources / "rollcall").rglob("*.py")
    }
    assert modules <= found["files"].keys()
    shipped = {path.name.split(".")[0] for path in layer.iterdir()} - {"__pycache__"}
    elsewhere = {
        name: file
        for name, file in found["files"].items()
        if name.split(".")[0] in shipped and not Path(file).is_relative_to(layer)
    }
    assert elsewhere == {}


def test_the_layer_is_as_small_as_its_decision_says(layer: Path):
    megabytes = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) / 1e6
    stated = re.search(
        r"^\| unpacked, MB \| [\d.]+ \| ([\d.]+) \|$", ADR.read_text("utf-8"), re.MULTILINE
    )
    assert megabytes < float(stated[1]) + 1


def test_the_command_says_that_it_runs_the_build(stack: Stack):
    assert "rollcall: code: the build in .aws-sam/build, with " in stack.log.read_text()


@pytest.mark.dynamodb_local
def test_every_function_of_the_api_gives_its_documented_answers(acme: Organisation):
    have_audited(acme, EXACT)
    answering = set()
    for function, name in EXCHANGES:
        if (function, name) != SETTING:
            check(acme, function, name)
        if EXCHANGES[function, name].status == 200:
            answering.add(function)
    scheduled_or_internal = {
        "authorize_request",
        "update_rollups",
        "reconcile_organisations",
        "merge_pages",
        "sweep_hooks",
        "replay_deliveries",
    }
    answered_once_signed = {"receive_hook"}
    handlers = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    assert answering | scheduled_or_internal | answered_once_signed == handlers


@pytest.mark.dynamodb_local
def test_a_signed_delivery_of_a_provider_is_recorded(stack: Stack):
    hook = hooked(stack.new_organisation(), "retell")
    answer = hook.send(retell_body("call-1"))
    assert (answer.status, answer.json) == (200, {"recorded": True})
    assert hook.call("call-1")["provider"] == "retell"


@pytest.mark.dynamodb_local
def test_the_authorizer_refuses_an_unknown_token(acme: Organisation):
    function, name = "get_audit", "exact"
    request = dict(EXCHANGES[function, name].request)
    assert send(acme, function, request, token="rc_unknown").status == 401


@pytest.mark.dynamodb_local
def test_the_scheduled_function_audits_who_is_due(
    code: Code, emulator: Path, stack: Stack, acme: Organisation
):
    due = stack.new_organisation("initech", "Initech")
    request = dict(EXCHANGES["get_audit", "exact"].request)
    assert send(due, "get_audit", request).json["exact"] is None
    runtime = RieRuntime(code, stack.environment(), emulator)
    try:
        event = json.loads(EVENT.read_text("utf-8"))
        answer = invoke(runtime, "ReconcileOrganisationsFunction", event, 120)
    finally:
        runtime.close()
    assert answer["finished"] >= 1
    assert answer["failed"] == 0
    assert send(due, "get_audit", request).json["exact"] is True
