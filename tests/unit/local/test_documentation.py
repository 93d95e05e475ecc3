"""The documentation that the local gateway serves: whole, offline, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from rollcall_cli.local.documentation import DOCUMENT, DOCUMENT_FILE, PAGE, documentation

ROOT = Path(__file__).parents[3]
BASE = "http://127.0.0.1:3000"


class Page(HTMLParser):
    """What a page is called, what it loads and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.title = ""
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._tag = tag
        names = ("href", "src", "action", "srcset", "data", "poster")
        self.references += [value for name, value in attributes if name in names]

    def handle_data(self, data):
        if self._tag == "title":
            self.title += data.strip()


def served(path: str) -> tuple[dict[str, str], str]:
    answer = documentation(path, ROOT)
    assert answer is not None, path
    assert answer.status == 200
    return dict(answer.headers), answer.body.decode()


@pytest.fixture(scope="module")
def page():
    return Page(served(PAGE)[1])


def test_the_page_has_a_title(page):
    assert page.title == "Rollcall API"


def test_all_that_the_page_loads_is_served_from_here(page):
    loaded = [urljoin(BASE + PAGE, reference) for reference in page.references]
    loaded = [url for url in loaded if not url.startswith("data:")]
    assert len(loaded) >= 3
    for url in loaded:
        address = urlsplit(url)
        assert f"{address.scheme}://{address.netloc}" == BASE, url
        headers, body = served(address.path)
        assert headers["Content-Type"].split(";")[0] in ("text/css", "text/javascript")
        assert body


@pytest.mark.parametrize("name", ["", "/start.js", "/swagger-ui.css"])
def test_nothing_points_to_another_host(name):
    text = served(PAGE + name)[1].replace("http://www.w3.org/2000/svg", "")  # a namespace
    assert re.findall(r"""https?:|["'(]\s*//""", text) == []
    assert re.findall(r"""url\((?!\s*["']?data:)""", text) == []
    assert "@import" not in text


@pytest.mark.parametrize("path", [PAGE, DOCUMENT, f"{PAGE}/start.js", f"{PAGE}/swagger-ui.css"])
def test_the_browser_is_told_to_refuse_other_hosts(path):
    headers, _ = served(path)
    rules = [rule.split() for rule in headers["Content-Security-Policy"].split(";")]
    policy = {name: set(sources) for name, *sources in rules}
    assert policy["default-src"] == {"'none'"}
    assert set.union(*policy.values()) <= {"'none'", "'self'", "data:", "'unsafe-inline'"}
    assert policy["script-src"] == policy["connect-src"] == {"'self'"}


def test_the_page_starts_what_can_read_3_1():
    _, script = served(f"{PAGE}/swagger-ui-bundle.js")
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', script)
    assert version
    assert int(version[1]) >= 5  # the first that shows OpenAPI 3.1
    _, start = served(f"{PAGE}/start.js")
    assert f'url: "{DOCUMENT}"' in start
    assert "validatorUrl: null" in start


@pytest.mark.parametrize("path", [DOCUMENT, DOCUMENT + "/"])
def test_the_document_is_the_one_that_is_kept(path):
    headers, text = served(path)
    assert headers["Content-Type"] == "application/json"
    assert json.loads(text) == json.loads((ROOT / DOCUMENT_FILE).read_text("utf-8"))


@pytest.mark.parametrize(
    "path",
    [
        "/_local/doc",
        f"{PAGE}/index.html",
        f"{PAGE}/../openapi.json",
        f"{PAGE}/%2e%2e/start.js",
        f"{PAGE}/css/swagger-ui.css",
        f"{PAGE}//start.js",
        f"{PAGE}/swagger-ui-standalone-preset.js",
    ],
)
def test_nothing_else_is_served(path):
    assert documentation(path, ROOT) is None


def test_a_project_without_a_document_has_none(tmp_path):
    assert documentation(DOCUMENT, tmp_path) is None
    (tmp_path / DOCUMENT_FILE).parent.mkdir(parents=True)
    shutil.copy(ROOT / DOCUMENT_FILE, tmp_path / DOCUMENT_FILE)
    assert documentation(DOCUMENT, tmp_path) is not None
