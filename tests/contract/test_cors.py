"""Cross-origin requests over HTTP, on stacks that allow origins, and in a browser."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rollcall.api.cors import EXPOSED_HEADERS
from rollcall_cli.local.template import load_template
from tests.support import stack as stacks
from tests.support.browser import FLAGS, chromium
from tests.support.stack import BREEZE, ORGANISATIONS, Organisation, Response, Stack, request

ROOT = Path(__file__).parents[2]
PAGE = "https://dash.example.com"
OTHER_PAGE = "http://localhost:5173"
FOREIGN = "https://evil.example"
QUERY = b'{"query_type": "call_count"}'
CORS = ("access-control-", "vary")


def start(*allowed: str) -> Iterator[Stack]:
    """On moto, which starts with half of the CPU: no engine has a part in these headers."""
    options = [option for origin in allowed for option in ("--allow-origin", origin)]
    stack = stacks.start("moto", arguments=options)
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def one() -> Iterator[Organisation]:
    for stack in start(PAGE):
        yield stack.new_organisation()


@pytest.fixture(scope="module")
def several() -> Iterator[Organisation]:
    for stack in start(PAGE, OTHER_PAGE):
        yield stack.new_organisation()


def preflight(org: Organisation, path: str, origin: str) -> Response:
    wanted = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
    return request(org.stack.api, "OPTIONS", path, wanted)


def cors_of(answer: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers if name.lower().startswith(CORS)}


def answers(org: Organisation, origin: str) -> dict[str, Response]:
    """A success and errors of functions, by what happened."""
    sent = [("Origin", origin)]
    return {
        "200": org.send("POST", BREEZE, QUERY, sent),
        "400": org.send("POST", BREEZE, b"[", sent),
        "422": org.send("POST", BREEZE, {"query_type": "call_count", "page": 0}, sent),
        "413": org.send("POST", BREEZE, b" " * 70_000, sent),
    }


def gateway_errors(org: Organisation, origin: str) -> dict[str, Response]:
    """Errors that no function raised."""
    sent = [("Origin", origin)]
    ingest = [("Authorization", f"Token {org.new_token('ingest')['token']}")]
    return {
        "401": request(org.stack.api, "POST", BREEZE, sent, QUERY),
        "403": request(org.stack.api, "POST", BREEZE, [*sent, *ingest], QUERY),
        "404": org.send("GET", "/nothing", headers=sent),
    }


def test_without_the_parameter_nothing_is_allowed(alice: Organisation) -> None:
    answer = preflight(alice, BREEZE, PAGE)
    assert answer.status == 404
    assert answer.json["error"] == "Not Found"
    assert not cors_of(answer)
    for status, each in (answers(alice, PAGE) | gateway_errors(alice, PAGE)).items():
        assert (each.status, cors_of(each)) == (int(status), {})


@pytest.mark.slow
def test_every_route_answers_the_preflight_of_an_allowed_page(
    one: Organisation, several: Organisation
) -> None:
    paths = {route.path for route in load_template(ROOT / "template.yaml").api.routes}
    for path in paths:
        named = path.replace("{", "").replace("}", "")
        for org, origin in ((one, PAGE), (several, PAGE), (several, OTHER_PAGE)):
            answer = preflight(org, named, origin)
            assert (answer.status, answer.body) == (204, b""), path
            assert cors_of(answer) == {
                "access-control-allow-origin": origin,
                "access-control-allow-methods": "GET,POST",
                "access-control-allow-headers": "Authorization,Content-Type,Org-Handle,Accept",
                "access-control-max-age": "7200",
                "vary": "Origin",
            }


@pytest.mark.slow
def test_the_preflight_of_another_page_allows_nothing(
    one: Organisation, several: Organisation
) -> None:
    for org in (one, several):
        for path in (BREEZE, ORGANISATIONS):
            answer = preflight(org, path, FOREIGN)
            assert (answer.status, cors_of(answer)) == (204, {"vary": "Origin"})


@pytest.mark.slow
def test_a_preflight_of_an_unknown_route_is_404(one: Organisation) -> None:
    assert preflight(one, "/nothing", PAGE).status == 404


@pytest.mark.slow
@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
def test_an_allowed_page_reads_every_answer_of_a_function(
    several: Organisation, origin: str
) -> None:
    for status, answer in answers(several, origin).items():
        assert answer.status == int(status)
        assert answer.header("Access-Control-Allow-Origin") == origin
        assert answer.header("Vary") == "Origin"
        assert answer.header("Access-Control-Expose-Headers") == ", ".join(EXPOSED_HEADERS)


@pytest.mark.slow
def test_another_page_reads_no_answer_of_a_function(
    one: Organisation, several: Organisation
) -> None:
    for org in (one, several):
        for status, answer in answers(org, FOREIGN).items():
            assert (answer.status, cors_of(answer)) == (int(status), {"vary": "Origin"})


@pytest.mark.slow
def test_an_allowed_page_reads_the_errors_of_the_gateway(
    one: Organisation, several: Organisation
) -> None:
    """With several origins they allow any page: the gateway cannot compare (docs/adr/0021)."""
    for org, allowed in ((one, PAGE), (several, "*")):
        for status, answer in gateway_errors(org, PAGE).items():
            assert answer.status == int(status)
            assert answer.header("Access-Control-Allow-Origin") == allowed
            assert answer.header("Access-Control-Expose-Headers") == ",".join(EXPOSED_HEADERS)


# ------------------------------------------------------------------ a browser

SCRIPT = """
const ask = async (name, path, options) => {
  try {
    const answer = await fetch(API + path, options);
    return [name, {
      status: answer.status,
      source: answer.headers.get("X-Rollcall-Source"),
      request: answer.headers.get("x-amzn-RequestId") !== null,
      body: await answer.json(),
    }];
  } catch (error) {
    return [name, "refused"];
  }
};
(async () => {
  const headers = {Authorization: "Token " + TOKEN, "Content-Type": "application/json"};
  const unpod = {headers: {Authorization: "Token " + TOKEN, "Org-Handle": HANDLE}};
  const query = {method: "POST", headers, body: '{"query_type": "call_count"}'};
  const bad = {method: "POST", headers, body: '{"query_type": "nothing"}'};
  const stranger = {method: "POST", headers: {...headers, Authorization: "Token x"}, body: "{}"};
  const results = await Promise.all([
    ask("query", "/analytics", query),
    ask("unpod", "/api/v2/platform/organisation/analytics/", unpod),
    ask("bad", "/analytics", bad),
    ask("stranger", "/analytics", stranger),
    ask("drain", "/_local/drain", {method: "POST"}),
  ]);
  await fetch("/result", {method: "POST", body: JSON.stringify(Object.fromEntries(results))});
})();
"""


class Site:
    """A web site on this machine: one page, and what its script reports."""

    def __init__(self) -> None:
        self.page = b""
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(b"<!doctype html><script>" + site.page + b"</script>")

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                site.results.put(json.loads(self.rfile.read(length)))
                self.reply(b"")

            def reply(self, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def origin(self, host: str) -> str:
        return f"http://{host}:{self.server.server_port}"

    def visit(self, host: str, org: Organisation, profile: Path) -> dict[str, Any]:
        """What the page's script sees in a browser that loads it from this host."""
        setting = {"API": org.stack.api, "TOKEN": org.token, "HANDLE": org.handle}
        lines = [f"const {name} = {json.dumps(value)};" for name, value in setting.items()]
        self.page = "\n".join([*lines, SCRIPT]).encode()
        browser = subprocess.Popen(
            [
                chromium(),
                *FLAGS,
                f"--user-data-dir={profile}",
                "--remote-debugging-port=0",
                self.origin(host),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return self.results.get(timeout=120)
        finally:
            browser.terminate()
            browser.wait(30)


@pytest.mark.slow
def test_a_browser_lets_an_allowed_page_read_and_no_other(tmp_path: Path) -> None:
    """The same page by two names of this machine: for a browser, two origins."""
    chromium()  # before anything starts
    site = Site()
    try:
        for stack in start(site.origin("127.0.0.1"), PAGE):
            org = stack.new_organisation()
            seen = site.visit("127.0.0.1", org, tmp_path / "allowed")
            assert seen["query"]["status"] == 200
            assert seen["query"]["source"] == "rollups"
            assert seen["query"]["request"]
            assert seen["query"]["body"]["data"] == [{"count": 0}]
            assert seen["unpod"]["body"]["data"]["total_calls"] == 0
            assert seen["bad"]["status"] == 400
            assert seen["stranger"]["status"] == 401
            assert seen["stranger"]["body"]["error"] == "Unauthorized"
            assert seen["drain"] == "refused"
            foreign = site.visit("localhost", org, tmp_path / "foreign")
            assert set(foreign.values()) == {"refused"}
    finally:
        site.server.shutdown()
        site.server.server_close()
