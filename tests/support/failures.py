"""A failure destination in memory, and what ends in one; tests/storage compares it with the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollcall.domain.facts import Fact
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from rollcall.storage.failure_documents import parsed, quarantine_document, quarantine_name

MAPPING = "aws/lambda/0a1b2c3d"
FOLDER = f"{MAPPING}/shardId-1/2026/11/21/2026-11-21T12.00.00"


@dataclass
class MemoryFailures:
    """`around(operation, act)` runs every operation, and may raise before or after it."""

    around: Callable[[str, Callable[[], Any]], Any] = lambda _operation, act: act()
    objects: dict[str, bytes] = field(default_factory=dict)

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        name = quarantine_name(records)
        self.keep(name, quarantine_document(records, reason))
        return name

    def keep(self, name: str, document: bytes) -> None:
        self.around("put", lambda: self.objects.__setitem__(name, document))

    def names(self, prefix: str = "") -> Iterator[str]:
        found = self.around("names", lambda: list(self.objects))
        yield from [name for name in found if name.startswith(prefix)]

    def read(self, name: str) -> Mapping[str, Any] | None:
        text = self.around("read", lambda: self.objects.get(name))
        return None if text is None else parsed(text)

    def remove(self, name: str) -> None:
        self.around("remove", lambda: self.objects.pop(name, None))


def stream_record(
    number: int,
    image: Mapping[str, Any],
    event: str = "MODIFY",
    written_at: float = 1_795_262_400.0,
) -> dict[str, Any]:
    """A record of the records table's stream, as Lambda passes it on."""
    return {
        "eventID": f"event-{number}",
        "eventName": event,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": written_at,
            "Keys": {name: image[name] for name in ("PK", "SK")},
            "NewImage": image,
            "SequenceNumber": f"{number:021d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:1:table/rollcall-records/stream/1",
    }


def fact_record(number: int, org_id: str, fact: Fact, **fields: Any) -> dict[str, Any]:
    """The stream record of a fact."""
    key = keys.fact(org_id, fact.type, fact.id, 1)
    return stream_record(number, item_of_fact(key, fact), **fields)


def poison(number: int, org_id: str = "org_1", **fields: Any) -> dict[str, Any]:
    """A stream record that can never be applied."""
    image = {
        "PK": {"S": f"ORG#{org_id}#call#0#"},
        "SK": {"S": f"FACT#poison-{number}"},
        "type": {"S": "rubbish"},
    }
    return stream_record(number, image, **fields)


def given_up(
    records: Sequence[Any],
    timestamp: str = "2026-11-21T12:00:00.000Z",
    condition: str = "RecordAgeExceeded",
) -> bytes:
    """What Lambda writes when it gives a batch up."""
    document = {
        "requestContext": {
            "requestId": "8f7a1c0e-5a3b-4a39-9b60-5d0d2f7f7a11",
            "functionArn": "arn:aws:lambda:eu-central-1:1:function:rollcall-UpdateRollups",
            "condition": condition,
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "version": "1.0",
        "timestamp": timestamp,
        "DDBStreamBatchInfo": {"shardId": "shardId-1", "batchSize": len(records)},
        "payload": json.dumps({"Records": list(records)}),
    }
    return json.dumps(document).encode()
