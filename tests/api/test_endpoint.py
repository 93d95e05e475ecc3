"""A token's end is exact, although the gateway keeps the authorizer's answer for a minute."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from rollcall.api.endpoint import endpoint
from rollcall.api.http import Request, Response
from rollcall_cli.local.project import find_template
from rollcall_cli.local.template import load_template
from tests.support.answering import Lambda

# The package exports the decorator under the name of its module.
endpoint_module = importlib.import_module("rollcall.api.endpoint")

ENDS_MS = 1_800_000_000_123


@pytest.fixture
def clock() -> Iterator[Any]:
    clock = SimpleNamespace(now_ms=ENDS_MS)
    with patch.object(
        endpoint_module, "time", SimpleNamespace(time_ns=lambda: clock.now_ms * 1_000_000)
    ):
        yield clock


def call(context: dict[str, str]) -> dict[str, Any]:
    answered = []

    @endpoint(lambda status, message: {"dialect": message})
    def handler(request: Request) -> Response:
        answered.append(request)
        return Response(200, "{}")

    authorizer = {"org_id": "org_1", "org_handle": "acme", "epoch": "0", **context}
    answer = handler({"requestContext": {"authorizer": authorizer}}, Lambda())
    assert bool(answered) == (answer["statusCode"] == 200)
    return answer


@pytest.mark.parametrize(("late_ms", "status"), [(-60_000, 200), (-1, 200), (0, 401), (1, 401)])
def test_the_end_is_exact_to_the_millisecond(clock: Any, late_ms: int, status: int) -> None:
    clock.now_ms = ENDS_MS + late_ms
    assert call({"token_ends_at_ms": str(ENDS_MS)})["statusCode"] == status


def test_a_token_without_an_end(clock: Any) -> None:
    assert call({})["statusCode"] == 200


def test_the_body_is_the_gateways(clock: Any) -> None:
    answer = call({"token_ends_at_ms": str(ENDS_MS)})
    template = load_template(find_template())
    assert json.loads(answer["body"]) == json.loads(template.api.responses["UNAUTHORIZED"].body)


# ------------------------------------------------------------------ the size of an answer


def sized(body: str, **options: Any) -> dict[str, Any]:
    """What an endpoint with this body answers."""

    @endpoint(lambda status, message: {"dialect": message}, **options)
    def handler(request: Request) -> Response:
        return Response(200, body)

    authorizer = {"org_id": "org_1", "org_handle": "acme", "epoch": "0"}
    return handler({"requestContext": {"authorizer": authorizer}}, Lambda())


@pytest.mark.parametrize("letter", ["x", "ä", "😀"])
def test_an_answer_has_at_most_6_000_000_bytes(letter: str) -> None:
    most = 6_000_000 // len(letter.encode())
    assert sized(letter * most)["body"] == letter * most
    refused = sized(letter * most + "x")
    assert refused["statusCode"] == 503
    message = json.loads(refused["body"])["dialect"]
    assert "more than 6,000,000 bytes" in message
    assert "Shorten the time range" in message


@pytest.mark.parametrize("status", [400, 422])
def test_it_is_refused_as_too_many_rows_are(status: int) -> None:
    assert sized("x" * 6_000_001, too_many_rows=status)["statusCode"] == status


def test_what_lambda_escapes_counts_as_lambda_sends_it() -> None:
    """Lambda carries a body as a JSON string, in which each of these takes two bytes."""
    assert sized('"' * 3_000_000)["statusCode"] == 200
    assert sized('"' * 3_200_000)["statusCode"] == 503


def test_every_function_of_the_api_is_an_endpoint() -> None:
    """Only an endpoint compares; a route without the authorizer has nothing to compare."""
    template = load_template(find_template())
    for route in template.api.routes:
        handler = template.functions[route.function].folder / "handler.py"
        decorator = "public_endpoint" if route.authorizer is None else "endpoint"
        assert f"\n@{decorator}(" in handler.read_text("utf-8"), route
