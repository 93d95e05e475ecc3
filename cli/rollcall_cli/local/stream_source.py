"""Read a table's stream through the DynamoDB Streams API, in the shape of Lambda's events.

Stateless. Records are plain JSON values: binary attributes in base64, instants in seconds.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import ClientError

from rollcall_cli.local.intrinsics import REGION


class IteratorLost(Exception):
    """The shard iterator has expired; get another one after the last record read."""


class RecordsTrimmed(Exception):
    """The stream has dropped the next records; only later ones can be read."""


class ShardGone(Exception):
    """The stream no longer has the shard."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of a stream, and its parent."""

    shard_id: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Records of a shard, in order; `next_iterator` is None at the end of a closed shard."""

    records: Sequence[dict[str, Any]]
    next_iterator: str | None


class StreamSource(Protocol):
    """The stream that a pump reads."""

    arn: str

    def shards(self) -> list[Shard]:
        """All shards that the stream has now."""

    def iterator(self, shard_id: str, after: str | None) -> str:
        """An iterator after the record with a sequence number, or at the trim horizon.

        Raises RecordsTrimmed or ShardGone.
        """

    def read(self, iterator: str) -> Page:
        """The next records. Raises IteratorLost or RecordsTrimmed."""


class DynamoStream:
    """A stream behind a boto3 `dynamodbstreams` client."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self.arn = arn

    def shards(self) -> list[Shard]:
        shards: list[Shard] = []
        arguments: dict[str, Any] = {"StreamArn": self.arn}
        while True:
            description = self._client.describe_stream(**arguments)["StreamDescription"]
            shards += [
                Shard(shard["ShardId"], shard.get("ParentShardId"))
                for shard in description["Shards"]
            ]
            last = description.get("LastEvaluatedShardId")
            if not last:
                return shards
            arguments["ExclusiveStartShardId"] = last

    def iterator(self, shard_id: str, after: str | None) -> str:
        position: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if after is not None:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        try:
            answer = self._client.get_shard_iterator(
                StreamArn=self.arn, ShardId=shard_id, **position
            )
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "TrimmedDataAccessException":
                    raise RecordsTrimmed(shard_id) from error
                case "ResourceNotFoundException":
                    raise ShardGone(shard_id) from error
            raise
        return str(answer["ShardIterator"])

    def read(self, iterator: str) -> Page:
        try:
            answer = self._client.get_records(ShardIterator=iterator, Limit=1000)
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ExpiredIteratorException":
                    raise IteratorLost from error
                case "TrimmedDataAccessException":
                    raise RecordsTrimmed from error
            raise
        records = [lambda_record(record, self.arn) for record in answer["Records"]]
        return Page(records, answer.get("NextShardIterator"))


def lambda_record(record: dict[str, Any], arn: str) -> dict[str, Any]:
    """A record of the Streams API as an entry of a Lambda event's `Records`."""
    converted: dict[str, Any] = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record.get("eventVersion", "1.1"),
        "eventSource": "aws:dynamodb",
        "awsRegion": record.get("awsRegion", REGION),
        "dynamodb": _plain(record["dynamodb"]),
        "eventSourceARN": arn,
    }
    if identity := record.get("userIdentity"):
        # The Streams API capitalises these names, Lambda does not.
        converted["userIdentity"] = {
            "type": identity.get("Type"),
            "principalId": identity.get("PrincipalId"),
        }
    return converted


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.timestamp()
    return value
