"""`rollcall sam-local` as a process, and all that can be said of `sam local` without Docker.

The functions run here with exactly the variables that SAM would give them, seen from this machine:
the engine by its own address, and the folder of a container by another one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rollcall_cli.local.sam import SamCommands
from rollcall_cli.local.template import load_template
from rollcall_cli.openapi.operation import CSV_TYPE
from tests.sample_events.answering import answer_path, by_permission, expected_answer
from tests.sample_events.cases import CASES, Request
from tests.support import stack as stacks
from tests.support.exchanges import lasting
from tests.support.shortening import shortened
from tests.support.stack import ROLLCALL, ROOT, local_environment

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


READY_SECONDS = 600  # moto takes its time for the sample data on a busy machine
LAST_LINE = "Serving the tables until Ctrl-C"
PAGE = ROOT / "docs/sam-local.md"
PORT = 3010
ANSWER = ".answer.json"
FUNCTIONS = {
    function.folder.name: name
    for name, function in load_template(ROOT / "template.yaml").functions.items()
}
# As SAM hands them to a container, from the profile of the printed commands.
OF_THE_PROFILE = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
SAM_PYTHON = ROOT / ".venv-sam/bin/python"
# What the shell of an operator of a deployed stack may export.
PRODUCTION = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAPRODUCTION",
    "AWS_SECRET_ACCESS_KEY": "production",
    "AWS_SESSION_TOKEN": "production",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": "/production/config",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://production.invalid",
    "ROLLCALL_RECORDS_TABLE": "production-records",
    "ROLLCALL_ANALYTICS_TABLE": "production-analytics",
    "ROLLCALL_FAILURE_DESTINATION": "s3://production",
    "ROLLCALL_MOST_LEDGER_ROWS": "100000000",
}


@dataclass(frozen=True)
class Serving:
    """A running `rollcall sam-local` and what it printed."""

    process: subprocess.Popen[str]
    project: Path
    page: str

    @property
    def variables(self) -> dict[str, dict[str, str]]:
        return json.loads((self.project / ".aws-sam/env.json").read_text("utf-8"))

    @property
    def gateway(self) -> str:
        """The API without SAM."""
        return re.search(r"without SAM +(http://\S+)", self.page)[1]

    @property
    def commands(self) -> list[str]:
        """The `sam` commands, as they were printed."""
        return re.findall(r"^AWS_CONFIG_FILE=(?:.*\\\n)*.*", self.page, re.MULTILINE)


def make_project(folder: Path) -> Path:
    """A checkout whose build declares what the template does, without the time that a build takes."""
    build = folder / ".aws-sam/build"
    build.mkdir(parents=True)
    for target in (folder, build):
        shutil.copy(ROOT / "template.yaml", target)
        for name in ("functions", "layers", "events", "infrastructure"):
            (target / name).symlink_to(ROOT / name)
    (folder / ".venv-sam/bin").mkdir(parents=True)
    (folder / ".venv-sam/bin/sam").touch()
    return folder


@contextmanager
def serving(project: Path, *arguments: str) -> Iterator[Serving]:
    """The command, from its last line until a SIGINT."""
    ports = ["--port", "0", "--dynamodb-port", "0"]
    with (project / "log").open("w") as log:
        process = subprocess.Popen(
            [ROLLCALL, "sam-local", *ports, *arguments],
            cwd=project,
            env=local_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    watchdog = threading.Timer(READY_SECONDS, process.kill)
    watchdog.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(LAST_LINE):
                break
        else:
            pytest.fail(f"never ready: {''.join(lines)}{(project / 'log').read_text()}")
        watchdog.cancel()
        yield Serving(process, project, "".join(lines))
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.fixture(scope="module", params=stacks.ENGINES)
def served(request, tmp_path_factory):
    engine = stacks.chosen_engine(request.param)
    project = make_project(tmp_path_factory.mktemp("project"))
    with serving(project, "--engine", engine) as running:
        yield running


# ------------------------------------------------------------------ files and commands
def test_it_sets_every_variable_that_the_template_declares(served):
    declared = {
        name: set(function.environment)
        for name, function in load_template(ROOT / "template.yaml").functions.items()
    }
    assert {name: set(values) for name, values in served.variables.items()} == declared


def test_it_prints_the_commands_for_this_machine(served):
    commands = SamCommands(
        ".venv-sam/bin/sam",
        ".aws-sam/build/template.yaml",
        ".aws-sam/env.json",
        ".aws-sam/aws-config",
        sys.platform,
    )
    port = int(re.search(r"--port (\d+)", served.page)[1])
    event = "events/get_pearl_analytics/month.json"
    expected = [commands.start_api(port), commands.invoke("GetPearlAnalyticsFunction", event)]
    assert served.commands == expected
    assert (served.project / event).is_file()


@pytest.mark.slow
def test_it_removes_its_files_and_leaves_those_of_others(tmp_path):
    project = make_project(tmp_path)
    ours, others = project / ".aws-sam/aws-config", project / ".aws-sam/env.json"
    with serving(project, "--engine", "moto") as running:
        assert ours.exists()
        others.write_text("{}")
    assert running.process.returncode == 0
    assert not ours.exists()
    assert others.read_text() == "{}"
    assert (project / "log").read_text().splitlines()[-1] == "rollcall: stopped"


def refused(project: Path) -> str:
    """stderr of a start that fails with status 2 and one line."""
    done = subprocess.run(
        [ROLLCALL, "sam-local"], cwd=project, env=local_environment(),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_build_of_another_template_is_refused(tmp_path):
    project = make_project(tmp_path)
    built = project / ".aws-sam/build/template.yaml"
    built.write_text(built.read_text().replace('AWS_ENDPOINT_URL_DYNAMODB: ""', ""))
    assert refused(project) == (
        f"rollcall: {built} was built from another template; run make build\n"
    )


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    project = make_project(tmp_path)
    folder = project / ".aws-sam"
    shutil.rmtree(folder)
    folder.touch()
    assert refused(project) == f"rollcall: cannot make the folder {folder}: File exists\n"


# ------------------------------------------------------------------ SAM's own resolution
@pytest.mark.parametrize("number", [0, 1], ids=["start-api", "invoke"])
def test_a_shell_of_production_reaches_no_container(served, number, tmp_path):
    """The printed command, through SAM itself up to where it would start a container."""
    if not SAM_PYTHON.exists():
        pytest.skip("the SAM CLI is not installed (make build installs it)")
    probe = shlex.join([str(SAM_PYTHON), str(Path(__file__).with_name("sam_probe.py"))])
    command = served.commands[number].replace(".venv-sam/bin/sam", probe)
    # Where SAM keeps when it last looked for a newer version at pypi.org.
    (tmp_path / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))
    shell = os.environ | PRODUCTION | {"__SAM_CLI_APP_DIR": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=served.project, env=shell,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    started = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    names = {each["function"] for each in started}
    assert names == (set(FUNCTIONS.values()), {"GetPearlAnalyticsFunction"})[number]
    for each in started:
        environment = each["environment"]
        assert environment.items() >= served.variables[each["function"]].items()
        assert environment.items() >= OF_THE_PROFILE.items()
        assert "AWS_SESSION_TOKEN" not in environment
        assert "production" not in json.dumps(environment).lower()


# ------------------------------------------------------------------ every event
# A process for each function, as a container is. Its answers are the lines of stdout; what the function
# prints or logs goes to stderr.
HANDLER = """
import importlib.util, json, os, sys, types
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
spec = importlib.util.spec_from_file_location("handler", sys.argv[1] + "/handler.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
context = types.SimpleNamespace(
    get_remaining_time_in_millis=lambda: 60_000, function_name="x", memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:x", aws_request_id="1",
)
for path in sys.argv[2:]:
    with open(path) as event:
        try:
            answer = {"returned": module.lambda_handler(json.load(event), context)}
        except Exception as error:
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
    print(json.dumps(answer), file=out)
"""


def answers(served: Serving, folder: str, events: list[Path], failures: Path) -> list[Any]:
    """What a function answers to each event, with its variables of env.json and no other."""
    engine = re.search(r"database +(http://\S+)", served.page)[1]
    here = {
        f"http://host.docker.internal:{engine.rpartition(':')[2]}": engine,
        "file:///tmp/failures": failures.as_uri(),
    }
    variables = served.variables[FUNCTIONS[folder]]
    environment = {name: here.get(value, value) for name, value in variables.items()}
    assert environment["AWS_ENDPOINT_URL_DYNAMODB"] == engine
    done = subprocess.run(
        [sys.executable, "-c", HANDLER, str(ROOT / "functions" / folder), *map(str, events)],
        env=environment | OF_THE_PROFILE,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_recorded(folder: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer in the form of `<case>.answer.json`."""
    if "returned" not in answer:
        return answer
    returned = answer["returned"]
    if "statusCode" in returned:
        is_csv = returned["headers"]["Content-Type"].startswith(CSV_TYPE)
        body = returned["body"] if is_csv else json.loads(returned["body"])
        return {"status": returned["statusCode"], "body": body}
    return {"answer": by_permission(returned) if folder == "authorize_request" else returned}


def without(answer: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The answer without these members of its body."""
    if not names:
        return answer
    body = {name: value for name, value in answer["body"].items() if name not in names}
    return answer | {"body": body}


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_every_event_is_answered_as_the_file_beside_it_says(served, folder, tmp_path):
    files = sorted((ROOT / "events" / folder).glob("*.json"))
    events = [path for path in files if not path.name.endswith(ANSWER)]
    quarantined = 0
    for event, answer in zip(events, answers(served, folder, events, tmp_path), strict=True):
        wanted = expected_answer(event)
        by_clock = wanted.pop("depends_on_clock", [])
        quarantined += len(wanted.pop("quarantined", {}))
        wanted.pop("numbers_of_space", None)  # what another function answers afterwards
        found = as_recorded(folder, answer)
        case = CASES[folder][event.stem]
        if isinstance(case, Request) and case.is_shortened:
            found = shortened(found, wanted)
        if answer_path(event) is None:
            found["body"], wanted["body"] = lasting(found["body"]), lasting(wanted["body"])
        assert without(found, by_clock) == without(wanted, by_clock), event
    assert events
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == quarantined


# ------------------------------------------------------------------ the page
def blocks() -> list[tuple[str, str]]:
    """(language, text) of each fenced block of the page."""
    return re.findall(r"^```(\w+)\n(.*?)\n```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_the_page_is_what_happens(tmp_path):
    """Every block runs, or is what the command prints; `curl` calls the gateway without SAM."""
    stacks.skip_without_dynamodb_local()
    commands = SamCommands(
        ".venv-sam/bin/sam",
        ".aws-sam/build/template.yaml",
        ".aws-sam/env.json",
        ".aws-sam/aws-config",
        "linux",
    )
    printed = [
        commands.start_api(PORT),
        commands.invoke("GetPearlAnalyticsFunction", "events/get_pearl_analytics/month.json"),
    ]
    seen, answer = [], None
    with serving(make_project(tmp_path), "--engine", "dynamodb-local") as running:
        for language, text in blocks():
            program = text.split()[0].partition("=")[0]
            seen.append(program if language == "sh" else language)
            if language == "json":
                assert json.loads(text) == answer
            elif program == "AWS_CONFIG_FILE":
                assert text == printed.pop(0)
            elif program == "curl":
                here = text.replace(f"http://127.0.0.1:{PORT}", running.gateway)
                done = subprocess.run(
                    ["/bin/sh", "-c", here], capture_output=True, text=True, timeout=60, check=True
                )
                answer = json.loads(done.stdout)
            else:
                assert text == "make sam-local"
                plan = subprocess.run(
                    ["make", "--no-print-directory", "--dry-run", "sam-local"],
                    cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
                )  # fmt: skip
                assert plan.stdout.splitlines()[-1].strip() == ".venv/bin/rollcall sam-local"
    assert seen == ["make", "AWS_CONFIG_FILE", "curl", "json", "curl", "json", "AWS_CONFIG_FILE"]
