"""DynamoDB: tables that answer requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from tests.support.emulator.limits import Limits
from tests.support.emulator.metering import Meter
from tests.support.emulator.reads import Reads
from tests.support.emulator.tables import Tables
from tests.support.emulator.writes import Writes


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class MemoryDynamoDb(Tables):
    """Tables that answer one request after the other, from however many threads.

    `now_ms` is the clock by which a ClientRequestToken is remembered; `limits` may change at any
    time; `meter` counts every request. `lock` is held during each.
    """

    # A test that sets a name that is none of these fails.
    __slots__ = ("_reads", "_writes", "limits", "lock", "meter")

    def __init__(
        self, limits: Limits | None = None, now_ms: Callable[[], int] = _wall_clock_ms
    ) -> None:
        super().__init__()
        self.limits = limits or Limits()
        self.meter = Meter()
        self._reads = Reads(self, self.limits, self.meter)
        self._writes = Writes(self, self.limits, self.meter, now_ms)
        self.lock = threading.RLock()

    def copy(self) -> MemoryDynamoDb:
        """Another store with the same items, that has counted nothing."""
        fork = MemoryDynamoDb()
        fork.restore(self.snapshot())
        return fork

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request, with the items themselves in it (`items.plain`).

        Raises Refusal where DynamoDB answers with an error, and NotImplementedError on a request
        that the emulator does not know.
        """
        with self.lock:
            self.meter.requests[operation] += 1
            match operation:
                case "GetItem":
                    return self._reads.get_item(asked)
                case "BatchGetItem":
                    return self._reads.batch_get_item(asked)
                case "Query":
                    return self._reads.query(asked)
                case "PutItem" | "UpdateItem" | "DeleteItem":
                    return self._writes.write_item(operation.removesuffix("Item"), asked)
                case "BatchWriteItem":
                    return self._writes.batch_write_item(asked)
                case "TransactWriteItems":
                    return self._writes.transact_write_items(asked)
        raise NotImplementedError(operation)
