"""The failure destination: a bucket or, on a developer's machine, a folder.

It holds whole stream records that could not be applied: one object per group of records that the
update function quarantined together, and one per batch that the event source mapping discarded.
This module writes only the former. The same records always get the same name, so that a retry
overwrites their object.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rollcall.domain.errors import BrokenDestination, CorruptItem
from rollcall.storage.failure_documents import parsed, quarantine_document, quarantine_name
from rollcall.storage.private_files import make_private_folders, open_private

# The event of an invocation has at most 6 MB; as a JSON string, each byte takes at most six.
_MAX_BYTES: Final = 40_000_000
_NAMES_A_REQUEST: Final = 1_000
_ABSENT: Final = ("NoSuchKey", "404")

# A request takes 13 s at most: two attempts and a pause. A function that keeps a delivery has at least
# 16 s left for it (`rollcall.hooks.receive`), so that it still answers when the bucket does not.
_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
)
MAX_KEEPING_SECONDS: Final = 13.0


def failures(destination: str) -> BucketFailures | FolderFailures:
    """The failure destination at `s3://bucket[/prefix]` or `file:///folder`.

    Raises BrokenDestination for anything else.
    """
    url = urlsplit(destination)
    if url.scheme == "s3" and url.netloc:
        return BucketFailures(url.netloc, url.path.strip("/"))
    if url.scheme == "file" and not url.netloc and url.path:
        return FolderFailures(pathlib.Path(unquote(url.path)))
    raise BrokenDestination(f"{destination!r} is neither s3://… nor file:///…")


class BucketFailures:
    """Objects in a bucket, below a prefix if there is one."""

    def __init__(self, bucket: str, prefix: str, names_a_request: int = _NAMES_A_REQUEST) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._names_a_request = names_a_request
        self._made: Any = None

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        name = quarantine_name(records)
        self.keep(name, quarantine_document(records, reason))
        return name

    def keep(self, name: str, document: bytes) -> None:
        with _bucket_errors():
            self._client().put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=document,
                ContentType="application/json",
            )

    def names(self, prefix: str = "") -> Iterator[str]:
        request = {
            "Bucket": self._bucket,
            "Prefix": self._prefix + prefix,
            "MaxKeys": self._names_a_request,
        }
        while True:
            with _bucket_errors():
                answer = self._client().list_objects_v2(**request)
            for entry in answer.get("Contents", []):
                is_folder_mark = entry["Key"].endswith("/") and entry["Size"] == 0
                if not is_folder_mark:
                    yield entry["Key"].removeprefix(self._prefix)
            if not answer["IsTruncated"]:
                return
            request["ContinuationToken"] = answer["NextContinuationToken"]

    def read(self, name: str) -> Mapping[str, Any] | None:
        with _bucket_errors():
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=self._prefix + name)
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
            with contextlib.closing(answer["Body"]) as body:
                _check_size(answer["ContentLength"])
                text = body.read()
        return parsed(text)

    def remove(self, name: str) -> None:
        with _bucket_errors():
            self._client().delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def _client(self) -> Any:
        if self._made is None:  # created when needed: it takes 200 ms, and failures are rare
            self._made = botocore.session.get_session().create_client("s3", config=_CONFIG)
        return self._made


class FolderFailures:
    """Files in a folder that only their owner may read; each is written completely or not at all."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        name = quarantine_name(records)
        self.keep(name, quarantine_document(records, reason))
        return name

    def keep(self, name: str, document: bytes) -> None:
        path = self._folder / name
        unfinished = path.with_name(f".{path.name}")
        with _folder_errors():
            make_private_folders(self._folder, path.parent)
            with open_private(unfinished, "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _make_durable(path.parent)

    def names(self, prefix: str = "") -> Iterator[str]:
        with _folder_errors():
            for folder, subfolders, files in os.walk(self._folder, onerror=_raise):
                subfolders.sort()
                for file in sorted(files):
                    name = (pathlib.Path(folder) / file).relative_to(self._folder).as_posix()
                    if name.startswith(prefix):
                        yield name

    def read(self, name: str) -> Mapping[str, Any] | None:
        path = self._path(name)
        with _folder_errors():
            if path is None or not path.is_file():
                return None
            try:
                _check_size(path.stat().st_size)
                text = path.read_bytes()
            except FileNotFoundError:
                return None
        return parsed(text)

    def remove(self, name: str) -> None:
        path = self._path(name)
        if path is not None:
            with _folder_errors():
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> pathlib.Path | None:
        """The path of a name, or None if it is outside the folder."""
        relative = pathlib.PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            return None
        return self._folder / relative


def _check_size(size_bytes: int) -> None:
    if size_bytes > _MAX_BYTES:
        raise CorruptItem(f"{size_bytes:,} bytes is more than the limit of {_MAX_BYTES:,}")


def _make_durable(folder: pathlib.Path) -> None:
    """Write a folder to disk: without it, a power failure can lose the name of a new file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _raise(error: OSError) -> None:
    raise error


@contextlib.contextmanager
def _folder_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise BrokenDestination(what) from error


@contextlib.contextmanager
def _bucket_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        details = error.response["Error"]
        raise BrokenDestination(f"{details['Code']}: {details.get('Message', '')}") from error
    except BotoCoreError as error:
        raise BrokenDestination(str(error)) from error
