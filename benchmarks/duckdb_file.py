"""The same calls in a local file of DuckDB, and what its answers take.

It is the limit that a column store on the machine itself sets: no request, no text between the bytes
and the engine, and all cores. Times are from sending a query to having all of its rows in Python.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb

_SCHEMA = """
CREATE TABLE calls (
    id VARCHAR, started_at TIMESTAMPTZ, status VARCHAR, answered BOOLEAN, attempt SMALLINT,
    disposition VARCHAR, direction VARCHAR, campaign_id VARCHAR, space_token VARCHAR,
    template_id VARCHAR, merchant_id VARCHAR, reseller_id VARCHAR, lead_id VARCHAR,
    provider VARCHAR, outcome VARCHAR, duration_seconds INTEGER, sentiment_milli SMALLINT,
    cost_micros BIGINT, labels VARCHAR, events JSON, payload JSON
)
"""


class DuckDb:
    """A file with a table `calls`, in order of time, and no index."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "calls.duckdb"
        self._lines = folder / "calls.tsv"
        self._connection = duckdb.connect(str(self._path))
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(_SCHEMA)
        self.version = self.ask("SELECT version()")[0][0].removeprefix("v")

    def ask(self, query: str) -> tuple[list[str], float]:
        """(the rows, cells joined by `|`; seconds)."""
        started = time.perf_counter()
        rows = self._connection.execute(query).fetchall()
        seconds = time.perf_counter() - started
        return ["|".join(map(_text, row)) for row in rows], seconds

    def copy(self, lines: Iterable[str]) -> None:
        """Add calls, as PostgreSQL's COPY reads them."""
        self._lines.write_text("".join(lines), "utf-8")
        self._connection.execute(
            f"COPY calls FROM '{self._lines}' (DELIMITER '\t', NULLSTR '\\N', QUOTE '', HEADER false)"
        )
        self._lines.unlink()

    def size(self) -> int:
        """Bytes of the file."""
        self._connection.execute("CHECKPOINT")
        return self._path.stat().st_size

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextlib.contextmanager
def opened() -> Iterator[DuckDb]:
    """A new file, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as name:
        store = DuckDb(Path(name))
        try:
            yield store
        finally:
            store.close()


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
