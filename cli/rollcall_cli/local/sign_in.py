"""One-time codes that sign a browser in to the dashboard of the local stack.

The stack prints an address with a code in its fragment, which browsers send to no server. The page
exchanges the code for the token by a POST, so the token is in no address and in no history.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rollcall.api import strict_json
from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.proxy_response import HttpResponse
from rollcall_cli.loopback import is_loopback

PATH = "/_local/sign-in"
LIFETIME_SECONDS = 600.0

_REFUSALS = {
    "malformed": (400, 'the body must be JSON of the form {"code": "…"}'),
    "unknown": (401, "this code is not of this stack: use the address that it printed last"),
    "used": (410, "this code was used before: sign in with the token, or start the stack again"),
    "expired": (
        410,
        "this code is older than 10 minutes: sign in with the token, or start the stack again",
    ),
}


class Refused(Exception):
    """A code that cannot be exchanged; `reason` is `unknown`, `used` or `expired`."""

    def __init__(self, reason: str) -> None:
        super().__init__(_REFUSALS[reason][1])
        self.reason = reason


@dataclass(slots=True)
class _Code:
    text: bytes
    token: str | None  # None: it was used
    expires_at: float


class OneTimeCodes:
    """The codes of one stack; `clock` counts seconds. Several threads can use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: list[_Code] = []

    def issue(self, token: str) -> str:
        """A code that can be exchanged for the token once, within 10 minutes."""
        text = secrets.token_urlsafe(32)
        code = _Code(text.encode(), token, self._clock() + LIFETIME_SECONDS)
        with self._lock:
            self._codes.append(code)
        return text

    def exchange(self, text: str) -> str:
        """The token of a code. Raises Refused."""
        given = text.encode("utf-8")
        with self._lock:
            # Every code is compared, each in constant time: how long it takes reveals nothing.
            found = [code for code in self._codes if secrets.compare_digest(code.text, given)]
            if not found:
                raise Refused("unknown")
            (code,) = found
            if code.token is None:
                raise Refused("used")
            if self._clock() >= code.expires_at:
                raise Refused("expired")
            token, code.token = code.token, None
            return token


def sign_in(request: HttpRequest, codes: OneTimeCodes) -> HttpResponse:
    """The answer to a POST of a code: its token, or why there is none."""
    if not is_loopback(request.source_ip):
        return _answer(403, {"message": "only this machine can exchange codes"})
    try:
        return _answer(200, {"token": codes.exchange(_code_in(request.body))})
    except ValueError:
        reason = "malformed"
    except Refused as error:
        reason = error.reason
    status, message = _REFUSALS[reason]
    return _answer(status, {"reason": reason, "message": message})


def _code_in(body: bytes) -> str:
    """The code in a body. Raises ValueError for any other content."""
    match strict_json.loads(body):
        case {"code": str(code), **others} if not others:
            return code
    raise ValueError("not one code")


def _answer(status: int, body: dict[str, str]) -> HttpResponse:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return HttpResponse(status, headers, json.dumps(body, ensure_ascii=False).encode())
