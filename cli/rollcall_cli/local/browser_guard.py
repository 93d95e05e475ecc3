"""Keep web pages of other origins from using what requires no credentials on the local servers.

The API requires a token, and the template says which origins may read its answers: only its `Host`
is checked. `/_local` and the database require nothing, so their `Origin` is checked too.

`Origin` is the origin of the page that sends a request, and `Host` is the name that the page used
for the server. A page of another site has another `Origin`; a page whose host name resolves to this
machine (DNS rebinding) has that name in `Host`. Programs send no `Origin`, and this machine as `Host`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rollcall_cli.loopback import is_loopback

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:@/\[\]]+))(?::[0-9]{1,5})?")


def refusal(hosts: list[str], origins: list[str], allowed_hosts: Collection[str]) -> str | None:
    """Why a request with these `Host` and `Origin` headers is refused; None if it is served.

    `allowed_hosts` are further names of this server, without a port.
    """
    match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    name = (match[1] or match[2]).lower() if match else ""
    if not is_loopback(name) and name not in allowed_hosts:
        return "the Host header must name this machine: 127.0.0.1, localhost or [::1]"
    if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
        return "the Origin header must be this server's own origin"
    return None


class AsgiGuard:
    """ASGI middleware that answers 403 to refused requests, before the body is read."""

    def __init__(self, application: ASGIApp, allowed_hosts: Collection[str]) -> None:
        self._application = application
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        application = self._application
        if scope["type"] == "http":
            origins = _values(scope, b"origin") if _is_open(scope["path"]) else []
            reason = refusal(_values(scope, b"host"), origins, self._allowed_hosts)
            if reason is not None:
                application = JSONResponse({"message": reason}, 403)
        await application(scope, receive, send)


def _is_open(path: str) -> bool:
    """Whether a path requires no token."""
    return path.startswith("/_local/")


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


class WsgiGuard:
    """WSGI middleware that answers 403 to refused requests."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], allowed_hosts: Collection[str]
    ) -> None:
        self._application = application
        self._allowed_hosts = allowed_hosts

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass one request on, or refuse it."""
        hosts, origins = (
            [environ[name]] if name in environ else [] for name in ("HTTP_HOST", "HTTP_ORIGIN")
        )
        reason = refusal(hosts, origins, self._allowed_hosts)
        if reason is None:
            return self._application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        return [json.dumps({"message": reason}).encode()]
