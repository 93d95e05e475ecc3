"""The encoding of a file: named, or detected from its first bytes."""

from __future__ import annotations

import codecs
import re

from rollcall_cli.errors import CommandError

UTF_8 = "utf-8"
# What programs write that call it Latin-1: a superset of it, but for control characters.
LATIN_1 = "cp1252"

_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SAMPLE_BYTES = 4_096
# A character of two to four bytes in UTF-8, in the shape that Latin-1 text hardly ever has.
_UTF_8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def codec_named(name: str | None) -> str | None:
    """The name of the codec of an `--encoding`; None if none is named. Raises CommandError."""
    if name is None:
        return None
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise CommandError(
            f"--encoding: {name} is no encoding of text; use utf-8, utf-16, latin-1 or windows-1252"
        ) from None
    codec = codecs.lookup(name)
    return LATIN_1 if codec.name == "iso8859-1" else codec.name


def detected(first: bytes) -> str:
    """The encoding of a file that begins with these bytes; UTF-8 if nothing says otherwise.

    UTF-16 has a byte order mark, or every other byte of its first kilobytes is mostly 0. Latin-1 has
    bytes that are not ASCII, and not one character of several bytes in UTF-8: a file of UTF-8 with a
    damaged row stays one of UTF-8.
    """
    for mark, name in _MARKS.items():
        if first.startswith(mark):
            return name
    sample = first[:_SAMPLE_BYTES]
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = sample[start::2]
        other = sample[1 - start :: 2]
        if half and half.count(0) * 2 > len(half) and other.count(0) * 10 < len(other):
            return name
    if _NOT_ASCII.search(first) and not _UTF_8_CHARACTER.search(first):
        return LATIN_1
    return UTF_8
