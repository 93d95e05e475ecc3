"""Serve an ASGI application on loopback, in a thread; header names are passed on as sent.

Requests of web pages of other origins are refused before they reach the application.

ASGI has header names in lower case, but API Gateway passes functions the names as they were sent:
they are in the scope under RAW_HEADERS.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Collection
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rollcall_cli.errors import CommandError
from rollcall_cli.local.browser_guard import AsgiGuard
from rollcall_cli.local.ports import HOST

RAW_HEADERS = "rollcall.raw_headers"
_MAX_HEAD_BYTES = 64 * 1024


class _RecordingConnection(h11.Connection):
    """Keeps the headers of the last parsed request, with their names as sent."""

    raw_headers: list[tuple[bytes, bytes]]

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.raw_headers = list(event.headers.raw_items())
        return event


class _NamePreservingProtocol(H11Protocol):
    """uvicorn's HTTP protocol with the raw header names in the scope.

    The next request of a connection is parsed only after this one is answered, so the kept headers
    are those of the request that is passed on.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        connection = _RecordingConnection(h11.SERVER, _MAX_HEAD_BYTES)
        self.conn = connection
        application = self.app

        async def with_raw_headers(scope: Scope, receive: Receive, send: Send) -> None:
            await application({**scope, RAW_HEADERS: connection.raw_headers}, receive, send)

        self.app = with_raw_headers


class HttpServer:
    """A running server; `close` ends it within about two seconds, even during requests.

    `allowed_hosts` are names other than loopback that clients may send in `Host`.
    """

    def __init__(
        self,
        application: ASGIApp,
        listener: socket.socket,
        *,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._listener = listener
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                AsgiGuard(application, allowed_hosts),
                http=_NamePreservingProtocol,
                ws="none",
                lifespan="off",
                loop="asyncio",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=True,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
            )
        )
        logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise CommandError("the gateway did not start")
            time.sleep(0.005)

    def close(self) -> None:
        """Stop serving, and wait until the server has ended."""
        # uvicorn would log every request that it interrupts.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])
