"""Read JSON values: one for each line, the elements of an array, or one after the other.

A value is passed on as it stands in the file, so that its numbers keep their digits. A value that is
not JSON is a row with a fault, and the next ones are read. At most one record is held in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rollcall.mapping.fields import Fault
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.lines import MAX_RECORD_BYTES, Lines
from rollcall_cli.importing.rows import Row, printable_text
from rollcall_cli.importing.source import Position

# The keys under which APIs list what they return. None is the name of a field of a record.
LISTS = ("results", "calls", "conversations", "records", "data", "items")

Converts = Callable[[bytes], "bytes | tuple[Fault, ...]"]

_KEYS = frozenset(f'"{name}"'.encode() for name in LISTS)
_SPACE = b" \t\r\n"
_LINE_END = re.compile(rb"[\r\n]")
# Whole strings are passed over; a quote by itself is the start of one that is not complete yet.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\],]', re.DOTALL)
_STEPS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
# What is passed over leaves memory in pieces of this size.
_PASSED_BYTES = 1 << 16
_TOO_LONG = (Fault("record", "has more than 2,000,000 bytes"),)


@dataclass(frozen=True, slots=True)
class Shape:
    """How values follow each other, after `start` bytes.

    `kind` is `lines`; `array`, which is the whole file; `list`, an array inside an object; or
    `values`, one after the other.
    """

    kind: str
    start: int = 0


def shape_of(head: bytes) -> Shape:
    """The shape of a file of JSON that begins with `head`."""
    content = head.lstrip(_SPACE)
    blanks = len(head) - len(content)
    if content.startswith(b"["):
        return Shape("array", blanks + 1)
    first, *rest = _LINE_END.split(content, maxsplit=1)
    first = first.rstrip(_SPACE)
    # A complete object with more lines after it is a record; its keys do not matter.
    is_record = _is_object(first) and any(part.strip(_SPACE) for part in rest)
    listed = _list_start(head) if content.startswith(b"{") and not is_record else None
    if listed is not None:
        return Shape("list", listed)
    is_spread = first.startswith(b"{") and first.endswith((b"{", b"[", b","))
    return Shape("values" if is_spread else "lines")


def _is_object(line: bytes) -> bool:
    """Whether a line has a whole object, by its brackets alone."""
    if not (line.startswith(b"{") and line.endswith(b"}")):
        return False
    return sum(_STEPS.get(token[0], 0) for token in _TOKEN.finditer(line)) == 0


def _list_start(head: bytes) -> int | None:
    """Where the elements of the list begin that the first object has under one of LISTS."""
    depth, key = 0, b""
    for token in _TOKEN.finditer(head):
        match token[0]:
            case b'"':
                return None
            case b"[" if depth == 1 and key in _KEYS:
                return token.end()
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]":
                depth -= 1
                if not depth:
                    return None
            case b",":
                key = b""
            case text:
                if depth == 1 and not key:
                    key = text
    return None


# --------------------------------------------------------------------------------- by line
def read_lines(lines: Lines, convert: Converts) -> Iterator[Row]:
    """One value for each line that is not blank."""
    for line in lines:
        content = line.strip(_SPACE)
        if not content:
            continue
        number = lines.position.lines
        if len(line) > MAX_RECORD_BYTES:
            yield Row(number, 1, lines.position, "", _TOO_LONG)
        else:
            yield Row(number, 1, lines.position, printable_text(content), convert(content))


# ------------------------------------------------------------------------------ by brackets
def read_values(
    chunks: Iterable[bytes], start: Position, convert: Converts, kind: str
) -> Iterator[Row]:
    """The values after `start`, which are in a shape of this kind.

    Raises CommandError at a value that is longer than MAX_RECORD_BYTES.
    """
    values = _Values(chunks, start, is_array=kind != "values")
    while not values.is_closed and (content := values.next()) is not None:
        if stripped := content.strip(_SPACE):
            lines = _line_ends(stripped) + 1
            first = values.position.lines - _line_ends(content.lstrip(_SPACE)) + 1
            yield Row(first, lines, values.position, printable_text(stripped), convert(stripped))
    if kind != "values" and not values.is_closed:
        fault = "is cut off: the file ends before its array does"
    elif kind == "list" and (unread := values.leave_list()):
        fault = unread
    elif kind == "list" and not values.rest_is_blank(b"}"):
        fault = "is not read: the file continues after its object"
    elif kind == "array" and not values.rest_is_blank(b"]"):
        fault = "is not read: the file continues after its array"
    else:
        return
    yield Row(values.position.lines + 1, 1, values.position, "", (Fault("record", fault),))


class _Values:
    """Cuts values out of chunks, by brackets and strings alone; `position` is the end of the last."""

    def __init__(self, chunks: Iterable[bytes], start: Position, *, is_array: bool) -> None:
        self.position = start
        self.is_closed = False
        self._is_array = is_array
        self._chunks = iter(chunks)
        self._buffer = b""

    def next(self) -> bytes | None:
        """The next value, or nothing between two commas; None where nothing is left."""
        depth = place = 0
        while (token := self._token(place)) is not None:
            place = token.end()
            depth += _STEPS.get(token[0], 0)
            if not self._is_array:
                if depth <= 0 and token[0] in (b"}", b"]"):
                    return self._cut(place)
            elif depth < 0:
                self.is_closed = True
                return self._cut(token.start())
            elif token[0] == b"," and not depth:
                return self._cut(token.start(), comma=1)
        return self._cut(len(self._buffer)) if self._buffer else None

    def leave_list(self) -> str:
        """Pass over all before the end of the object that has the array; returns a fault, or ""."""
        depth, place, key = 2, 0, b""
        while (token := self._token(place)) is not None:
            place = token.end()
            match token[0]:
                case b"[" if depth == 1 and key in _KEYS:
                    return f"is not read: the object has a second list, {key.decode()}"
                case b"{" | b"[" | b"}" | b"]" as bracket:
                    depth += _STEPS[bracket]
                case b",":
                    key = b""
                case text if depth == 1:
                    key = key or text
            if not depth:
                self._buffer = self._buffer[token.start() :]
                return ""
            if place > _PASSED_BYTES:
                self._buffer, place = self._buffer[place:], 0
        return "is cut off: the file ends before its object does"

    def rest_is_blank(self, end: bytes) -> bool:
        """Whether nothing follows the bracket that ends the array or its object."""
        rest = self._buffer.removeprefix(end)
        while not rest.strip(_SPACE):
            if (chunk := next(self._chunks, None)) is None:
                return True
            rest = chunk
        return False

    def _token(self, place: int) -> re.Match[bytes] | None:
        """The first whole token from a place on; None if the file ends before."""
        while True:
            token = _TOKEN.search(self._buffer, place)
            if token is not None and token[0] != b'"':
                return token
            place = token.start() if token else len(self._buffer)
            if not self._read():
                return None

    def _read(self) -> bool:
        if len(self._buffer) > MAX_RECORD_BYTES:
            raise CommandError(
                f"line {self.position.lines + 1}: a record has more than 2,000,000 bytes,"
                " or a bracket or a quote is not closed"
            )
        chunk = next(self._chunks, b"")
        self._buffer += chunk
        return bool(chunk)

    def _cut(self, end: int, comma: int = 0) -> bytes:
        content, passed = self._buffer[:end], self._buffer[: end + comma]
        self._buffer = self._buffer[end + comma :]
        self.position = self.position.after(passed, _line_ends(passed))
        return content


def _line_ends(content: bytes) -> int:
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
