"""Invoke the authorizer function and cache its answer, as API Gateway does.

The cache key is the value of the identity source, for the whole API: the policy that a token got on
one route is evaluated for the next one. Policies that deny are cached too; errors are not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollcall_cli.local.http_request import HttpRequest, method_arn, shared_event
from rollcall_cli.local.policy import MalformedPolicy, allows
from rollcall_cli.local.routes import RouteMatch
from rollcall_cli.local.runtime import FunctionError
from rollcall_cli.local.template_model import Authorizer, Route

Invoke = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


class GatewayError(Exception):
    """The gateway answers the request by itself; `kind` names the gateway response."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class _Answer:
    policy: Any
    context: dict[str, str]
    expires_at: float


class AuthorizerCache:
    """Answers of the authorizers, by identity; `clock` returns monotonic seconds."""

    def __init__(self, stage: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._stage = stage
        self._clock = clock
        self._answers: dict[tuple[str, ...], _Answer] = {}
        self._lock = threading.Lock()

    async def authorize(
        self, authorizer: Authorizer, request: HttpRequest, match: RouteMatch[Route], invoke: Invoke
    ) -> dict[str, str]:
        """The context for the function; every value is a string. Raises GatewayError."""
        identity = self._identity(authorizer, request)
        arn = method_arn(self._stage, request)
        answer = self._cached(identity)
        if answer is None:
            answer = self._parsed(
                await self._call(authorizer, request, match, arn, invoke), authorizer
            )
            if authorizer.ttl_seconds > 0:
                self._store(identity, answer)
        try:
            is_allowed = allows(answer.policy, arn)
        except MalformedPolicy as error:
            raise GatewayError("AUTHORIZER_FAILURE", str(error)) from error
        if not is_allowed:
            raise GatewayError("ACCESS_DENIED", "the policy does not allow this call")
        return answer.context

    @staticmethod
    def _identity(authorizer: Authorizer, request: HttpRequest) -> tuple[str, ...]:
        identity = [authorizer.function]
        for name in authorizer.identity_headers:
            value = ",".join(request.header_values(name))
            if not value.strip():
                raise GatewayError("UNAUTHORIZED", f"no {name} header")
            identity.append(value)
        return tuple(identity)

    def _cached(self, identity: tuple[str, ...]) -> _Answer | None:
        with self._lock:
            answer = self._answers.get(identity)
            if answer is not None and answer.expires_at <= self._clock():
                del self._answers[identity]
                return None
            return answer

    def _store(self, identity: tuple[str, ...], answer: _Answer) -> None:
        with self._lock:
            if len(self._answers) >= 10_000:  # tokens are being guessed; keep memory bounded
                self._answers.clear()
            self._answers[identity] = answer

    async def _call(
        self,
        authorizer: Authorizer,
        request: HttpRequest,
        match: RouteMatch[Route],
        arn: str,
        invoke: Invoke,
    ) -> Any:
        event = shared_event(
            request,
            stage=self._stage,
            resource=match.route.path,
            path_parameters=match.path_parameters,
        ) | {"type": "REQUEST", "methodArn": arn}
        try:
            return await invoke(authorizer.function, event)
        except FunctionError as error:
            if error.message == "Unauthorized":
                raise GatewayError("UNAUTHORIZED", "the authorizer refused the token") from error
            raise GatewayError("AUTHORIZER_FAILURE", str(error)) from error

    def _parsed(self, answer: Any, authorizer: Authorizer) -> _Answer:
        if not isinstance(answer, dict) or not isinstance(answer.get("principalId"), str):
            raise GatewayError("AUTHORIZER_FAILURE", "the authorizer's answer has no principalId")
        context = answer.get("context")
        context = {} if context is None else context
        if not isinstance(context, dict):
            raise GatewayError("AUTHORIZER_FAILURE", "the authorizer's context is not an object")
        texts = {name: _context_text(name, value) for name, value in context.items()}
        policy = answer.get("policyDocument")
        try:
            allows(policy, "")  # a policy that cannot be evaluated must not be cached
        except MalformedPolicy as error:
            raise GatewayError("AUTHORIZER_FAILURE", str(error)) from error
        return _Answer(
            policy=policy,
            context=texts | {"principalId": answer["principalId"]},
            expires_at=self._clock() + authorizer.ttl_seconds,
        )


def _context_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise GatewayError(
        "AUTHORIZER_FAILURE", f"context value {name} is not a string, number or boolean"
    )
