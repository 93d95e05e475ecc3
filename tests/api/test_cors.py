"""Which pages may read what a function answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.api.cors import EXPOSED_HEADERS, cors_headers
from tests.support.origins import origins

ALLOW = "Access-Control-Allow-Origin"


def event(*sent: str, name: str = "Origin") -> dict[str, Any]:
    return {"multiValueHeaders": {name: list(sent)} if sent else None}


@given(st.lists(origins, max_size=4), origins | st.none())
def test_the_own_origin_is_allowed_when_it_is_listed(
    allowed: list[str], origin: str | None
) -> None:
    headers = cors_headers(event(*([origin] if origin else [])), allowed)
    assert headers.get(ALLOW) == (origin if origin in allowed else None)
    assert headers.get("Vary") == ("Origin" if allowed else None)
    assert ("Access-Control-Expose-Headers" in headers) == (ALLOW in headers)
    assert "Access-Control-Allow-Credentials" not in headers


@given(origins | st.none())
def test_every_origin_is_allowed_by_a_star(origin: str | None) -> None:
    headers = cors_headers(event(*([origin] if origin else [])), ["*"])
    assert headers[ALLOW] == "*"
    assert "Vary" not in headers


@pytest.mark.parametrize("name", ["Origin", "origin", "ORIGIN"])
def test_the_header_is_read_in_any_case(name: str) -> None:
    allowed = ["https://a.example"]
    assert cors_headers(event("https://a.example", name=name), allowed)[ALLOW] == allowed[0]


@pytest.mark.parametrize(
    "sent",
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example.evil.example",),
        ("https://a.exampl",),
        ("http://a.example",),
        ("https://a.example:8443",),
        ("https://A.example",),
        ("*",),
        ("null",),
        ("",),
    ],
)
def test_what_only_resembles_an_allowed_origin_is_not_allowed(sent: tuple[str, ...]) -> None:
    assert cors_headers(event(*sent), ["https://a.example"]) == {"Vary": "Origin"}


def test_a_page_may_read_every_header_of_rollcall() -> None:
    headers = cors_headers(event("https://a.example"), ["https://a.example"])
    assert headers["Access-Control-Expose-Headers"] == ", ".join(EXPOSED_HEADERS)
