"""Store discarded batches, one JSON file each, in the layout of Lambda's S3 destination.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rollcall.storage.private_files import make_private_folders, open_private

_MAPPING_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "rollcall:local"))


class FailureFolder:
    """A folder in place of the failure bucket; its files are private and written atomically."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_private_folders(folder, folder)

    def put(
        self,
        records: Sequence[dict[str, Any]],
        *,
        shard_id: str,
        function_arn: str,
        condition: str,
        invocations: int,
        now: float,
    ) -> Path:
        """Write one batch with its complete records; returns the file, which is durable."""
        moment = datetime.fromtimestamp(now, UTC)
        request_id = str(uuid.uuid4())
        document = {
            "requestContext": {
                "requestId": request_id,
                "functionArn": function_arn,
                "condition": condition,
                "approximateInvokeCount": invocations,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": _instant(now),
            "DDBStreamBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _arrival(records[0]),
                "approximateArrivalOfLastRecord": _arrival(records[-1]),
                "batchSize": len(records),
                "streamArn": records[0]["eventSourceARN"],
            },
            # A string that contains JSON, as Lambda writes it.
            "payload": json.dumps({"Records": list(records)}),
        }
        name = f"{moment:%Y-%m-%dT%H.%M.%S}-{request_id}"
        path = self.folder / "aws" / "lambda" / _MAPPING_ID / shard_id / f"{moment:%Y/%m/%d}" / name
        make_private_folders(self.folder, path.parent)
        unfinished = path.with_name(f".{name}")
        with open_private(unfinished, "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        return path


def _instant(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _arrival(record: dict[str, Any]) -> str:
    return _instant(record["dynamodb"].get("ApproximateCreationDateTime", 0))
