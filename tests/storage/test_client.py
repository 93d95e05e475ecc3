"""A client whose SDK does not call the tenancy check is never handed out."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import botocore.client
import botocore.hooks
import botocore.session
import botocore.useragent
import pytest

from rollcall.domain.errors import RollcallError, UncheckedStore
from rollcall.domain.organisations import tenant
from rollcall.storage import client as client_module
from rollcall.storage.client import dynamodb_client


class Server(socketserver.ThreadingTCPServer):
    """Counts connections, and closes each without an answer."""

    connections = 0

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.server.connections += 1  # type: ignore[attr-defined]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Handler)


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_self_test_sends_nothing(server: Server) -> None:
    dynamodb_client(connections=1)
    with tenant("org_1"):  # any organisation
        dynamodb_client(connections=1)
    assert server.connections == 0


def test_a_renamed_event_is_noticed() -> None:
    """As a release of botocore would do it: the parameters are announced under another name."""
    emit = botocore.hooks.EventAliaser.emit_until_response
    emitted: list[str] = []

    def renamed(self: Any, name: str, **arguments: Any) -> Any:
        emitted.append(name)
        return emit(self, name.replace("provide-client-params", "supply-params"), **arguments)

    original = botocore.hooks.EventAliaser.emit

    def renamed_too(self: Any, name: str, **arguments: Any) -> Any:
        emitted.append(name)
        return original(self, name.replace("provide-client-params", "supply-params"), **arguments)

    with (
        patch.object(botocore.hooks.EventAliaser, "emit", renamed_too),
        patch.object(botocore.hooks.EventAliaser, "emit_until_response", renamed),
        pytest.raises(UncheckedStore, match=f"botocore {botocore.__version__} sends"),
    ):
        dynamodb_client(connections=1)
    # It is the event that botocore emits today; otherwise nothing was renamed here.
    assert any(name.startswith("provide-client-params.dynamodb") for name in emitted)


def test_an_event_that_is_gone_is_noticed() -> None:
    def silent(_self: Any, api_params: Any, *_: Any, **__: Any) -> Any:
        return api_params

    with (
        patch.object(botocore.client.BaseClient, "_emit_api_params", silent),
        pytest.raises(UncheckedStore),
    ):
        dynamodb_client(connections=1)


def test_a_check_that_lets_everything_pass_is_noticed() -> None:
    with (
        patch.object(client_module, "refuse_foreign_keys", lambda **_: None),
        pytest.raises(UncheckedStore),
    ):
        dynamodb_client(connections=1)


def test_the_sdk_composes_no_user_agent_for_a_request() -> None:
    """That would take it a tenth of the time of a request."""
    client = dynamodb_client(connections=1)
    sent: list[str] = []

    def refuse(request: Any, **_: Any) -> None:
        sent.append(request.headers["User-Agent"].decode())
        raise ConnectionRefusedError

    client.meta.events.register("before-send.dynamodb", refuse)
    composing = patch.object(
        botocore.useragent.UserAgentString, "_build_sdk_metadata", side_effect=AssertionError
    )
    with composing, tenant("org_1"), pytest.raises(ConnectionRefusedError):
        client.get_item(TableName="records", Key={"PK": {"S": "ORG#org_1#"}, "SK": {"S": "META"}})
    # Powertools, once it is imported, appends its own name.
    assert [agent.split(" PT/")[0] for agent in sent] == [
        botocore.session.get_session().user_agent()
    ]


def test_the_error_ends_a_command_in_one_line() -> None:
    assert issubclass(UncheckedStore, RollcallError)
