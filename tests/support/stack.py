"""Start, talk to and stop a local stack as a user would: as a process, over HTTP. Reused by suites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.config import Config

from rollcall.hooks.manage import ManageHooks
from rollcall.maintenance.accounts import Administer
from rollcall.retry import Backoff
from rollcall.storage.accounts import Directory
from rollcall.storage.hook_states import HookStates
from rollcall.storage.hooks import HookStore
from rollcall.storage.sealing import cipher
from rollcall_cli.local import dynamodb_local
from rollcall_cli.local.jar import Unavailable

ROOT = Path(__file__).parents[2]
ROLLCALL = Path(sys.executable).with_name("rollcall")
READY_SECONDS = 120
UNPOD = "/api/v2/platform/organisation/analytics/"
ORGANISATIONS = "/api/v2/platform/organizations/"
RECORDS = "/v1/records"
BREEZE = "/analytics"
BREEZE_IN_FULL = "/agent/voice/breeze-buddy/analytics"

# Runs the handler at a path, and prints its answer as the last line.
_INVOKE = """
import json, runpy, sys, types
context = types.SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 60_000)
print(json.dumps(runpy.run_path(sys.argv[1])["lambda_handler"]({}, context)))
"""

Headers = Iterable[tuple[str, str]]


# ------------------------------------------------------------------ JSON


def to_json(value: Any) -> str:
    """JSON that keeps decimals as they are written."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(to_json, value)) + "]"
    return json.dumps(value)


def from_json(text: bytes | str) -> Any:
    """Read JSON without losing digits (`int` refuses thousands of them)."""
    return json.loads(text, parse_float=Decimal, parse_int=_integer)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < 4_000 else Decimal(text)


# ------------------------------------------------------------------ HTTP


@dataclass(frozen=True)
class Response:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @cached_property
    def json(self) -> Any:
        return from_json(self.body)

    def header(self, name: str) -> str | None:
        """The one value of a header, in any case; None when it is absent."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


def request(
    base: str,
    method: str,
    path: str,
    headers: Headers = (),
    body: bytes | None = None,
    timeout: float = 120,
) -> Response:
    """One request on a connection of its own; header names may repeat."""
    address = urlsplit(base)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode())
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Response(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def nlpearl_route(kind: str, id: Any) -> str:
    """The path of a campaign's analytics; kind is Inbound, Outbound or Pearl."""
    version = "v2" if kind == "Pearl" else "v1"
    return f"/{version}/{kind}/{quote(str(id), safe='')}/Analytics"


def nexus_route(id: Any) -> str:
    """The path of a workspace's analytics."""
    return f"/api/workspaces/{quote(str(id), safe='')}/analytics"


# ------------------------------------------------------------------ organisations


@dataclass
class Organisation:
    """An organisation of a stack, with a token that may do everything it needs."""

    stack: Stack = field(repr=False)
    handle: str
    name: str
    token: str = field(repr=False)

    def post(self, records: Any) -> Response:
        """POST /v1/records with these records."""
        return self.post_body(to_json({"records": records}).encode())

    def post_body(self, body: bytes) -> Response:
        headers = [
            ("Authorization", f"Token {self.token}"),
            ("Content-Type", "application/json"),
        ]
        return request(self.stack.api, "POST", RECORDS, headers, body)

    def send(self, method: str, path: str, body: Any = None, headers: Headers = ()) -> Response:
        """A request with this organisation's token; bytes go out as they are, the rest as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = to_json(body).encode()
        headers = [("Authorization", f"Bearer {self.token}"), *headers]
        return request(self.stack.api, method, path, headers, body)

    def get(self, path: str = UNPOD, token: str | None = None) -> Response:
        """GET as Unpod's clients do, with this organisation's handle."""
        headers = [
            ("Authorization", f"Token {token or self.token}"),
            ("Org-Handle", self.handle),
        ]
        return request(self.stack.api, "GET", path, headers)

    def unpod(self, space_token: str | None = None) -> dict[str, Any] | None:
        """Unpod's `data`; None when the space is not found."""
        query = "" if space_token is None else f"?space_token={quote(space_token, safe='')}"
        answer = self.get(UNPOD + query)
        if answer.status == 404:
            assert answer.json == {"status_code": 404, "message": "Space not found."}
            return None
        assert answer.status == 200, answer.body
        data: dict[str, Any] = json.loads(answer.body)["data"]
        return data

    def new_token(self, *scopes: str, expires_at_ms: int | None = None) -> dict[str, str]:
        """{"token": …, "token_id": …}"""
        issued = self.stack.administer.issue_token(self.handle, scopes, expires_at_ms)
        return {"token": issued.text, "token_id": issued.stored.id}


# ------------------------------------------------------------------ the stack


class StackError(Exception):
    """The stack did not start, or a command against it failed."""


