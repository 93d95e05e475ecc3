"""Requests whose replies are lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ReadTimeoutError

from tests.support.emulator.client import MemoryClient


def break_requests(client: Any, count: int, *, is_applied: bool) -> Callable[[], int]:
    """The next `count` requests end in a time-out, applied or not; gives how many were sent."""
    sent = itertools.count()
    last = [0]

    def exchange(send: Callable[[], Any]) -> Any:
        last[0] = number = next(sent)
        answer = send() if is_applied or number >= count else None
        if number < count:
            raise ReadTimeoutError(endpoint_url="nowhere")
        return answer

    if isinstance(client, MemoryClient):
        client.around = lambda _operation, send: exchange(send)
    else:
        session = client._endpoint.http_session
        original = session.send
        session.send = lambda request: exchange(lambda: original(request))
    return lambda: last[0] + 1
