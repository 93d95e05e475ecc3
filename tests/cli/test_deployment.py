"""Errors of the tables name what happened, and maintenance waits longer than a function does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from rollcall import bootstrap
from rollcall.domain.errors import Unavailable
from rollcall.retry import Backoff
from rollcall.storage.accounts import Directory
from rollcall.storage.client import READ_TIMEOUT_SECONDS, dynamodb_client
from rollcall.storage.failures import failures
from rollcall_cli.deployment import deployment, maintenance
from rollcall_cli.errors import CommandError

BACKOFF = Backoff(tries=2, sleep=lambda _seconds: None)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket that AWS clients send their requests to; it never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        yield listener


def requested() -> None:
    """One request with its retries, as the stores send it."""
    client = dynamodb_client(connections=1, read_timeout_seconds=0.05)
    Directory(client, "records", BACKOFF).org_id_of_handle("acme")


def error_of(request: Callable[[], None]) -> str:
    with pytest.raises(CommandError) as raised, deployment():
        request()
    return str(raised.value)


@pytest.mark.usefixtures("endpoint")
def test_a_time_out_is_reported_as_one() -> None:
    text = error_of(requested)
    assert text.startswith("the tables did not answer in time: failed after 2 tries")
    assert "reached" not in text


def test_an_endpoint_without_a_server_cannot_be_reached(endpoint: socket.socket) -> None:
    endpoint.close()
    text = error_of(requested)
    assert text.startswith("the tables cannot be reached: failed after 2 tries")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (ReadTimeoutError(endpoint_url="http://x"), "the tables did not answer in time: gone"),
        (EndpointConnectionError(endpoint_url="http://x"), "the tables cannot be reached: gone"),
        (
            ClientError({"Error": {"Code": "ThrottlingException"}}, "Query"),
            "the tables are overloaded or failing: gone",
        ),
        (None, "the tables took too long: gone"),
    ],
)
def test_unavailable_tables_are_reported_with_their_cause(
    cause: BaseException | None, message: str
) -> None:
    def request() -> None:
        raise Unavailable("gone") from cause

    assert error_of(request).startswith(f"{message} (tables ")


def test_a_bad_endpoint_and_a_bad_destination_name_their_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "nowhere")
    text = error_of(requested)
    assert text.startswith("AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL: Invalid endpoint")

    def open_destination() -> None:
        failures("ftp://x")

    text = error_of(open_destination)
    assert text.startswith("the failure destination cannot be used: 'ftp://x' is neither s3://")


def test_a_fault_of_the_program_is_not_reported_as_one_of_the_tables() -> None:
    with pytest.raises(ValueError, match="a bug"), deployment():
        raise ValueError("a bug")


def test_maintenance_waits_longer_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[float] = []

    def client(*, connections: int, read_timeout_seconds: float) -> Any:
        timeouts.append(read_timeout_seconds)

    monkeypatch.setattr(bootstrap, "dynamodb_client", client)
    monkeypatch.setattr(bootstrap, "_read_timeout_seconds", READ_TIMEOUT_SECONDS)
    for opened in (deployment, maintenance):
        bootstrap.dynamodb.cache_clear()
        with opened():
            bootstrap.dynamodb()
    bootstrap.dynamodb.cache_clear()
    assert timeouts == [3.0, 60.0]
