"""No log level shows an id, a payload, a token or a credential, whatever the AWS SDK would log.

Each function starts as Lambda's runtime client starts it, with JSON logs at DEBUG, and makes requests
to a server that stands in for DynamoDB and S3.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rollcall.domain.organisations import Organisation, new_token, token_id
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from tests.support.failures import poison

pytestmark = pytest.mark.engine


pytest.importorskip("awslambdaric")

FUNCTIONS = Path(__file__).parents[1] / "functions"
ORG = "org-canary-id"
TOKEN = new_token()
CANARIES = {
    "organisation": ORG,
    "token": TOKEN,
    "token's hash": token_id(TOKEN),
    "id": "canary-record-id",
    "payload": "canary-payload",
    "session token": "canary-session-token",
    "secret key": "canary-secret-key",
}
# Starts a function as `awslambdaric.bootstrap.run` does, and sends it one event.
PROGRAM = """
import json, logging, sys, types
from awslambdaric import bootstrap as runtime

folder, event, is_loud = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] == "loud"
runtime._setup_logging(
    runtime._AWS_LAMBDA_LOG_FORMAT, runtime._AWS_LAMBDA_LOG_LEVEL, runtime.StandardLogSink()
)
sys.path.insert(0, folder)
handler = runtime._get_handler("handler.lambda_handler")
if is_loud:
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.NOTSET)
context = types.SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 20_000)
logging.getLogger("of the test").debug("DEBUG is on")
try:
    print("ANSWER", json.dumps(handler(event, context))[:20])
except Exception as error:
    print("ANSWER", type(error).__name__)
"""


class Store(BaseHTTPRequestHandler):
    """DynamoDB with one organisation and nothing else; S3 that takes everything."""

    seen: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.seen.append(operation)
        answer: dict[str, Any] = {}
        if operation == "GetItem" and body["Key"]["PK"]["S"] == keys.organisation(ORG).pk:
            item = item_of_organisation(
                keys.organisation(ORG), Organisation(ORG, "acme", "Acme", 0)
            )
            answer = {"Item": item}
        if operation == "BatchGetItem":
            answer = {"Responses": {}, "UnprocessedKeys": {}}
        self.reply(json.dumps(answer).encode())

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.seen.append("PutObject")
        self.reply(b"")

    def reply(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


RECORD = {
    "type": "call",
    "id": CANARIES["id"],
    "started_at": "2026-11-21T10:00:00Z",
    "status": "completed",
    "payload": {"note": CANARIES["payload"]},
}
EVENTS: dict[str, tuple[Any, str, str]] = {
    # function: (event, how its answer begins, the request that it must have made)
    "authorize_request": (
        {
            "methodArn": "arn:aws:execute-api:eu-central-1:1:api/live/GET/x",
            "multiValueHeaders": {"Authorization": [f"Token {TOKEN}"]},
        },
        "CredentialsRefused",
        "GetItem",
    ),
    "ingest_records": (
        {
            "requestContext": {
                "authorizer": {"org_id": ORG, "org_handle": "acme", "epoch": "0"},
                "requestId": "request-1",
            },
            "multiValueHeaders": {"Authorization": [f"Token {TOKEN}"]},
            "body": json.dumps({"records": [RECORD]}),
        },
        '{"statusCode": 200',
        "PutItem",
    ),
    "update_rollups": (
        {"Records": [poison(7, org_id=ORG) | {"note": CANARIES["payload"]}]},
        '{"batchItemFailures',
        "PutObject",
    ),
}


def logged_by(function: str, url: str, *, is_loud: bool = False) -> str:
    event, answer, operation = EVENTS[function]
    Store.seen.clear()
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, str(FUNCTIONS / function), json.dumps(event)),
            "loud" if is_loud else "as shipped",
        ],
        env={
            "AWS_ACCESS_KEY_ID": "access",
            "AWS_SECRET_ACCESS_KEY": CANARIES["secret key"],
            "AWS_SESSION_TOKEN": CANARIES["session token"],
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
            "ROLLCALL_LOG_LEVEL": "DEBUG",
            "ROLLCALL_FAILURE_DESTINATION": "s3://failures",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    logged = done.stdout + done.stderr
    assert f"ANSWER {answer}" in logged, logged[-2_000:]
    assert "DEBUG is on" in logged
    assert operation in Store.seen
    return logged


@pytest.mark.representatives(1)
@pytest.mark.parametrize("function", EVENTS)
def test_debug_logs_hold_no_request_and_no_credential(function: str, url: str) -> None:
    logged = logged_by(function, url)
    # The organisation's id is what an operator looks for; it names no person.
    secrets = CANARIES.keys() - {"organisation"}
    assert {name for name in secrets if CANARIES[name] in logged} == set()
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert {line["logger"] for line in lines if line["level"] == "DEBUG"} == {"of the test"}


@pytest.mark.slow
def test_that_check_finds_what_the_sdk_would_log(url: str) -> None:
    found = {
        name
        for function in EVENTS
        for name in [n for n in CANARIES if CANARIES[n] in logged_by(function, url, is_loud=True)]
    }
    assert found >= {"token's hash", "id", "payload", "session token"}
