"""Every function of the API while the store cannot be reached, stays busy, or is written by others."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from rollcall import bootstrap
from rollcall.retry import Backoff
from rollcall.storage.client import dynamodb_client
from rollcall_cli.local.project import find_template
from rollcall_cli.local.template import load_template
from rollcall_cli.openapi.document import function_name
from tests.sample_events.answering import expected_answer, sample_events
from tests.support.answering import ENVIRONMENT, Lambda, deployed, load_handler, wired
from tests.support.emf import logged
from tests.support.openapi import Spec
from tests.support.oracle import instant
from tests.support.queries_of_dialects import DIALECTS

NOW_MS = instant("2026-11-21T12:00:00Z", "now")
EVENTS = Path(__file__).parents[2] / "events"
TEMPLATE = load_template(find_template())
# Those that read the tables of a caller; each has sample events (events/README.md).
FUNCTIONS = sorted(
    name
    for name in {
        function_name(TEMPLATE, route) for route in TEMPLATE.api.routes if route.authorizer
    }
    if name != "get_schema" and (EVENTS / name).is_dir()
)
SPEC = Spec.committed()
# The keys of an error in each dialect.
SHAPES: dict[str, dict[str, Any]] = {
    "list_organisations": {"status_code": 503, "message": str},
    **{
        function: ({each.status_key: 503} if each.status_key else {}) | {each.error_key: str}
        for each in DIALECTS
        for function in each.routes
    },
}
PROBLEM = {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": str}


def refused(code: str, status: int) -> ClientError:
    metadata = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "Operation")  # type: ignore[typeddict-item]


# They make an error for each request: the traceback of one that is raised again grows each time.
FAILURES: dict[str, Callable[[], Exception]] = {
    "no connection": partial(EndpointConnectionError, endpoint_url="http://127.0.0.1:9"),
    "no connection in time": partial(ConnectTimeoutError, endpoint_url="http://127.0.0.1:9"),
    "no answer in time": partial(ReadTimeoutError, endpoint_url="http://127.0.0.1:9"),
    "throttled": partial(refused, "ProvisionedThroughputExceededException", 400),
    "broken": partial(refused, "InternalServerError", 500),
    "in conflict": partial(refused, "TransactionConflictException", 400),
}


@contextmanager
def failing(error: Callable[[], Exception] | None) -> Iterator[list[str]]:
    """Services whose client fails every request; None lets it try to reach a closed port."""
    with patch.dict(os.environ, ENVIRONMENT):
        client = dynamodb_client(connections=4)
        requests: list[str] = []

        def fail(model: Any, **_: Any) -> None:
            requests.append(model.name)
            if error is not None:
                raise error()

        client.meta.events.register("before-call.dynamodb", fail)
        backoff = Backoff(sleep=lambda _seconds: None)
        with wired(dynamodb=lambda: client, Backoff=lambda: backoff):
            yield requests


def event_of(function: str) -> dict[str, Any]:
    """A sample event that is answered with success while the store answers."""
    return dict(json.loads(_text_of_event(function)))


@functools.cache
def _text_of_event(function: str) -> str:
    for path in sample_events():
        if path.parent.name == function and expected_answer(path)["status"] < 300:
            return path.read_text("utf-8")
    raise AssertionError(f"no event of {function} succeeds")


def assert_unavailable(function: str, answer: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    assert answer["statusCode"] == 503, answer["body"]
    assert answer["headers"]["Retry-After"] == "5"
    body, shape = json.loads(answer["body"]), SHAPES.get(function, PROBLEM)
    assert body.keys() == shape.keys()
    for name, wanted in shape.items():
        assert body[name] == wanted or isinstance(body[name], wanted)
    assert event_of(function)["requestContext"]["requestId"] in answer["body"]
    assert "127.0.0.1" not in answer["body"]
    described = SPEC.operation(function)[2]["responses"]["503"]
    media_type = answer["headers"]["Content-Type"]
    assert SPEC.errors(described["content"][media_type]["schema"], body) == []
    assert "Retry-After" in described["headers"]
    (line,) = [each for each in lines if each["level"] in ("ERROR", "WARNING", "CRITICAL")]
    assert line["message"] == "the store is unavailable"
    assert line["exception_name"] in ("Unavailable", "Conflict")
    assert line["correlation_id"] in answer["body"]


@pytest.mark.representatives(20)
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_store_that_fails_is_503_in_the_shape_of_the_route(function: str, failure: str) -> None:
    with failing(FAILURES[failure]) as requests:
        handler = load_handler(function)
        requests.clear()
        with logged() as lines:
            answer = handler(event_of(function), Lambda())
    assert requests, "the store was not asked"
    assert_unavailable(function, answer, lines)


def test_a_store_that_is_not_there() -> None:
    """No injected error: the SDK meets a port on which nothing listens."""
    with failing(None):
        handler = load_handler("list_organisations")
        with logged() as lines:
            answer = handler(event_of("list_organisations"), Lambda())
    assert_unavailable("list_organisations", answer, lines)


def test_records_that_others_keep_writing() -> None:
    """Another writer is always first, so the conflict outlasts the time of the invocation."""
    function = "ingest_records"
    with deployed(NOW_MS) as deployment:
        org_id = deployment.organisation([])
        client = bootstrap.dynamodb()
        taken = ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
        tries: list[Any] = []

        def refuse(**parameters: Any) -> None:
            tries.append(parameters)
            raise taken

        handler = load_handler(function)
        event = event_of(function)
        event["requestContext"]["authorizer"]["org_id"] = org_id
        in_a_hurry = patch.object(Lambda, "get_remaining_time_in_millis", lambda _: 10_000)
        with patch.object(client, "put_item", refuse), in_a_hurry, logged() as lines:
            answer = handler(event, Lambda())
    assert len(tries) > Backoff().tries
    assert_unavailable(function, answer, lines)


@pytest.mark.representatives(10)
@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_fault_of_the_deployment_is_500(function: str, code: str) -> None:
    with failing(partial(refused, code, 400)):
        handler = load_handler(function)
        with logged() as lines:
            answer = handler(event_of(function), Lambda())
    assert answer["statusCode"] == 500
    assert "Retry-After" not in answer["headers"]
    assert [each["message"] for each in lines if each["level"] == "ERROR"] == ["unexpected error"]
