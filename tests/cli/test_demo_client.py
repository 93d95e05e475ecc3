"""The client of the demo: what it sends, and what it says where nothing answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rollcall_cli.demo_client import Request, send
from rollcall_cli.errors import CommandError


class Echo(BaseHTTPRequestHandler):
    """Answers what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {"path": self.path, "body": body, "token": self.headers["Authorization"]}
        self.send_response(400)
        self.end_headers()
        self.wfile.write(json.dumps(sent).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("end", ["", "/"])
def test_a_request_is_sent_as_it_is(
    address: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    request = Request("POST", "/v1/a%20b%2Fc?x=1", {"Authorization": "Token t"}, {"é": 1})
    answer = send(address + end, request)
    assert answer.status == 400
    assert answer.json() == {
        "path": "/v1/a%20b%2Fc?x=1",
        "body": '{"\\u00e9": 1}',
        "token": "Token t",
    }


def test_no_answer_is_an_error_that_names_the_request() -> None:
    with pytest.raises(CommandError, match="GET /v1/health: no answer"):
        send("http://127.0.0.1:9", Request("GET", "/v1/health", {}))
