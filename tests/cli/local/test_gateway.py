"""The gateway over real HTTP, with a fake runtime: routes, events, authorizer cache, answers."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from rollcall_cli.local.gateway import Gateway
from rollcall_cli.local.http_server import HttpServer
from rollcall_cli.local.ports import bind
from rollcall_cli.local.routes import RouteTable
from rollcall_cli.local.runtime import FunctionError
from rollcall_cli.local.template_model import Route
from tests.support.fake_runtime import FakeRuntime, Never

GOOD = {"Authorization": "Token good"}


def allow(_event: dict[str, Any], effect: str = "Allow", **context: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"}
    return {
        "principalId": "org",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"org_id": "o", "epoch": 3, "ratio": 0.5, "is_live": True} | context,
    }


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Bench:
    runtime: FakeRuntime
    seconds: float = 0.0
    drained: bool | Exception = True
    timeouts: list[float] = field(default_factory=list)
    url: str = ""

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | list[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Answer:
        address = urlsplit(self.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items() if isinstance(headers, Mapping) else headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def raw(self, content: bytes) -> bytes:
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            received = b""
            # A head that is too large is answered, and the connection reset, while it is sent.
            with contextlib.suppress(ConnectionError, OSError):
                connection.sendall(content)
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    received += chunk
            return received

    def drain(self, timeout: float) -> bool:
        self.timeouts.append(timeout)
        if isinstance(self.drained, Exception):
            raise self.drained
        return self.drained

    def event(self) -> dict[str, Any]:
        """The event of the last call that was no authorization."""
        return next(e for name, e in reversed(self.runtime.events) if name != "AuthorizeFunction")


@pytest.fixture
def bench(template, serve) -> Bench:
    runtime = FakeRuntime(
        {
            "AuthorizeFunction": allow,
            "EchoFunction": lambda event: {"statusCode": 200, "body": "{}"},
            "AnswerFunction": lambda event: {"statusCode": 200, "body": "{}"},
        }
    )
    made = Bench(runtime)
    gateway = Gateway(
        template, runtime, drain=made.drain, clock=lambda: made.seconds, limit_seconds=0.2
    )
    made.url = serve(gateway)
    return made


# ------------------------------------------------------------------ routes


@pytest.mark.parametrize("headers", [{}, GOOD])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/"),
        ("POST", "/echo/5"),
        ("HEAD", "/echo/5"),
        ("OPTIONS", "/echo/5"),
        ("get", "/echo/5"),
        ("GET", "/echo/"),
        ("GET", "/echo//"),
        ("GET", "/echo/5//"),
        ("GET", "//echo/5"),
        ("GET", "/echo//deep"),
        ("GET", "/ECHO/5"),
        ("GET", "/echo/5/6/7"),
        ("GET", "/live/echo/5"),
        ("GET", "/_local/drain"),
        ("POST", "/_local/health"),
        ("GET", "/_local/other"),
        ("GET", "http://127.0.0.1/echo/5"),
        ("OPTIONS", "*"),
    ],
)
def test_no_such_route_or_method_comes_before_the_token(bench, headers, method, path):
    answer = bench.request(method, path, headers)
    assert answer.status == 404
    assert method == "HEAD" or answer.json == {"message": "no such route"}
    assert bench.runtime.events == []


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/echo/5", "/echo/{id}", {"id": "5"}),
        ("/echo/5/", "/echo/{id}", {"id": "5"}),
        ("/echo/fixed", "/echo/fixed", None),
        ("/echo/a%2Fb", "/echo/{id}", {"id": "a%2Fb"}),
        ("/echo/a%2Fb/deep/", "/echo/{id}/deep", {"id": "a%2Fb"}),
        ("/echo/%C3%A9%20%23+;=", "/echo/{id}", {"id": "%C3%A9%20%23+;="}),
        ("/echo/%zz", "/echo/{id}", {"id": "%zz"}),
    ],
)
def test_a_route_and_its_parameters_still_encoded(bench, path, resource, parameters):
    assert bench.request("GET", path, GOOD).status == 200
    event = bench.event()
    assert event["resource"] == event["requestContext"]["resourcePath"] == resource
    assert event["pathParameters"] == parameters
    assert event["path"] == path


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("POST", "/calls/search", "/calls/search"),
        ("GET", "/calls/search", "/calls/{id}"),  # the literal resource lacks the method
        ("GET", "/calls/other", "/calls/{id}"),
        ("POST", "/calls/other", None),
        ("PUT", "/calls/search", None),
    ],
)
def test_a_literal_resource_wins_only_for_its_own_methods(method, path, resource):
    """As measured on REST APIs: a resource is chosen by path and method together."""
    routes = RouteTable(
        [Route("GET", "/calls/{id}", "Call", None), Route("POST", "/calls/search", "Search", None)]
    )
    match = routes.find(method, path)
    assert (match and match.route.path) == resource


def test_a_method_override_means_nothing(bench):
    headers = GOOD | {"X-HTTP-Method-Override": "POST"}
    assert bench.request("GET", "/echo", headers).status == 404


# ------------------------------------------------------------------ the event


def test_headers_keep_their_names_and_every_value(bench):
    headers = [("authorization", "Token good"), ("X-oDD", "1"), ("X-oDD", "2"), ("Org-Handle", "h")]
    bench.request("GET", "/echo/5", headers)
    event = bench.event()
    assert event["headers"]["X-oDD"] == "2"
    assert event["multiValueHeaders"]["X-oDD"] == ["1", "2"]
    assert event["headers"]["authorization"] == "Token good"
    assert event["headers"]["Org-Handle"] == "h"


def test_query_parameters_are_decoded(bench):
    bench.request("GET", "/echo/5?a=1&b=%C3%A9+x&a=2&empty=&bare", GOOD)
    event = bench.event()
    assert event["queryStringParameters"] == {"a": "2", "b": "é x", "empty": "", "bare": ""}
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "2"]


def test_what_is_absent_is_null(bench):
    bench.request("GET", "/echo/fixed", GOOD)
    event = bench.event()
    for key in (
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ):
        assert event[key] is None
    assert event["isBase64Encoded"] is False


def test_the_request_context(bench):
    bench.request("GET", "/echo/5/", GOOD | {"User-Agent": "tests"})
    context = bench.event()["requestContext"]
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "tests"}
    assert (context["accountId"], context["stage"]) == ("123456789012", "live")
    assert (context["httpMethod"], context["path"]) == ("GET", "/live/echo/5/")
    assert context["requestId"]
    assert context["requestTimeEpoch"] > 1_700_000_000_000
    assert context["authorizer"] == {
        "principalId": "org",
        "org_id": "o",
        "epoch": "3",
        "ratio": "0.5",
        "is_live": "true",
    }


@pytest.mark.parametrize(
    ("content_type", "is_encoded"),
    [
        ("application/octet-stream; x=1", True),
        ("application/json", False),
        (None, False),
    ],
)
def test_bodies_are_encoded_where_the_media_type_says_so(bench, content_type, is_encoded):
    headers = GOOD | ({"Content-Type": content_type} if content_type else {})
    bench.request("POST", "/echo", headers, "é".encode())
    event = bench.event()
    assert event["isBase64Encoded"] is is_encoded
    expected = base64.b64encode("é".encode()).decode() if is_encoded else "é"
    assert event["body"] == expected


def test_ten_megabytes_pass_and_more_is_too_large(bench):
    limit = 10 * 1024 * 1024
    assert bench.request("POST", "/echo", GOOD, b"x" * limit).status == 200
    assert len(bench.event()["body"]) == limit
    calls = bench.runtime.calls("EchoFunction")
    assert bench.request("POST", "/echo", GOOD, b"x" * (limit + 1)).status == 413
    assert bench.runtime.calls("EchoFunction") == calls
    # The token comes before the size.
    assert bench.request("POST", "/echo", {}, b"x" * (limit + 1)).status == 401


# ------------------------------------------------------------------ the authorizer


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "  "}])
def test_without_the_identity_header_the_authorizer_is_not_called(bench, headers):
    answer = bench.request("GET", "/echo/5", headers)
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    assert bench.runtime.events == []


def test_a_route_without_authorizer_is_open(bench):
    assert bench.request("GET", "/open").status == 200
    assert "authorizer" not in bench.event()["requestContext"]
    assert bench.runtime.calls("AuthorizeFunction") == 0


def test_what_the_authorizer_receives(bench):
    bench.request("GET", "/echo/a%2Fb/?q=1", GOOD)
    event = bench.runtime.events[0][1]
    assert event["type"] == "REQUEST"
    assert event["methodArn"] == (
        "arn:aws:execute-api:us-east-1:123456789012:local/live/GET/echo/a%2Fb/"
    )
    assert event["headers"]["Authorization"] == "Token good"
    assert event["pathParameters"] == {"id": "a%2Fb"}
    assert event["queryStringParameters"] == {"q": "1"}
    assert (event["resource"], event["httpMethod"]) == ("/echo/{id}", "GET")
    assert "body" not in event


def test_the_answer_is_kept_for_the_whole_api_until_the_time_to_live(bench):
    bench.request("GET", "/echo/5", GOOD)
    bench.seconds = 59.9
    bench.request("POST", "/echo", GOOD, b"{}")
    assert bench.runtime.calls("AuthorizeFunction") == 1
    bench.seconds = 60.0
    bench.request("GET", "/echo/5", GOOD)
    assert bench.runtime.calls("AuthorizeFunction") == 2


def test_each_token_has_its_own_answer(bench):
    bench.runtime.functions["AuthorizeFunction"] = lambda event: allow(
        event, org_id=event["headers"]["Authorization"]
    )
    for token in ("a", "b", "a"):
        bench.request("GET", "/echo/5", {"Authorization": token})
        assert bench.event()["requestContext"]["authorizer"]["org_id"] == token
    assert bench.runtime.calls("AuthorizeFunction") == 2


def test_a_repeated_header_is_another_identity(bench):
    bench.request("GET", "/echo/5", [("Authorization", "a")])
    bench.request("GET", "/echo/5", [("Authorization", "a"), ("Authorization", "a")])
    bench.request("GET", "/echo/5", [("Authorization", "a"), ("authorization", "b")])
    assert bench.runtime.calls("AuthorizeFunction") == 3


def test_a_policy_that_refuses_is_kept_too(bench):
    bench.runtime.functions["AuthorizeFunction"] = lambda event: allow(event, "Deny")
    assert bench.request("GET", "/echo/5", GOOD).status == 403
    assert bench.request("GET", "/echo/5", GOOD).status == 403
    assert bench.runtime.calls("AuthorizeFunction") == 1


def test_a_kept_policy_is_evaluated_for_each_route(bench):
    def only_reading(event: dict[str, Any]) -> dict[str, Any]:
        answer = allow(event)
        answer["policyDocument"]["Statement"][0]["Resource"] = "arn:aws:execute-api:*/live/GET/*"
        return answer

    bench.runtime.functions["AuthorizeFunction"] = only_reading
    assert bench.request("GET", "/echo/5", GOOD).status == 200
    assert bench.request("POST", "/echo", GOOD, b"{}").status == 403
    assert bench.runtime.calls("AuthorizeFunction") == 1


@pytest.mark.parametrize(("message", "status"), [("Unauthorized", 401), ("unauthorized", 500)])
def test_errors_are_never_kept(bench, message, status):
    def fail(_event: dict[str, Any]) -> Any:
        raise FunctionError("Exception", message)

    bench.runtime.functions["AuthorizeFunction"] = fail
    assert bench.request("GET", "/echo/5", GOOD).status == status
    bench.runtime.functions["AuthorizeFunction"] = allow
    assert bench.request("GET", "/echo/5", GOOD).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "Allow",
        {},
        {"principalId": 5},
        {"principalId": "x"},
        allow({}) | {"policyDocument": {"Statement": []}},
        allow({}) | {"context": []},
        allow({}, nested={}),
        allow({}, nothing=None),
    ],
)
def test_a_malformed_answer_of_the_authorizer_lets_no_caller_in(bench, answer):
    bench.runtime.functions["AuthorizeFunction"] = lambda event: answer
    reply = bench.request("GET", "/echo/5", GOOD)
    assert (reply.status, reply.json["message"]) == (500, "failed")
    assert bench.runtime.calls("EchoFunction") == 0


def test_an_authorizer_that_hangs_lets_no_caller_in(bench):
    bench.runtime.functions["AuthorizeFunction"] = lambda event: Never()
    assert bench.request("GET", "/echo/5", GOOD).status == 500


# ------------------------------------------------------------------ answers


def answer_with(bench: Bench, answer: Any) -> Answer:
    bench.runtime.functions["AnswerFunction"] = lambda event: answer
    return bench.request("POST", "/answer", {}, b"{}")


def test_status_headers_and_body_go_out(bench):
    answer = answer_with(
        bench,
        {
            "statusCode": 418,
            "headers": {"X-One": "1", "X-Number": 5, "X-Flag": True},
            "multiValueHeaders": {"X-Many": ["a", "b"]},
            "body": "é",
            "isBase64Encoded": False,
        },
    )
    assert (answer.status, answer.body) == (418, "é".encode())
    assert [value for name, value in answer.headers if name == "X-Many"] == ["a", "b"]
    assert (answer.header("X-Number"), answer.header("X-Flag")) == ("5", "true")
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("x-amzn-RequestId")


def test_an_answer_without_body_is_empty(bench):
    assert answer_with(bench, {"statusCode": 204}).body == b""
    assert answer_with(bench, {"statusCode": 200, "body": None}).body == b""


def test_the_functions_length_and_connection_headers_do_not_count(bench):
    headers = {"Content-Length": "999", "transfer-encoding": "chunked", "Content-Type": "text/x"}
    answer = answer_with(bench, {"statusCode": 200, "headers": headers, "body": "abc"})
    assert answer.body == b"abc"
    assert answer.header("Content-Type") == "text/x"


@pytest.mark.parametrize(
    ("accept", "expected"), [("application/octet-stream", b"\xff"), ("text/html", b"/w==")]
)
def test_base64_is_decoded_for_who_accepts_bytes(bench, accept, expected):
    answer = {"statusCode": 200, "body": "/w==", "isBase64Encoded": True}
    bench.runtime.functions["AnswerFunction"] = lambda event: answer
    assert bench.request("POST", "/answer", {"Accept": accept}, b"{}").body == expected


@pytest.mark.parametrize(("too_many", "status"), [(0, 200), (1, 502)])
@pytest.mark.parametrize("letter", ["x", "ä"])
def test_lambda_delivers_so_many_bytes_and_no_more(bench, letter, too_many, status):
    around = len('{"statusCode": 200, "body": ""}')
    room = 6_291_556 - around + too_many
    size = len(letter.encode())
    body = letter * (room // size) + "x" * (room % size)
    reply = answer_with(bench, {"statusCode": 200, "body": body})
    assert reply.status == status
    assert status == 502 or reply.body == body.encode()


def test_what_is_escaped_takes_more_bytes(bench):
    reply = answer_with(bench, {"statusCode": 200, "body": '"' * 3_200_000})
    assert reply.status == 502


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "ok",
        [],
        {},
        {"body": "x"},
        {"statusCode": "x"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": 5},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"X": {}}},
        {"statusCode": 200, "headers": {"X": "a\r\nY: b"}},
        {"statusCode": 200, "headers": {"X Y": "a"}},
        {"statusCode": 200, "headers": {"X": "\u20ac"}},
        {"statusCode": 200, "multiValueHeaders": {"X": "a"}},
        {"statusCode": 200, "isBase64Encoded": "yes"},
        {"statusCode": 200, "cookies": []},
        {"statusCode": 200, "body": "\ud800"},
    ],
)
def test_a_malformed_answer_is_a_failure(bench, answer):
    reply = answer_with(bench, answer)
    assert (reply.status, reply.json["message"]) == (502, "failed")
    assert reply.json["id"] == reply.header("x-amzn-RequestId")


def test_an_error_is_a_failure_that_says_nothing_of_its_cause(bench):
    def fail(_event: dict[str, Any]) -> Any:
        raise FunctionError("ValueError", "secret")

    bench.runtime.functions["AnswerFunction"] = fail
    reply = bench.request("POST", "/answer", {}, b"{}")
    assert reply.status == 502
    assert b"secret" not in reply.body


def test_a_function_that_the_gateway_stops_waiting_for_timed_out(bench):
    assert answer_with(bench, Never()).status == 504


def test_a_function_that_lambda_ends_is_a_failure(bench, template):
    function = template.functions["AnswerFunction"]
    template.functions["AnswerFunction"] = replace(function, timeout_seconds=0)
    assert answer_with(bench, Never()).status == 502


# ------------------------------------------------------------------ its own routes


def test_drain(bench):
    assert bench.request("POST", "/_local/drain").json == {"drained": True}
    assert bench.timeouts == [600.0]
    bench.drained = False
    answer = bench.request("POST", "/_local/drain?timeout=2.5")
    assert (answer.status, answer.json["drained"]) == (503, False)
    assert bench.timeouts[-1] == 2.5
    bench.drained = OSError("away")
    assert bench.request("POST", "/_local/drain").status == 503
    for wrong in ("x", "nan", "-1", "inf"):
        assert bench.request("POST", f"/_local/drain?timeout={wrong}").status == 400


def test_documentation_needs_no_token_and_takes_only_get(bench):
    answer = bench.request("GET", "/_local/docs")
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert bench.request("POST", "/_local/docs", {}, b"").status == 404
    # This project keeps no document.
    assert bench.request("GET", "/_local/openapi.json").status == 404
    assert bench.runtime.events == []


# ------------------------------------------------------------------ bad HTTP


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff\xfe\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /echo/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /echo/5 HTTP/1.1\r\n\r\n",
        b"GET /echo/5 HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabc",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nshort",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /echo/5 HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /echo/5 HTTP/1.1\r\nHost: x\r\nX: \xff\xfe\r\nAuthorization: \xc3\xa9\r\n\r\n",
        b"GET /echo/5 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /echo/5 HTTP/1.0\r\n\r\n",
        b"",
    ],
)
def test_bad_http_never_ends_the_gateway(bench, content):
    received = bench.raw(content)
    assert received == b"" or received.startswith(b"HTTP/1.1 ")
    assert not received.startswith(b"HTTP/1.1 5")
    assert bench.request("GET", "/_local/health").json == {"status": "ok"}


def test_requests_on_one_connection_keep_their_own_headers(bench):
    address = urlsplit(bench.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        for name in ("X-First", "x-SECOND"):
            connection.request("GET", "/echo/5", headers=GOOD | {name: "1"})
            connection.getresponse().read()
            assert name in bench.event()["headers"]
    finally:
        connection.close()


def test_the_server_ends_while_a_connection_is_open(template):
    before = set(threading.enumerate())
    server = HttpServer(
        Gateway(template, FakeRuntime({}), drain=lambda seconds: True), bind(0, "--port")
    )
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)):
        server.close()
    assert not any(thread.name == "gateway" for thread in set(threading.enumerate()) - before)
