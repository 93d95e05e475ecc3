"""Web pages of other origins reach neither `/_local` nor the engine, and the API under its own name alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from rollcall_cli.local.browser_guard import refusal
from rollcall_cli.local.gateway import Gateway
from rollcall_cli.local.moto_engine import MotoEngine
from tests.support.fake_runtime import FakeRuntime

ALLOWED_HOSTS = {"host.docker.internal"}
EVIL = "https://evil.example"
TARGET = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}


def signed(service: str) -> dict[str, str]:
    scope = f"x/20260101/us-east-1/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    }


@dataclass
class Server:
    """A running server; `own` is its address as a browser on this machine has it."""

    url: str
    drains: list[float]

    @property
    def own(self) -> str:
        return urlsplit(self.url).netloc

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Any:
        """(status, headers, body) of one request; `Host` is left out where it is empty."""
        connection = HTTPConnection(self.own, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in ({"Host": self.own} | headers).items():
                if value:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


@pytest.fixture
def gateway(template, serve) -> Server:
    drains: list[float] = []
    application = Gateway(template, FakeRuntime({}), drain=lambda limit: not drains.append(limit))
    return Server(serve(application), drains)


@pytest.fixture(scope="module")
def engine() -> Iterator[Server]:
    running = MotoEngine(0, allowed_hosts=ALLOWED_HOSTS)
    try:
        client(running.url).create_table(
            TableName="records",
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Server(running.url, [])
    finally:
        running.close()


def client(url: str) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(account_id_endpoint_mode="disabled"),
    )


def tables(server: Server, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """ListTables, as a page may send it."""
    call = TARGET | signed("dynamodb") | {"Content-Type": "application/x-amz-json-1.0"}
    return server.send("POST", "/", call | headers, b"{}")


FOREIGN = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},  # another port is another origin
    {"Origin": "http://127.0.0.1:1"},
    {"Host": "evil.example"},
    {"Host": "evil.example:3000"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example:80"},
    {"Host": "evil.example@127.0.0.1"},
    {"Host": "169.254.169.254"},
    {"Host": "rebound.example", "Origin": "http://rebound.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_local/drain"),
        ("GET", "/_local/health"),
        ("GET", "/_local/docs"),
        ("GET", "/_local/openapi.json"),
        ("GET", "/%5Flocal/health"),
    ],
)
def test_what_needs_no_token_refuses_web_pages_of_other_origins(gateway, method, path, headers):
    status, sent, body = gateway.send(method, path, headers)
    assert status == 403
    assert set(json.loads(body)) == {"message"}
    assert "access-control-allow-origin" not in {name.lower() for name in sent}
    assert gateway.drains == []


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/echo", 401), ("OPTIONS", "/echo", 404), ("GET", "/nothing", 404)],
)
def test_the_api_refuses_other_hosts_and_leaves_origins_to_the_template(
    gateway, headers, method, path, status
):
    answered, sent, _ = gateway.send(method, path, headers)
    assert answered == (403 if "Host" in headers else status)
    assert "access-control-allow-origin" not in {name.lower() for name in sent}


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_the_engine_refuses_web_pages_of_other_origins(engine, headers):
    status, sent, body = tables(engine, headers)
    assert status == 403
    assert b"records" not in body
    assert "access-control-allow-origin" not in {name.lower() for name in sent}
    preflight = {"Access-Control-Request-Method": "POST"} | headers
    assert engine.send("OPTIONS", "/", preflight)[0] == 403


@pytest.mark.parametrize(
    "host", ["{own}", "localhost:{port}", "127.0.0.1", "[::1]:{port}", "Host.Docker.Internal:3001"]
)
def test_names_of_this_machine_are_served(gateway, engine, host):
    for server in (gateway, engine):
        own = server.own
        headers = {"Host": host.format(own=own, port=own.rpartition(":")[2])}
        for same in (headers, headers | {"Origin": f"http://{headers['Host']}"}):
            if server is engine:
                status, _, body = tables(server, same)
                assert (status, json.loads(body)) == (200, {"TableNames": ["records"]})
            else:
                assert server.send("POST", "/_local/drain", same)[0] == 200


def test_other_names_need_to_be_allowed():
    assert refusal(["host.docker.internal"], [], ()) is not None
    assert refusal(["host.docker.internal:3001"], [], {"host.docker.internal"}) is None


def test_a_request_without_a_host_is_refused(gateway, engine):
    for server in (gateway, engine):
        assert server.send("GET", "/_local/health", {"Host": ""})[0] in (400, 403)


names = st.sampled_from(
    [
        "127.0.0.1",
        "127.1.2.3",
        "localhost",
        "LocalHost",
        "[::1]",
        "[::2]",
        "::1",
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1@evil.example",
        "0.0.0.0",
    ]
)
hosts = st.builds("".join, st.tuples(names, st.sampled_from(["", ":80", ":3000", ":x", ":", " "])))
addresses = hosts.map(lambda host: f"http://{host}") | st.sampled_from(["null", EVIL, ""])


@given(hosts | st.text(), addresses | st.text())
def test_only_the_own_origin_is_served(host, origin):
    """Whatever the two headers hold, no page of another origin or host name is served."""
    if refusal([host], [origin], ()) is not None:
        return
    address = urlsplit(origin)
    assert (address.scheme, address.netloc.lower()) == ("http", host.lower())
    assert address.hostname in ("localhost", "::1") or address.hostname.startswith("127.")
    assert address.username is None


# ------------------------------------------------------------------ the engine serves DynamoDB alone


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/moto-api/reset", {}),
        ("POST", "/moto-api/reset", TARGET | signed("dynamodb")),
        ("GET", "/moto-api/data.json", {}),
        ("GET", "/moto-api/", {}),
        ("GET", "/", {}),
        ("GET", "/?Action=ListQueues", {}),
        ("POST", "/", {"X-Amz-Target": "AmazonSSM.DescribeParameters"} | signed("ssm")),
        ("POST", "/", TARGET | signed("s3")),
        ("POST", "/", TARGET),
        ("GET", "/latest/meta-data/iam/security-credentials/", {}),
    ],
)
def test_the_engine_serves_dynamodb_alone(engine, method, path, headers):
    status, _, body = engine.send(method, path, headers, b"{}" if method == "POST" else b"")
    assert status == 404
    assert b"records" not in body
    assert client(engine.url).list_tables()["TableNames"] == ["records"]
