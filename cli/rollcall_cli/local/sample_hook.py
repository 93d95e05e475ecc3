"""Hooks to try on the local stack: `rollcall hook try` signs samples for one of them.

Their secrets are generated here, and leave the stack for other processes of this machine alone.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rollcall.api import strict_json
from rollcall.domain.errors import InvalidOperation
from rollcall_cli.deployment import deployment
from rollcall_cli.errors import CommandError
from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.proxy_response import HttpResponse
from rollcall_cli.local.try_out import TryOut
from rollcall_cli.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.hooks.manage import CreatedHook, ManageHooks

PATH = "/_local/hook"

Managing = Callable[[], AbstractContextManager["ManageHooks"]]


@contextmanager
def managing() -> Iterator[ManageHooks]:
    """Management of hooks in the tables that the environment names. Raises CommandError."""
    with deployment():
        from rollcall import commands

        yield commands.manage_hooks()


class SampleHooks:
    """The hooks to try of one organisation, one for each provider. Several threads can use it."""

    def __init__(self, api_url: str, try_out: TryOut, hooks: Managing = managing) -> None:
        self._api_url = api_url
        self._try_out = try_out
        self._managing = hooks
        self._lock = threading.Lock()
        self._made: dict[str, tuple[CreatedHook, str]] = {}

    def of(self, provider: str) -> dict[str, str]:
        """`url`, `secret` and the organisation's `token`; the hook is created if there is none.

        Raises CommandError.
        """
        with self._lock, self._managing() as hooks:
            made = self._made.get(provider)
            if made is None or not _exists(hooks, made[0].id):
                made = self._made[provider] = self._create(hooks, provider)
        created, secret = made
        return {"url": created.url, "secret": secret, "token": self._try_out.token}

    def _create(self, hooks: ManageHooks, provider: str) -> tuple[CreatedHook, str]:
        # With a colon, because LiveKit's is KEY:SECRET.
        secret = f"sample:{secrets.token_urlsafe(24)}"
        return hooks.create(self._try_out.handle, provider, secret, self._api_url, {}), secret


def sample_hook(request: HttpRequest, hooks: SampleHooks | None) -> HttpResponse:
    """The answer to a POST of `{"provider": …}`: a hook of the provider and its secret."""
    if not is_loopback(request.source_ip):
        return _answer(403, {"message": "only this machine can try hooks"})
    try:
        provider = _provider_in(request.body)
    except ValueError:
        return _answer(400, {"message": 'the body must be JSON of the form {"provider": "…"}'})
    if hooks is None:
        message = "this stack has no organisation to try: start it with --org and --token-file"
        return _answer(409, {"message": message})
    try:
        return _answer(200, hooks.of(provider))
    except CommandError as error:
        return _answer(400, {"message": str(error)})


def _exists(hooks: ManageHooks, hook_id: str) -> bool:
    try:
        hooks.find(hook_id)
    except InvalidOperation:
        return False
    return True


def _provider_in(body: bytes) -> str:
    """The provider in a body. Raises ValueError for any other content."""
    match strict_json.loads(body):
        case {"provider": str(provider), **others} if not others:
            return provider
    raise ValueError("not one provider")


def _answer(status: int, body: dict[str, str]) -> HttpResponse:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return HttpResponse(status, headers, json.dumps(body, ensure_ascii=False).encode())
