"""A minimal client of the local API: one request per connection, and no proxy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

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
    connection = HTTPConnection(urlsplit(api_url).netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request(request.method, request.path, body, dict(request.headers))
        answer = connection.getresponse()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read().decode())
    except (OSError, HTTPException) as error:
        raise CommandError(f"{request.method} {request.path}: no answer ({error!r})") from error
    finally:
        connection.close()