@dataclass
class Stack:
    """A running `rollcall local`."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    log: Path
    organisations: int = field(default=0)

    @property
    def api(self) -> str:
        return str(self.ready["api"])

    def environment(self) -> dict[str, str]:
        """What other `rollcall` commands need to reach the same tables."""
        return local_environment() | {
            "AWS_ENDPOINT_URL_DYNAMODB": self.ready["dynamodb"],
            "ROLLCALL_RECORDS_TABLE": self.ready["records_table"],
            "ROLLCALL_ANALYTICS_TABLE": self.ready["analytics_table"],
            "ROLLCALL_HOOK_KEY": self.ready["hook_key"],
        }

    @property
    def failures(self) -> str:
        """The failure destination."""
        return str(self.ready["hook_key"]).rpartition("/")[0] + "/failures"

    def cli(self, *arguments: str) -> Any:
        """Run a `rollcall` command; its output read as JSON, or as text when it is none."""
        done = subprocess.run(
            [ROLLCALL, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise StackError(f"rollcall {' '.join(arguments)}: {done.stdout}{done.stderr}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def invoke(self, function: str) -> Any:
        """What a scheduled function answers; schedules do not run locally."""
        done = subprocess.run(
            [sys.executable, "-c", _INVOKE, str(ROOT / "functions" / function / "handler.py")],
            env=self.environment() | {"ROLLCALL_FAILURE_DESTINATION": self.failures},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise StackError(f"{function}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    @cached_property
    def client(self) -> Any:
        """A client of this stack's tables that owes nothing to this process's environment."""
        return boto3.client(
            "dynamodb",
            endpoint_url=self.ready["dynamodb"],
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(account_id_endpoint_mode="disabled"),
        )

    @cached_property
    def administer(self) -> Administer:
        """What `rollcall org` and `rollcall token` do, without a second of start-up for each."""
        directory = Directory(self.client, self.ready["records_table"], Backoff())
        return Administer(directory, lambda: time.time_ns() // 1_000_000)

    @cached_property
    def hooks(self) -> ManageHooks:
        """What `rollcall hook` does, without a second of start-up for each."""
        table, backoff = self.ready["records_table"], Backoff()
        states = HookStates(self.client, table, backoff)
        return ManageHooks(
            HookStore(self.client, table, states, backoff),
            lambda: cipher(self.ready["hook_key"]),
            Directory(self.client, table, backoff).org_id_of_handle,
            lambda: time.time_ns() // 1_000_000,
        )

    def new_organisation(self, handle: str | None = None, name: str = "") -> Organisation:
        self.organisations += 1
        handle = handle or f"org-{self.organisations}"
        name = name or f"Organisation {self.organisations}"
        self.administer.create_organisation(handle, name)
        issued = self.administer.issue_token(handle, ("read", "ingest", "admin"))
        return Organisation(self, handle, name, issued.text)

    def drain(self) -> None:
        """Return when every fact written so far is in the rollups."""
        answer = request(self.api, "POST", "/_local/drain", body=b"", timeout=600)
        assert (answer.status, answer.json) == (200, {"drained": True}), answer.body

    def kill(self) -> None:
        """SIGKILL: nothing gets a chance to clean up."""
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C or a service manager would."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.process.stdout:
            self.process.stdout.close()


def local_environment() -> dict[str, str]:
    """This environment without anything that leads to a real account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ROLLCALL_"))
    }
    # Settings of the suite itself, and where the jar is cached, stay.
    kept |= {name: os.environ[name] for name in os.environ if name.startswith("ROLLCALL_DYNAMODB")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }


def start(
    engine: str,
    *,
    port: int = 0,
    dynamodb_port: int = 0,
    arguments: Iterable[str | Path] = (),
    program: Path = ROLLCALL,
    cwd: Path = ROOT,
    start_new_session: bool = False,
) -> Stack:
    """Start `rollcall local` on free ports and wait for its ready line."""
    log = Path(tempfile.mkstemp(prefix="rollcall-stack-", suffix=".log")[1])
    command = [
        str(program), "local", "--port", str(port), "--dynamodb-port", str(dynamodb_port),
        "--engine", engine, *map(str, arguments),
    ]  # fmt: skip
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command,
            env=local_environment(),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=start_new_session,
        )
    assert process.stdout
    watchdog = threading.Timer(READY_SECONDS, process.kill)
    watchdog.start()
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            ready = _ready(line)
            if ready:
                # Keep reading, so that the process never blocks on a full pipe.
                threading.Thread(target=_swallow, args=(process.stdout,), daemon=True).start()
                return Stack(process, ready, log)
    finally:
        watchdog.cancel()
    process.wait(30)
    raise StackError(f"{' '.join(command)} was never ready.\n{''.join(said)}\n{log.read_text()}")


def _ready(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and said.get("ready") is True else None


def _swallow(stream: Iterable[str]) -> None:
    try:
        for _ in stream:
            pass
    except ValueError:
        pass  # closed by stop()


# ------------------------------------------------------------------ DynamoDB Local


def skip_without_dynamodb_local() -> dynamodb_local.Installation:
    """Skip the test, unless ROLLCALL_REQUIRE_DYNAMODB_LOCAL=1 says that this is a failure."""
    try:
        return dynamodb_local.locate()
    except Unavailable as reason:
        if os.environ.get("ROLLCALL_REQUIRE_DYNAMODB_LOCAL") == "1":
            pytest.fail(f"DynamoDB Local is required: {reason}")
        pytest.skip(f"DynamoDB Local: {reason}")


# `ROLLCALL_TEST_ENGINES` names the engines of stacks; `one` is DynamoDB Local where it can be found,
# and moto elsewhere.
ENGINES = [
    pytest.param(name, marks=[pytest.mark.dynamodb_local] if name == "dynamodb-local" else [])
    for name in os.environ.get("ROLLCALL_TEST_ENGINES", "moto,dynamodb-local").split(",")
]


def chosen_engine(name: str) -> str:
    """The engine that a parameter of ENGINES names; skip the test if it cannot run here."""
    if name == "one":
        try:
            dynamodb_local.locate()
        except Unavailable:
            return "moto"
        return "dynamodb-local"
    if name != "moto":
        skip_without_dynamodb_local()
    return name


def start_dynamodb_local(folder: Path) -> dynamodb_local.DynamoDbLocal:
    """DynamoDB Local as a process of its own, which outlives any stack; `close()` ends it."""
    return dynamodb_local.start(0, skip_without_dynamodb_local(), folder)
