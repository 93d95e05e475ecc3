"""Open a file of records as one stream of UTF-8: compressed or not, in any encoding, or standard input.

Positions and digests are those of that stream, so that an import resumes in the same way from
every kind of file. Nothing is held in memory but the first mebibyte.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from rollcall_cli.errors import CommandError
from rollcall_cli.importing.encodings import UTF_8, codec_named, detected

HEAD_BYTES = 1 << 20

_CHUNK_BYTES = 1 << 16
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_BOM = codecs.BOM_UTF8


class Position(NamedTuple):
    """How far a source has been read: bytes and lines of its UTF-8, and a digest of those bytes."""

    offset: int
    lines: int
    digest: Any

    @classmethod
    def start(cls) -> Position:
        """The beginning of a source."""
        return cls(0, 0, hashlib.blake2b(digest_size=16))

    def after(self, content: bytes, lines: int) -> Position:
        """The position after these bytes, which hold so many lines."""
        digest = self.digest.copy()
        digest.update(content)
        return Position(self.offset + len(content), self.lines + lines, digest)


class Source(AbstractContextManager["Source"]):
    """The content of one file as UTF-8 without a byte order mark; `-` is standard input.

    Bytes that the encoding does not have stay as they are, and are not UTF-8. Raises CommandError for
    an unknown encoding and a damaged file, and OSError.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.is_stdin = str(path) == "-"
        self.name = "standard input" if self.is_stdin else path.name
        codec = codec_named(encoding)
        self._raw = _standard_input() if self.is_stdin else path.open("rb")
        self._made = 0  # bytes of UTF-8, of what has been read of the file
        try:
            self._content = self._decompressed()
            first = self._read(HEAD_BYTES)
            self.encoding = codec or detected(first)
            self._decoder = None
            if self.encoding != UTF_8:
                self._decoder = codecs.getincrementaldecoder(self.encoding)("surrogateescape")
            self.head = self._utf8(first, is_last=not first).removeprefix(_BOM)
        except BaseException:
            self.close()
            raise
        self._pending = self.head

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if not self.is_stdin:
            self._raw.close()

    @property
    def size(self) -> int | None:
        """The size of the file in bytes, compressed as it is; None if it is no regular file."""
        status = os.fstat(self._raw.fileno()) if _has_descriptor(self._raw) else None
        return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None

    def bytes_up_to(self, offset: int) -> int:
        """About how many bytes of the file have the content up to an offset; 0 if it is no regular file."""
        return self._raw.tell() * offset // self._made if self._made and self._raw.seekable() else 0

    def advance(self, start: Position, offset: int, lines: int) -> Position | None:
        """Read on from `start` to an offset with so many lines before it; None if the end is before it."""
        position = start
        while position.offset < offset:
            chunk = self._next()
            if not chunk:
                return None
            wanted = offset - position.offset
            position = position.after(chunk[:wanted], 0)
            self._pending = chunk[wanted:]
        return position._replace(lines=lines)

    def chunks(self) -> Iterator[bytes]:
        """All that has not been read yet."""
        while chunk := self._next():
            yield chunk

    def _next(self) -> bytes:
        chunk, self._pending = self._pending, b""
        while not chunk:
            read = self._read(_CHUNK_BYTES)
            chunk = self._utf8(read, is_last=not read)
            if not read:
                break
        return chunk

    def _utf8(self, content: bytes, *, is_last: bool) -> bytes:
        if self._decoder is not None:
            try:
                text = self._decoder.decode(content, final=is_last)
            except UnicodeDecodeError as error:
                raise CommandError(f"{self.name} is not {self.encoding}: {error.reason}") from error
            content = text.encode("utf-8", "surrogateescape")
        self._made += len(content)
        return content

    def _read(self, size: int) -> bytes:
        try:
            return self._content.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CommandError(f"{self.name} is damaged: {error}") from error

    def _decompressed(self) -> BinaryIO:
        magic = self._raw.peek(4)[:4]
        if magic.startswith(_GZIP):
            return gzip.GzipFile(fileobj=self._raw)  # type: ignore[return-value]
        if magic == _ZIP:
            raise CommandError(
                f"{self.name} is a spreadsheet or a ZIP archive; save it as CSV, or unpack it"
            )
        return self._raw


def _standard_input() -> io.BufferedReader:
    stream: Any = sys.stdin.buffer
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)


def _has_descriptor(stream: BinaryIO) -> bool:
    try:
        stream.fileno()
    except OSError:
        return False
    return True
