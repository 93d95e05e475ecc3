"""Lines of a stream that end with LF, CRLF or CR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollcall_cli.importing.source import Position

MAX_RECORD_BYTES = 2_000_000

_ENDS = (b"\n", b"\r")


class Lines:
    """The lines after a position, with their ends; `position` is the end of the last one.

    A line longer than MAX_RECORD_BYTES is cut to a part that is longer than that.
    """

    def __init__(self, chunks: Iterable[bytes], start: Position) -> None:
        self.position = start
        self._pieces = _pieces(chunks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = next(self._pieces)
        self.position = self.position.after(line, 1)
        piece = line
        while len(piece) > MAX_RECORD_BYTES and not piece.endswith(_ENDS):
            piece = next(self._pieces, b"")
            self.position = self.position.after(piece, 0)
        return line


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines; those that are too long in several pieces, all but the last one too long."""
    rest = b""
    for chunk in filter(None, chunks):
        lines = (rest + chunk).splitlines(keepends=True)
        # The last one may go on in the next chunk, also with the LF after its CR.
        rest = lines.pop()
        yield from lines
        if len(rest) > MAX_RECORD_BYTES and not rest.endswith(_ENDS):
            yield rest
            rest = b""
    if rest:
        yield rest
