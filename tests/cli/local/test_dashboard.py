"""The dashboard's files on the local gateway: which paths, which headers, and nothing beside them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollcall_cli.local.dashboard import FOLDER, dashboard
from rollcall_cli.local.gateway import Gateway
from rollcall_cli.local.http_request import HttpRequest
from tests.support.fake_runtime import FakeRuntime

ROOT = Path(__file__).parents[3]
FILES = {
    "index.html": b"<!doctype html>page",
    "assets/dashboard-ABC123.js": b"export {};",
    "assets/dashboard-DEF456.css": b"p { margin: 0 }",
    "licences.txt": b"preact (MIT)",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; media-src https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a dashboard, and secrets beside it."""
    folder = tmp_path_factory.mktemp("dashboard-project")
    for name, content in FILES.items():
        path = folder / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / FOLDER / "assets" / "secret").write_text("secret")
    (folder / FOLDER / "assets" / "secret.key").write_text("secret")
    (folder / FOLDER.parent / "secret.js").write_text("secret")
    (folder / "secret.js").write_text("secret")
    return folder


def served(project: Path, path: str, method: str = "GET") -> bytes | None:
    answer = dashboard(HttpRequest(method, path, "", [], b""), project)
    return None if answer is None else answer.body


def test_each_file_has_its_path_and_the_page_is_at_the_root(project: Path) -> None:
    for name, content in FILES.items():
        path = "/" if name == "index.html" else f"/{name}"
        assert served(project, path) == served(project, path, "HEAD") == content


# fmt: off
PARTS = st.sampled_from([
    "/", "//", "assets", "..", ".", "%2e%2e", "%2f", "\\", "secret", ".js", ".key", "index.html",
    "\0", "licences.txt", "dashboard-ABC123", "é", "C:", "\n",
])
# fmt: on


@given(st.lists(PARTS, max_size=8).map("".join))
@example("/assets/../index.html")
@example("/assets/../../secret.js")
@example("/assets/..")
@example("/assets/")
@example("/assets")
@example("/assets/secret")
@example("/assets/secret.key")
@example("//index.html")
@example("/licences.txt\n")
def test_no_other_path_is_served(project: Path, path: str) -> None:
    if path not in {"/", *(f"/{name}" for name in FILES if name != "index.html")}:
        assert served(project, path) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_other_methods_are_not_served(project: Path, method: str) -> None:
    assert served(project, "/", method) is None


def test_a_project_without_a_dashboard_serves_none(tmp_path: Path) -> None:
    assert served(tmp_path, "/") is None


# ------------------------------------------------------------------ the built page
class Page(HTMLParser):
    """What a page loads, and the names of its elements' attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.attributes: set[str] = set()
        self.inline = ""
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._tag = tag
        self.attributes |= {name for name, _ in attributes}
        self.loaded += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        if self._tag in ("script", "style"):
            self.inline += data.strip()


def test_the_built_page_loads_files_that_are_there_and_has_nothing_inline() -> None:
    page = Page((served(ROOT, "/") or b"").decode())
    paths = [path for path in page.loaded if path != "data:,"]
    assert {Path(path).suffix for path in paths} == {".js", ".css"}
    assert all(served(ROOT, path) for path in paths)
    assert page.inline == ""
    assert not {name for name in page.attributes if name == "style" or name.startswith("on")}


def test_every_built_file_has_a_path() -> None:
    files = [path for path in (ROOT / FOLDER).rglob("*") if path.is_file()]
    names = {path.relative_to(ROOT / FOLDER).as_posix() for path in files}
    assert names >= {"index.html", "licences.txt"}
    for name in names - {"index.html"}:
        assert served(ROOT, f"/{name}") == (ROOT / FOLDER / name).read_bytes(), name


def test_licences_name_every_package_that_is_imported() -> None:
    text = (served(ROOT, "/licences.txt") or b"").decode("utf-8-sig")
    titles = set(re.findall(r"^(\S+) [\d.]+ \((?:MIT|ISC)\)\n=+$", text, re.MULTILINE))
    sources = [path.read_text("utf-8") for path in (ROOT / "dashboard/src").rglob("*.ts*")]
    imports = re.compile(r"""^import (?!type )[^"]*"((?:@[^/"]+/)?[^./"][^/"]*)""", re.MULTILINE)
    imported = {name for source in sources for name in imports.findall(source)}
    assert "preact" in imported
    assert titles >= imported


# ------------------------------------------------------------------ over HTTP
@pytest.fixture
def url(template, template_path: Path, serve) -> str:
    for name, content in FILES.items():
        path = template_path.parent / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return serve(Gateway(template, FakeRuntime({}), drain=lambda _: True))


def request(
    url: str, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "media_type", "caching"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        (
            "/assets/dashboard-ABC123.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        (
            "/assets/dashboard-DEF456.css",
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        ("/licences.txt", "text/plain; charset=utf-8", "no-cache"),
    ],
)
def test_headers(url: str, path: str, media_type: str, caching: str) -> None:
    status, headers, body = request(url, "GET", path)
    assert status == 200
    assert headers["Content-Type"] == media_type
    assert headers["Cache-Control"] == caching
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    only_head = request(url, "HEAD", path)
    assert only_head[0] == 200
    assert only_head[2] == b""
    assert only_head[1] | {"date": ""} == headers | {"date": ""}
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/none.js", "/assets/", "/index.html", "/assets/../index.html"]
)
def test_what_is_no_file_gets_the_answer_of_the_gateway(url: str, path: str) -> None:
    status, headers, body = request(url, "GET", path)
    assert status == request(url, "GET", "/nothing")[0] >= 400
    assert headers["Content-Type"] == "application/json"
    assert b"page" not in body


def test_a_page_of_a_rebound_name_is_refused(url: str) -> None:
    assert request(url, "GET", "/", {"Host": "evil.example"})[0] == 403


def test_the_page_may_use_the_api_of_its_own_origin(url: str) -> None:
    """A browser sends its origin with a POST; the API answers as it does to a program."""
    origin = {"Origin": url}
    assert request(url, "POST", "/_local/drain", origin)[0] == 200
    with_origin, without = (
        request(url, "POST", "/echo", origin),
        request(url, "POST", "/echo"),
    )
    assert with_origin[0] == without[0] == 401
