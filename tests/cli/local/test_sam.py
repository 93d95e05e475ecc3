"""What `sam local` is given: the variables of every function, a harmless profile, and the commands."""

from __future__ import annotations

import itertools
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest

from rollcall_cli.errors import CommandError
from rollcall_cli.local import sam
from rollcall_cli.local.intrinsics import read_yaml
from rollcall_cli.local.template import load_template

ROOT = Path(__file__).parents[3]
TEMPLATE = load_template(ROOT / "template.yaml")
STACK = {
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:3011",
    "AWS_ACCESS_KEY_ID": "local",
    "ROLLCALL_RECORDS_TABLE": "records-here",
    "ROLLCALL_ANALYTICS_TABLE": "analytics-here",
    "ROLLCALL_FAILURE_DESTINATION": "file:///somewhere/on/this/machine",
}
CHOSEN = sam.variables(TEMPLATE, STACK)
COMMANDS = sam.SamCommands("sam", "built/template.yaml", "env.json", "aws-config", "linux")


def declared() -> dict[str, set[str]]:
    """The variables of each function, read from the file itself."""
    document = read_yaml((ROOT / "template.yaml").read_text("utf-8"))
    shared = document["Globals"]["Function"]["Environment"]["Variables"]
    return {
        name: set(shared) | set(resource["Properties"].get("Environment", {}).get("Variables", {}))
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


# ------------------------------------------------------------------ variables
def test_every_declared_variable_is_set_and_no_other():
    """SAM drops a variable that is not declared, and takes from the shell one that is not set."""
    assert {name: set(values) for name, values in CHOSEN.items()} == declared()


@pytest.mark.parametrize("function", CHOSEN)
def test_a_function_gets_what_leads_to_the_stack(function):
    values = CHOSEN[function]
    assert values["AWS_ENDPOINT_URL_DYNAMODB"] == "http://host.docker.internal:3011"
    assert values["ROLLCALL_RECORDS_TABLE"] == "records-here"
    assert values["ROLLCALL_ANALYTICS_TABLE"] == "analytics-here"
    destination = values.get("ROLLCALL_FAILURE_DESTINATION", "file:///tmp/")
    assert destination.startswith("file:///tmp/"), "a container can write nowhere else"
    assert all(isinstance(value, str) for value in values.values())


def test_the_deployed_functions_call_the_service():
    assert {f.environment["AWS_ENDPOINT_URL_DYNAMODB"] for f in TEMPLATE.functions.values()} == {""}


def test_a_function_that_declares_no_endpoint_is_refused():
    functions = dict(TEMPLATE.functions)
    variables = dict(functions["GetAuditFunction"].environment)
    del variables["AWS_ENDPOINT_URL_DYNAMODB"]
    functions["GetAuditFunction"] = replace(functions["GetAuditFunction"], environment=variables)
    with pytest.raises(CommandError, match="GetAuditFunction does not declare AWS_ENDPOINT_URL"):
        sam.variables(replace(TEMPLATE, functions=functions), STACK)


@pytest.mark.parametrize(
    ("here", "in_container"),
    [
        ("http://127.0.0.1:3011", "http://host.docker.internal:3011"),
        ("http://localhost:8000/", "http://host.docker.internal:8000/"),
        ("http://[::1]:8000", "http://host.docker.internal:8000"),
        ("http://localhost", "http://host.docker.internal"),
        ("http://192.0.2.7:8000", "http://192.0.2.7:8000"),
        ("https://dynamodb.example:8000/x", "https://dynamodb.example:8000/x"),
    ],
)
def test_an_endpoint_of_this_machine_has_another_name_in_a_container(here, in_container):
    assert sam.endpoint_in_container(here) == in_container


def test_a_build_must_declare_the_same_variables():
    sam.require_current_build(TEMPLATE, TEMPLATE)
    functions = dict(TEMPLATE.functions)
    functions["GetAuditFunction"] = replace(functions["GetAuditFunction"], environment={})
    for stale in (replace(TEMPLATE, functions=functions), replace(TEMPLATE, functions={})):
        with pytest.raises(CommandError, match="run make build"):
            sam.require_current_build(TEMPLATE, stale)


# -------------------------------------------------------------------- profile
def test_the_profile_opens_nothing_and_reaches_nothing(tmp_path, monkeypatch):
    """Read by botocore, as SAM reads it, under a shell with credentials of an account."""
    config = tmp_path / "aws-config"
    config.write_text(sam.AWS_CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPRODUCTION")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "production")
    session = botocore.session.Session(profile=sam.PROFILE)
    credentials = session.get_credentials()
    assert (credentials.access_key, credentials.secret_key) == ("local", "local")
    assert credentials.token is None
    sts = session.create_client("sts", region_name="us-east-1")
    assert sts.meta.endpoint_url == "http://127.0.0.1:9"
    assert sts.meta.config.retries["total_max_attempts"] == 1


# ------------------------------------------------------------------- commands
@pytest.mark.parametrize("command", [COMMANDS.start_api(3010), COMMANDS.invoke("F", "event.json")])
def test_a_command_takes_nothing_from_the_shell(command):
    words = shlex.split(command)
    assert words[:2] == ["AWS_CONFIG_FILE=aws-config", "SAM_CLI_TELEMETRY=0"]
    given = dict(itertools.pairwise(words))
    assert given["--env-vars"] == "env.json"
    assert given["--template"] == "built/template.yaml"
    assert given["--profile"] == "rollcall-local"
    assert given["--region"] == "us-east-1"


def test_only_linux_needs_the_address_of_the_host():
    assert "--add-host host.docker.internal:host-gateway" in COMMANDS.start_api(3010)
    assert "--add-host" not in replace(COMMANDS, platform="darwin").start_api(3010)


def test_a_command_can_be_pasted_with_any_path(tmp_path):
    folder = tmp_path / "o'neil's calls" / "$HOME"
    folder.mkdir(parents=True)
    program = folder / "sam"
    program.write_text('#!/bin/sh\necho "$AWS_CONFIG_FILE"\nfor word; do echo "$word"; done\n')
    program.chmod(0o755)
    paths = [str(folder / name) for name in ("t.yaml", "env.json", "config", "event.json")]
    template, variables, config, event = paths
    command = sam.SamCommands(str(program), template, variables, config).invoke("F", event)
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert said[:6] == [config, "local", "invoke", "F", "--event", event]
    assert {template, variables} < set(said)
