"""The preflight of template.yaml, run by an implementation of its template language."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.mock_integration import answer_mock
from rollcall_cli.local.template import load_template
from tests.support.origins import origins

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
PREFIX = "Access-Control-"


def preflight(allowed: str, *headers: tuple[str, str]) -> dict[str, str]:
    """The headers of the answer to a preflight of a stack with this AllowedOrigins."""
    route = load_template(TEMPLATE, {"AllowedOrigins": allowed}).api.mocks[0]
    answer = answer_mock(route, HttpRequest("OPTIONS", route.path, "", headers, b""))
    assert (answer.status, answer.body) == (204, b"")
    return dict(answer.headers)


@pytest.mark.slow
@given(st.lists(origins, min_size=1, max_size=3), st.sampled_from(["Origin", "origin"]), origins)
def test_a_listed_origin_is_allowed_and_no_other(
    allowed: list[str], name: str, origin: str
) -> None:
    headers = preflight(",".join(allowed), (name, origin))
    assert headers["Vary"] == "Origin"
    if origin in allowed:
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Allow-Methods"] == "GET,POST"
        assert (
            headers["Access-Control-Allow-Headers"]
            == "Authorization,Content-Type,Org-Handle,Accept"
        )
        assert "Access-Control-Allow-Credentials" not in headers
    else:
        assert not [name for name in headers if name.startswith(PREFIX)]


@pytest.mark.parametrize("origin", ["https://a.example", "null"])
def test_a_star_allows_every_origin(origin: str) -> None:
    assert preflight("*", ("Origin", origin))["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("sent", [(), (("Origin", ""),), (("Origin", "*"),)])
def test_without_an_origin_nothing_is_allowed(sent: tuple[tuple[str, str], ...]) -> None:
    headers = preflight("https://a.example,https://b.example", *sent)
    assert not [name for name in headers if name.startswith(PREFIX)]


@pytest.mark.parametrize(
    "value",
    [
        "https://a.example/",
        "https://a.example, https://b.example",
        "https://A.example",
        "a.example",
        "*,https://a.example",
        "https://*.example",
        'https://a.example"]',
        "https://a.example$x",
        "https://a.example,",
    ],
)
def test_what_no_browser_sends_is_no_allowed_origin(value: str) -> None:
    with pytest.raises(Exception, match="AllowedOrigins must be"):
        load_template(TEMPLATE, {"AllowedOrigins": value})
