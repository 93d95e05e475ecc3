"""A minimal client of the local API: one request per connection, and no proxy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from rollcall_cli.errors import CommandError

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `path` with its query, as it is sent; `body` is sent as JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str

    def json(self) -> Any:
        """The parsed body. Raises CommandError when it is not JSON."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise CommandError(f"the answer is not JSON: {self.text[:200]!r}") from error


def send(api_url: str, request: Request) -> Answer:
    """Send one request and return the answer. Raises CommandError without one."""
    body = None if request.body is None else json.dumps(request.body).encode()
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS) as http:
        try:
            answer = http.request(
                request.method,
                api_url.rstrip("/") + request.path,
                body=body,
                headers=dict(request.headers),
            )
        except urllib3.exceptions.HTTPError as error:
            raise CommandError(f"{request.method} {request.path}: no answer ({error!r})") from error
        return Answer(answer.status, tuple(answer.headers.items()), answer.data.decode())
