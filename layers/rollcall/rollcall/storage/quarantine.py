"""Where stream records go that can never be applied: whole, into the failure destination.

One object a record, JSON, in the folder the event source mapping's own failures do not use. The
object's name is made from the record's sequence number, so a replay overwrites and never doubles.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.config import Config

from rollcall.storage.client import translated_errors
from rollcall.usecases.ports import Quarantine


def quarantine(destination: str) -> Quarantine:
    """The quarantine at `s3://bucket[/prefix]` or, on a developer's machine, `file:///folder`."""
    url = urlsplit(destination)
    if url.scheme == "s3" and url.netloc:
        return _BucketQuarantine(url.netloc, url.path.strip("/"))
    if url.scheme == "file" and url.path:
        return _FolderQuarantine(pathlib.Path(unquote(url.path)))
    raise ValueError(f"failure destination {destination!r} is neither s3://… nor file:///…")


def _name(record: Mapping[str, Any]) -> str:
    sequence = record.get("dynamodb", {}).get("SequenceNumber") or record.get("eventID")
    return f"quarantine/{sequence}.json"


def _document(record: Mapping[str, Any], reason: str) -> bytes:
    kept_at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    document = {"reason": reason, "quarantined_at": kept_at, "record": record}
    return json.dumps(document).encode()


class _BucketQuarantine:
    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client: Any = None

    def put(self, record: Mapping[str, Any], reason: str) -> None:
        if self._client is None:  # an S3 client costs a start 200 ms, and poison is rare
            self._client = botocore.session.get_session().create_client(
                "s3", config=Config(retries={"mode": "standard", "total_max_attempts": 5})
            )
        with translated_errors():
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + _name(record),
                Body=_document(record, reason),
                ContentType="application/json",
            )


class _FolderQuarantine:
    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def put(self, record: Mapping[str, Any], reason: str) -> None:
        path = self._folder / _name(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        with unfinished.open("wb") as file:
            file.write(_document(record, reason))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
