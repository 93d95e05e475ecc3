"""The HTTP client of the commands that use the API: a token, retries, and errors as one line."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import urllib3

from rollcall_cli.errors import CommandError
from rollcall_cli.loopback import is_loopback

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"

_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 20.0


class Interrupted(Exception):
    """Ctrl-C was pressed while the client waited before a retry; nothing was acknowledged."""


class NoAnswer(CommandError):
    """Every attempt failed."""


class Reply(NamedTuple):
    """An answer of the API; the names of headers are read in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_problem(self) -> bool:
        """Whether the body is a problem document, which only Rollcall's own routes send."""
        return self.headers.get("Content-Type", "").startswith(PROBLEM_TYPE)

    @property
    def message(self) -> str:
        """What an error's body says."""
        answer = _parsed(self.body)
        for key in ("detail", "message", "error", "title"):
            if isinstance(answer.get(key), str):
                return str(answer[key])
        return self.body[:200].decode("utf-8", "replace") or "no reason given"

    @property
    def faults(self) -> list[tuple[str, str]]:
        """(JSON pointer, message) of each fault of a refused query."""
        errors = _parsed(self.body).get("errors")
        return [
            (str(each["pointer"]), str(each["message"]))
            for each in (errors if isinstance(errors, list) else [])
            if isinstance(each, dict) and {"pointer", "message"} <= each.keys()
        ]


def wait(seconds: float) -> bool:
    """Wait before a retry; Ctrl-C raises KeyboardInterrupt, so this never requests a stop."""
    time.sleep(seconds)
    return False


class ApiClient:
    """Sends requests to one API with one token.

    A request that gets no answer, 429 or 5xx is sent again, `attempts` times in all. `pause` waits
    so many seconds, and returns True to stop. Unless `is_insecure`, the token is sent to other
    machines over HTTPS only. Raises CommandError for a bad URL.
    """

    def __init__(
        self,
        api: str,
        token: str,
        scope: str,
        *,
        pause: Callable[[float], bool] = wait,
        attempts: int = 8,
        jitter: Callable[[], float] = random.random,
        is_insecure: bool = False,
    ) -> None:
        address = _address(api)
        if address.scheme == "http" and not is_loopback(address.hostname or "") and not is_insecure:
            raise CommandError(
                f"--api: {api} is not encrypted, so the network could read the token;"
                " use https, or pass --insecure to send it anyway"
            )
        self._api = api.rstrip("/")
        self._scope = scope
        self._pause = pause
        self._attempts = attempts
        self._jitter = jitter
        self._has_succeeded = False
        self._http = urllib3.PoolManager(
            headers={"Authorization": f"Token {token}"},
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=60),
        )

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"{self._api}{path}"

    def get(self, path: str) -> Reply:
        """The answer to a GET, as `post` returns it."""
        return self._send("GET", path, None, {"Accept": JSON_TYPE})

    def post(self, path: str, body: bytes, accept: str = JSON_TYPE) -> Reply:
        """The answer to a JSON body, with any status below 500 except 429.

        Raises NoAnswer after the last attempt; CommandError when the token is refused, or there is no
        such route; and Interrupted.
        """
        return self._send("POST", path, body, {"Content-Type": JSON_TYPE, "Accept": accept})

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        headers = {**self._http.headers, **headers}
        reason = ""
        for attempt in range(self._attempts):
            retry_after = 0.0
            try:
                sent = self._http.request(method, self.url(path), body=body, headers=headers)
            except urllib3.exceptions.LocationParseError as error:
                raise CommandError(f"--api: {self._api} is not a URL") from error
            except urllib3.exceptions.HTTPError as error:
                reason = _reason(error)
                if not self._has_succeeded and _is_hopeless(error):
                    raise CommandError(f"cannot reach {self._api}: {reason}") from error
            else:
                reply = Reply(sent.status, sent.headers, sent.data)
                self._refuse_if_final(reply, path)
                if reply.status != 429 and reply.status < 500:
                    self._has_succeeded = True
                    return reply
                reason = f"it answered {reply.status}: {reply.message}"
                retry_after = _seconds(reply.headers.get("Retry-After"))
            longest = min(_MAX_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            pause = max(longest * (0.5 + 0.5 * self._jitter()), retry_after)
            if attempt + 1 < self._attempts and self._pause(pause):
                raise Interrupted
        raise NoAnswer(f"{self.url(path)} failed {self._attempts} times: {reason}")

    def _refuse_if_final(self, reply: Reply, path: str) -> None:
        match reply.status:
            case 401:
                raise CommandError(
                    f"{self._api} does not accept the token: it is unknown, expired or revoked"
                )
            case 403:
                raise CommandError(
                    f"{self._api} refuses the token: it needs the permission {self._scope}"
                    f" ({reply.message})"
                )
            case 404 if not reply.is_problem:
                raise CommandError(f"there is no Rollcall at {self._api}: no {path} (404)")


def _address(api: str) -> SplitResult:
    try:
        address = urlsplit(api)
    except ValueError as error:
        raise CommandError(f"--api: {api} is not a URL") from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise CommandError(f"--api: {api} is not a URL")
    return address


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(error: Exception) -> str:
    inner = error.__cause__ or error.__context__ or error
    return str(getattr(inner, "strerror", None) or str(inner) or type(error).__name__)


def _is_hopeless(error: Exception) -> bool:
    """Whether the URL is probably wrong: there is no such host, or it refuses connections."""
    refused = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.SSLError)
    return isinstance(error, refused)


def _seconds(header: str | None) -> float:
    if header is None or not header.strip().isdecimal():
        return 0.0
    return min(float(header.strip()), 60.0)
