"""`rollcall local` as a process: one line when ready, signals, mistakes; and the emulator runtime."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rollcall_cli.errors import CommandError
from rollcall_cli.local.rie import find_emulator
from rollcall_cli.local.seed import SEED, read_seed
from rollcall_cli.local.stack import LocalStack
from tests.support.command_line import run_command
from tests.support.stack import local_environment, skip_without_dynamodb_local

pytestmark = pytest.mark.engine


ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "rollcall_cli.main", "local"]


@contextmanager
def started(*arguments: Any) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--dynamodb-port", "0", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=30)[1]
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate(timeout=30)


def refused(*arguments: Any) -> str:
    """stderr of a start that must fail with status 2 and one line of explanation."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine", ["moto", pytest.param("dynamodb-local", marks=pytest.mark.dynamodb_local)]
)
@pytest.mark.parametrize("signals", [["SIGINT"], ["SIGTERM"], ["SIGINT", "SIGINT"]])
def test_it_says_ready_once_and_stops_on_signals(shared_template_path, engine, signals):
    if engine == "dynamodb-local":
        skip_without_dynamodb_local()
    with started("--engine", engine, "--template", shared_template_path) as (process, ready):
        assert set(ready) == {
            "ready",
            "api",
            "dynamodb",
            "records_table",
            "analytics_table",
            "hook_key",
        }
        assert ready["ready"] is True
        assert ready["records_table"] == "rollcall-records"
        with urllib.request.urlopen(ready["api"] + "/_local/health") as answer:
            assert answer.status == 200
        for name in signals:
            process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err
        assert err.splitlines()[-1] == "rollcall: stopped"
        for url in (ready["api"], ready["dynamodb"]):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)


@pytest.mark.slow
def test_the_seed_is_in_the_numbers_when_it_says_ready():
    sample = read_seed(ROOT / SEED).organisations[0]
    headers = {"Authorization": f"Token {sample.tokens[0].token}", "Org-Handle": sample.handle}
    expected = ROOT / "events/get_organisation_analytics/organisation.answer.json"
    with started("--engine", "moto", "--template", ROOT / "template.yaml", "--seed") as (_, ready):
        url = ready["api"] + "/api/v2/platform/organisation/analytics/"
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            assert json.load(answer) == json.loads(expected.read_text("utf-8"))["body"]


@pytest.mark.slow
def test_the_seed_has_an_address_that_signs_in_to_the_dashboard():
    sample = read_seed(ROOT / SEED).organisations[0]
    arguments = ("--engine", "moto", "--template", ROOT / "template.yaml", "--seed")
    with started(*arguments) as (process, ready):
        assert process.stderr is not None
        shown = next(line for line in process.stderr if "dashboard of " in line)
        url, code = re.search(r"dashboard of acme: (\S+)/#code=(\S+)$", shown).groups()
        assert url == ready["api"]
        body = json.dumps({"code": code}).encode()
        with urllib.request.urlopen(f"{url}/_local/sign-in", body) as answer:
            token = json.load(answer)["token"]
        assert token in {each.token for each in sample.tokens}
        headers = {"Authorization": f"Token {token}"}
        audit = urllib.request.Request(f"{url}/v1/audit", headers=headers)
        with urllib.request.urlopen(audit) as answer:
            assert answer.status == 200


@pytest.mark.slow
def test_what_functions_print_stays_off_stdout(shared_template_path, tmp_path):
    project = tmp_path / "copy"
    shutil.copytree(shared_template_path.parent, project)
    handler = project / "functions/echo/handler.py"
    handler.write_text("print('loaded')\n" + handler.read_text())
    with started("--engine", "moto", "--template", project / "template.yaml") as (process, _):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert out == ""
        assert "loaded" in err


@pytest.mark.slow
def test_mistakes_end_in_one_line(shared_template_path, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused("--engine", "moto", "--port", port, "--template", shared_template_path)
        assert line == (
            f"rollcall: port {port} is in use; stop the process that listens there, or choose another"
            " with --port (--port 0 takes any free one)"
        )
        arguments = ("--engine", "moto", "--port", 0, "--template", shared_template_path)
        assert "--dynamodb-port" in refused(*arguments, "--dynamodb-port", port)
    arguments = ("--port", 0, "--dynamodb-port", 0)
    assert "--engine" in refused(
        *arguments, "--engine", "mysql", "--template", shared_template_path
    )
    assert "cannot read the template" in refused(*arguments, "--template", tmp_path / "none.yaml")
    assert "--runtime" in refused(*arguments, "--runtime", "docker")
    without_seed = ("--engine", "moto", "--template", shared_template_path, "--seed")
    assert "events/seed.json: No such file" in refused(*arguments, *without_seed)
    assert "there is no file" in refused(
        *arguments,
        "--engine",
        "dynamodb-local",
        "--jar",
        "none.jar",
        "--template",
        shared_template_path,
    )


@pytest.mark.parametrize(
    ("arguments", "status", "last_line"),
    [
        (["local", "--nope"], 2, "rollcall: No such option: --nope; see rollcall local --help"),
        (["nope"], 2, "rollcall: No such command 'nope'; see rollcall --help"),
        ([], 2, ""),
        (["--help"], 0, ""),
    ],
)
def test_the_command_line_is_explained(arguments, status, last_line):
    done = run_command(*arguments, environment=local_environment())
    assert (done.returncode, done.stderr.strip()) == (status, last_line)
    assert bool(last_line) != ("local" in done.stdout)


def test_the_emulator_runs_the_same_functions(shared_template_path):
    try:
        emulator = find_emulator(ROOT / "template.yaml")
    except CommandError as reason:
        pytest.skip(str(reason))
    with LocalStack(
        engine="moto",
        port=0,
        dynamodb_port=0,
        runtime="rie",
        emulator=emulator,
        template=shared_template_path,
    ) as stack:

        def call(path: str, body: bytes | None = None, token: str = "Token good") -> Any:
            headers = {"Authorization": token}
            request = urllib.request.Request(stack.api_url + path, body, headers)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, None

        status, seen = call("/echo/5")
        assert (status, seen["greeting"], seen["layer"]) == (200, "hello", "shared")
        assert seen["function"] == "rollcall-EchoFunction"
        assert call("/echo/5", token="Token bad") == (401, None)
        assert call("/answer", b'{"raise": "x"}') == (502, None)
        assert call("/answer", b'{"sleep": 3, "answer": {"statusCode": 200}}') == (502, None)
        assert call("/answer", b'{"answer": {"statusCode": 201, "body": "{}"}}') == (201, {})
        key = {"PK": {"S": "ORG#1#"}, "SK": {"S": "FACT#rie"}}
        stack.client().put_item(TableName=stack.records_table, Item=key)
        assert stack.drain(60)
        copied = stack.client().get_item(
            TableName=stack.analytics_table, Key={"PK": {"S": "COPY"}, "SK": {"S": "FACT#rie"}}
        )
        assert copied["Item"]["event"]["S"] == "INSERT"


@pytest.mark.dynamodb_local
def test_an_engine_does_not_outlive_a_killed_stack(shared_template_path):
    skip_without_dynamodb_local()
    with started("--engine", "dynamodb-local", "--template", shared_template_path) as (
        process,
        ready,
    ):
        process.kill()
        process.wait(30)
        port = int(ready["dynamodb"].rpartition(":")[2])
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                break
            time.sleep(0.02)
        else:
            pytest.fail("DynamoDB Local still answers")
