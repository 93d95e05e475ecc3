"""The documentation that the local gateway serves: whole, offline, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from rollcall_cli.local.documentation import DOCUMENT, DOCUMENT_FILE, PAGE, TOKEN, documentation
from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.proxy_response import HttpResponse
from rollcall_cli.local.routes import RouteTable
from rollcall_cli.local.template import load_template
from rollcall_cli.local.try_out import Sample, TryOut

ROOT = Path(__file__).parents[3]
BASE = "http://127.0.0.1:3000"
ROUTES = RouteTable(load_template(ROOT / "template.yaml").api.routes)
OWN = (("Origin", BASE),)


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


def answered(
    path: str,
    method: str = "GET",
    *,
    headers: tuple[tuple[str, str], ...] = (),
    project: Path = ROOT,
    try_out: TryOut | None = None,
) -> HttpResponse | None:
    request = HttpRequest(method, path, "", headers, b"")
    return documentation(request, project, ROUTES, try_out)


def served(path: str, *arguments, **options) -> tuple[dict[str, str], str]:
    answer = answered(path, *arguments, **options)
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
def test_the_browser_must_refuse_other_hosts(path):
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
    assert answered(path) is None


@pytest.mark.parametrize("path", [PAGE, DOCUMENT, f"{PAGE}/start.js", f"{PAGE}/swagger-ui.css"])
def test_nothing_is_posted_to_but_the_token(path):
    assert answered(path, "POST", headers=OWN) is None


def test_a_project_without_a_document_has_none(tmp_path):
    assert answered(DOCUMENT, project=tmp_path) is None
    (tmp_path / DOCUMENT_FILE).parent.mkdir(parents=True)
    shutil.copy(ROOT / DOCUMENT_FILE, tmp_path / DOCUMENT_FILE)
    assert answered(DOCUMENT, project=tmp_path) is not None


# ------------------------------------------------------------------ tokens


def test_the_page_stores_no_token():
    _, start = served(f"{PAGE}/start.js")
    assert "persistAuthorization: false" in start
    # What earlier versions stored is removed, and nothing is written.
    assert re.findall(r"(?:local|session)Storage[^;]*", start) == [
        'localStorage.removeItem("authorized")'
    ]
    assert "cookie" not in start


DEMO = TryOut("demo", "rc_secret")


def test_the_token_is_in_nothing_that_another_page_can_load():
    for path in (PAGE, DOCUMENT, f"{PAGE}/start.js", f"{PAGE}/swagger-ui.css"):
        headers, text = served(path, try_out=DEMO)
        assert DEMO.token not in text
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_token_is_given_to_a_page_of_this_origin():
    headers, text = served(TOKEN, "POST", headers=OWN, try_out=DEMO)
    assert json.loads(text) == {"token": "rc_secret"}
    assert headers["Cache-Control"] == "no-store"
    assert json.loads(served(TOKEN, "POST", headers=OWN)[1]) == {"token": None}


def test_the_token_is_not_given_without_an_origin():
    """A script, an image and a navigation are GETs, and every POST of a browser names an origin."""
    assert answered(TOKEN, "POST", try_out=DEMO) is None
    assert answered(TOKEN, headers=OWN, try_out=DEMO) is None


# ------------------------------------------------------------------ what is filled in


def test_samples_are_what_the_forms_show():
    day = {"query_type": "call_count"}
    samples = [
        Sample("One", "POST", "/v1/Inbound/a%2Fb/Analytics/", {"X-Other": "1"}, {"from": 1}),
        Sample("Two", "POST", "/v1/Inbound/c/Analytics", {}, {"from": 2}),
        Sample("All", "GET", "/api/v2/platform/organisation/analytics/"),
        Sample("Space", "GET", "/api/v2/platform/organisation/analytics/?space_token=a%20b"),
        Sample("Day", "POST", "/analytics", {}, day),
    ]
    kept = json.loads((ROOT / DOCUMENT_FILE).read_text("utf-8"))
    document = json.loads(served(DOCUMENT, try_out=TryOut("acme-2", "t", samples))[1])

    def operation(of, path, method="post"):
        return of["paths"][path][method]

    inbound = "/v1/Inbound/{inboundId}/Analytics"
    [parameter] = operation(document, inbound)["parameters"]
    assert parameter["example"] == "a/b"
    [content] = operation(document, inbound)["requestBody"]["content"].values()
    [own] = operation(kept, inbound)["requestBody"]["content"].values()
    assert list(content["examples"].items()) == [
        ("sample_1", {"summary": "One", "value": {"from": 1}}),
        ("sample_2", {"summary": "Two", "value": {"from": 2}}),
        *own["examples"].items(),
    ]
    handle, space = operation(document, "/api/v2/platform/organisation/analytics", "get")[
        "parameters"
    ]
    assert handle["example"] == "acme-2"
    assert "example" not in space
    [content] = operation(document, "/analytics")["requestBody"]["content"].values()
    assert next(iter(content["examples"].values()))["value"] == day
    # Everything else is as it was.
    for path in ("/v1/records", "/v2/Pearl/{pearlId}/Analytics"):
        assert document["paths"][path] == kept["paths"][path]
    assert document["components"] == kept["components"]


def test_an_organisation_without_samples_has_its_handle():
    kept = (ROOT / DOCUMENT_FILE).read_text("utf-8")
    document = json.loads(served(DOCUMENT, try_out=TryOut("acme-2", "t"))[1])
    assert json.dumps(document).replace("acme-2", "acme") == json.dumps(json.loads(kept))


def test_a_sample_of_no_route_is_an_error():
    try_out = TryOut("acme", "t", [Sample("Nothing", "GET", "/nothing")])
    with pytest.raises(ValueError, match="no route for GET /nothing"):
        answered(DOCUMENT, try_out=try_out)
