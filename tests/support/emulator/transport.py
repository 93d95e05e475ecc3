"""The emulator under a real botocore client, which builds, signs and parses as ever.

Only the exchange is replaced: no network, no process.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse

from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.items import json_text
from tests.support.emulator.refusals import Refusal


def attach(store: MemoryDynamoDb, client: Any) -> None:
    """Let the store answer the client. Its CPU time counts as `store.meter.seconds`."""

    def send(request: Any, **_: Any) -> AWSResponse:
        started = time.thread_time()
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        with store.lock:
            try:
                status, answer = 200, store.answer(operation, json.loads(request.body))
            except Refusal as refusal:
                status, answer = 400, refusal.answer
            body = json_text(answer).encode()
            store.meter.seconds += time.thread_time() - started
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "content-length": str(len(body)),
            "x-amz-crc32": str(zlib.crc32(body)),  # botocore checks it, as it does DynamoDB's
        }
        return AWSResponse(request.url, status, headers, _Body(body))

    client.meta.events.register("before-send.dynamodb", send)


class _Body:
    """What botocore reads of urllib3's response."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content
