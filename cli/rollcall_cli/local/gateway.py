"""API Gateway on loopback: routes, authorizes and invokes as a REST API with Lambda proxy does.

An ASGI application. It checks in API Gateway's order: the route, then the identity source and the
authorizer, then the size of the body, then the function. Apart from the template's routes it serves
the dashboard at `/`, and answers `GET /_local/health`, `POST /_local/drain`, `POST /_local/sign-in`,
`POST /_local/hook` and the requests of the documentation's page.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rollcall_cli.local.authorizing import AuthorizerCache, GatewayError
from rollcall_cli.local.dashboard import dashboard
from rollcall_cli.local.documentation import documentation
from rollcall_cli.local.gateway_responses import gateway_response
from rollcall_cli.local.http_request import HttpRequest, is_binary, proxy_event
from rollcall_cli.local.http_server import RAW_HEADERS
from rollcall_cli.local.mock_integration import answer_mock
from rollcall_cli.local.proxy_response import HttpResponse, MalformedAnswer, parse_answer
from rollcall_cli.local.routes import RouteMatch, RouteTable
from rollcall_cli.local.runtime import (
    FunctionError,
    FunctionTimedOut,
    Runtime,
    answer_in_thread,
)
from rollcall_cli.local.sample_hook import PATH as SAMPLE_HOOK
from rollcall_cli.local.sample_hook import SampleHooks, sample_hook
from rollcall_cli.local.sign_in import PATH as SIGN_IN
from rollcall_cli.local.sign_in import OneTimeCodes, sign_in
from rollcall_cli.local.template_model import Route, Template
from rollcall_cli.local.try_out import TryOut

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_SECONDS = 29.0
DRAIN_SECONDS = 600.0
# How much of a body that is too large is read, so that the client receives the 413.
_MAX_DISCARDED_BYTES = 100 * 1024 * 1024

Drain = Callable[[float], bool]
_Result = TypeVar("_Result")
_log = logging.getLogger("rollcall.local.gateway")


class Gateway:
    """The ASGI application.

    `drain` waits for the stream; `clock` expires cached authorizations and one-time codes.
    """

    def __init__(
        self,
        template: Template,
        runtime: Runtime,
        *,
        drain: Drain,
        clock: Callable[[], float] = time.monotonic,
        limit_seconds: float = MAX_SECONDS,
    ) -> None:
        self._template = template
        self._api = template.api
        self._runtime = runtime
        self._drain = drain
        self._routes = RouteTable(template.api.routes)
        self._mocks = RouteTable(template.api.mocks)
        self._authorizer = AuthorizerCache(template.api.stage, clock)
        self._limit_seconds = limit_seconds
        # The values that the documentation's page fills in, once there is an organisation.
        self.try_out: TryOut | None = None
        # What `rollcall hook try` uses, likewise.
        self.sample_hooks: SampleHooks | None = None
        # What the dashboard exchanges for a token.
        self.codes = OneTimeCodes(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an unexpected exception is logged and answered with a 5xx."""
        if scope["type"] != "http":
            raise RuntimeError(f"not a request: {scope['type']}")
        try:
            request = await _read(scope, receive)
        except ClientDisconnect:
            return
        response = await self._answer(request)
        reply = Response(response.body, response.status)
        reply.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
        ]
        if response.status >= 200 and response.status not in (204, 304):
            reply.raw_headers.append((b"Content-Length", str(len(response.body)).encode()))
        await reply(scope, receive, send)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        local = await self._answer_local(request)
        if local is not None:
            return local
        page = self._page(request)
        if page is not None:
            return page
        try:
            return await self._answer_route(request)
        except GatewayError as error:
            if error.kind not in ("MISSING_AUTHENTICATION_TOKEN", "UNAUTHORIZED"):
                _log.warning("%s %s: %s", request.method, request.raw_path, error)
            kind = error.kind
        except Exception:
            _log.exception("%s %s", request.method, request.raw_path)
            kind = "INTEGRATION_FAILURE"
        return gateway_response(kind, self._api.responses, request.request_id)

    async def _answer_local(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a request for the stack itself; None for any other."""
        match request.method, request.raw_path:
            case "GET", "/_local/health":
                return _json_response(200, {"status": "ok"})
            case "POST", "/_local/drain":
                return await self._answer_drain(request)
            case "POST", path if path == SAMPLE_HOOK:
                return await _in_thread(lambda: sample_hook(request, self.sample_hooks), "hook")
            case "POST", path if path == SIGN_IN:
                return sign_in(request, self.codes)
        return None

    def _page(self, request: HttpRequest) -> HttpResponse | None:
        """A file of the documentation or of the dashboard."""
        project = self._template.path.parent
        if request.raw_path.startswith("/_local/"):
            return documentation(request, project, self._routes, self.try_out)
        return dashboard(request, project)

    async def _answer_route(self, request: HttpRequest) -> HttpResponse:
        mock = self._mocks.find(request.method, request.raw_path)
        if mock is not None:
            return answer_mock(mock.route, request)
        match = self._routes.find(request.method, request.raw_path)
        if match is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "no such route or method")
        context = None
        if match.route.authorizer is not None:
            context = await self._authorizer.authorize(
                match.route.authorizer, request, match, self._invoke
            )
        if len(request.body) > MAX_BODY_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE", "the body is larger than 10 MB")
        return await self._answer_function(request, match, context)

    async def _answer_function(
        self, request: HttpRequest, match: RouteMatch[Route], context: Mapping[str, str] | None
    ) -> HttpResponse:
        event = proxy_event(
            request,
            stage=self._api.stage,
            resource=match.route.path,
            path_parameters=match.path_parameters,
            authorizer=context,
            binary_media_types=self._api.binary_media_types,
        )
        accepted = request.media_type("accept", "application/json")
        try:
            answer = await self._invoke(match.route.function, event)
            response = parse_answer(
                answer, decodes_binary=is_binary(accepted, self._api.binary_media_types)
            )
        except FunctionTimedOut as error:
            # When Lambda ends a function at the function's own limit, the gateway reports a malformed
            # answer. It reports a time-out only at its own limit.
            own_limit = self._template.functions[match.route.function].timeout_seconds
            is_own = own_limit < self._limit_seconds
            kind = "INTEGRATION_FAILURE" if is_own else "INTEGRATION_TIMEOUT"
            raise GatewayError(kind, str(error)) from error
        except FunctionError as error:
            raise GatewayError("INTEGRATION_FAILURE", f"{match.route.function}: {error}") from error
        except MalformedAnswer as error:
            message = f"malformed answer of {match.route.function}: {error}"
            raise GatewayError("INTEGRATION_FAILURE", message) from error
        headers = (*response.headers, ("x-amzn-RequestId", request.request_id))
        return HttpResponse(response.status, headers, response.body)

    async def _invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        limit = min(self._template.functions[function].timeout_seconds, self._limit_seconds)
        future = asyncio.wrap_future(self._runtime.start(function, event))
        done, _ = await asyncio.wait([future], timeout=limit)
        if not done:
            future.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise FunctionTimedOut(function, limit)
        return future.result()

    async def _answer_drain(self, request: HttpRequest) -> HttpResponse:
        given = parse_qs(request.query_string).get("timeout", [str(DRAIN_SECONDS)])[-1]
        try:
            timeout = float(given)
        except ValueError:
            timeout = math.nan
        if not 0 <= timeout <= 86_400:
            message = "timeout must be seconds, from 0 to 86400"
            return _json_response(400, {"drained": False, "message": message})
        try:
            is_drained = await _in_thread(lambda: self._drain(timeout), "drain")
        except Exception as error:
            _log.exception("drain")
            return _json_response(503, {"drained": False, "message": str(error)})
        if is_drained:
            return _json_response(200, {"drained": True})
        message = f"some records are not applied after {timeout:g} s"
        return _json_response(503, {"drained": False, "message": message})


async def _in_thread(act: Callable[[], _Result], name: str) -> _Result:
    """What `act` returns. Threads of the loop's default pool would keep the process from ending."""
    return await asyncio.wrap_future(answer_in_thread(act, name))


def _json_response(status: int, body: Mapping[str, Any]) -> HttpResponse:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return HttpResponse(status, headers, json.dumps(body).encode())


async def _read(scope: Scope, receive: Receive) -> HttpRequest:
    body = bytearray()
    discarded = 0
    async for chunk in Request(scope, receive).stream():
        # One byte over the limit shows that the body is too large.
        room = MAX_BODY_BYTES + 1 - len(body)
        body += chunk[:room]
        discarded += max(0, len(chunk) - room)
        if discarded > _MAX_DISCARDED_BYTES:
            break
    raw_headers = scope.get(RAW_HEADERS, scope["headers"])
    raw_path = scope.get("raw_path") or scope["path"].encode("utf-8")
    return HttpRequest(
        method=scope["method"],
        raw_path=raw_path.decode("latin-1"),
        query_string=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw_headers],
        body=bytes(body),
        source_ip=scope["client"][0] if scope.get("client") else "127.0.0.1",
        protocol=f"HTTP/{scope.get('http_version', '1.1')}",
    )
