"""Keep rows in a temporary file until all are known, and give them back by call.

The file is a database of SQLite without a name, which its end removes; memory does not grow with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass

from rollcall.mapping.fields import Fault
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.joining.legs import Leg
from rollcall_cli.importing.rows import Row

_TABLE = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE rows (
    offset INTEGER PRIMARY KEY,  -- where the row ends, in bytes and in lines
    end_lines INTEGER,
    line INTEGER,
    lines INTEGER,
    text TEXT,
    call,  -- the bytes of the call's id; the offset of a row without one
    leg BLOB,
    faults TEXT  -- of a row that is no leg
);
BEGIN;
"""
_CALLS = "SELECT call FROM rows GROUP BY call HAVING max(offset) > ? ORDER BY max(offset)"
_ROWS = "SELECT offset, end_lines, line, lines, text, leg, faults FROM rows WHERE call = ? ORDER BY offset"


@dataclass(frozen=True, slots=True)
class Kept:
    """A row: where it ends, its first line, how many it spans, its text, its leg or its faults."""

    offset: int
    end_lines: int
    line: int
    lines: int
    text: str
    leg: Leg | tuple[Fault, ...]


class Spool(AbstractContextManager["Spool"]):
    """Rows on disk. Raises CommandError where they cannot be kept."""

    def __init__(self) -> None:
        with _errors():
            self._database = sqlite3.connect("", isolation_level=None)
            self._database.executescript(_TABLE)

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, row: Row) -> None:
        """Keep a row, whose record is an encoded leg."""
        leg = faults = None
        call: int | bytes = row.end.offset
        if isinstance(row.record, bytes):
            leg = row.record
            key = Leg.decoded(leg).call
            call = call if key is None else key.encode("utf-8", "surrogateescape")
        else:
            faults = json.dumps([[each.field, each.message, each.column] for each in row.record])
        place = (row.end.offset, row.end.lines, row.line_number, row.lines)
        with _errors():
            self._database.execute(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*place, row.text, call, leg, faults),
            )

    def calls(self, after: int) -> Iterator[Iterator[Kept]]:
        """The rows of each call, in the order of its last row, which ends after an offset."""
        with _errors():
            self._database.execute("CREATE INDEX by_call ON rows (call, offset)")
            with closing(self._database.execute(_CALLS, (after,))) as calls:
                for (call,) in calls:
                    yield self._rows(call)

    def _rows(self, call: int | bytes) -> Iterator[Kept]:
        with _errors(), closing(self._database.execute(_ROWS, (call,))) as rows:
            for offset, end_lines, line, lines, text, leg, faults in rows:
                yield Kept(offset, end_lines, line, lines, text, _leg(leg, faults))


def _leg(leg: bytes | None, faults: str) -> Leg | tuple[Fault, ...]:
    if leg is not None:
        return Leg.decoded(leg)
    return tuple(Fault(*fault) for fault in json.loads(faults))


@contextmanager
def _errors() -> Iterator[None]:
    """Raises CommandError for an error of SQLite, such as a full disk."""
    try:
        yield
    except sqlite3.Error as error:
        raise CommandError(
            f"the temporary file of rows: {error}; the variable SQLITE_TMPDIR names another folder"
        ) from error
