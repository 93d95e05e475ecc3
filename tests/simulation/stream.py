"""The records table's stream: what every write put in, by shard, in order, as Lambda delivers it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

StreamRecord = dict[str, Any]


@dataclass
class Shard:
    """Records in order. `trimmed` is how many of the first are gone."""

    number: int
    records: list[StreamRecord] = field(default_factory=list)
    trimmed: int = 0


class Stream:
    """NEW_AND_OLD_IMAGES of one table.

    A write that changes nothing leaves no record. While `is_on` is False nothing is recorded, and
    what `drops` says yes to is lost: faults that only reconcile can repair.
    """

    def __init__(self, shards: int) -> None:
        self.shards = [Shard(number) for number in range(shards)]
        self.is_on = True
        self.drops: Callable[[], bool] = lambda: False
        self.on_record: Callable[[Shard], None] = lambda _shard: None
        self.dropped = 0
        self._sequence = 0

    def write(self, before: Any, after: Any, now_ms: int) -> None:
        """Take a write in: the images before and after, None where there was or is no item."""
        if before == after:
            return
        image = after or before
        pk, sk = image["PK"], image["SK"]
        # Real numbers are long, never padded, and jump.
        self._sequence += 1 + self._sequence % 97
        if not self.is_on or self.drops():
            self.dropped += 1
            return
        data: dict[str, Any] = {
            "ApproximateCreationDateTime": now_ms // 1000,
            "Keys": {"PK": pk, "SK": sk},
            "SequenceNumber": f"1{self._sequence * 7_919}00000000000",
            "SizeBytes": 500,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if after is not None:
            data["NewImage"] = after
        if before is not None:
            data["OldImage"] = before
        event = "REMOVE" if after is None else "INSERT" if before is None else "MODIFY"
        shard = self.shards[zlib.crc32(pk["S"].encode()) % len(self.shards)]
        shard.records.append(
            {
                "eventID": f"{self._sequence:032x}",
                "eventName": event,
                "eventSource": "aws:dynamodb",
                "eventVersion": "1.1",
                "awsRegion": "eu-central-1",
                "dynamodb": data,
            }
        )
        self.on_record(shard)
