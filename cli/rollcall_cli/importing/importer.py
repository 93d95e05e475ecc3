"""Send the rows of a file in batches, and record the progress and the rejected rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from rollcall.mapping.fields import Fault
from rollcall.storage.private_files import open_private
from rollcall_cli.errors import CommandError
from rollcall_cli.importing.delimited import quote_line
from rollcall_cli.importing.progress import Progress
from rollcall_cli.importing.rows import Row
from rollcall_cli.importing.sender import MAX_BODY_BYTES, Receipt, body_bytes

# A rejected row of CSV that spans more lines than this is caused by a stray quote.
_MOST_LINES = 50


class Sends(Protocol):
    """Delivers batches."""

    def send(self, records: list[bytes]) -> Receipt:
        """Deliver a batch; every record that the receipt does not reject is durable."""


class Rejects(Protocol):
    """Keeps rejected rows."""

    def write(self, row: Row, faults: Sequence[Fault]) -> None:
        """Add one row, with all its faults."""

    def flush(self) -> None:
        """Keep what was added, before the progress is saved."""


class RejectedRows:
    """A private JSON-lines file of rejected rows, created with the first of them."""

    def __init__(self, path: Path, progress: Progress, columns: Mapping[str, str]) -> None:
        """`columns` are those of fields that the API names."""
        self.path = path
        self._columns = columns
        self._progress = progress
        self._file: IO[str] | None = None
        # The file of an earlier import is kept until this one has a batch acknowledged.
        self._is_stale = True
        if progress.rejected_bytes and path.exists():
            # Rows after the last checkpoint are sent again.
            with open_private(path, "r+b") as file:
                file.truncate(progress.rejected_bytes)
            self._is_stale = False

    def write(self, row: Row, faults: Sequence[Fault]) -> None:
        """Add one row, with all its faults."""
        if self._file is None:
            self._file = open_private(self.path, "w" if self._is_stale else "a")
            self._is_stale = False
        entry: dict[str, object] = {
            "line": row.line_number,
            "lines": row.lines,
            **({"rows": row.rows} if row.rows else {}),
            "faults": [self._entry(fault) for fault in faults],
            "original": row.text,
        }
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _entry(self, fault: Fault) -> dict[str, str]:
        entry = {"field": fault.field, "message": fault.message}
        column = fault.column or self._columns.get(fault.field)
        return entry if column is None else {"column": column} | entry

    def flush(self) -> None:
        """Flush the rows written so far to the file, and record its length."""
        if self._is_stale:
            self.path.unlink(missing_ok=True)
            self._is_stale = False
        if self._file is not None:
            self._file.flush()
            self._progress.rejected_bytes = self._file.tell()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def import_rows(
    rows: Iterable[Row],
    sender: Sends,
    *,
    batch_size: int,
    progress: Progress,
    save: Callable[[Progress], None],
    rejected: Rejects,
    wants_to_stop: Callable[[], bool],
    show: Callable[[Progress], None],
) -> bool:
    """Send every row; returns False if `wants_to_stop` ended it early.

    The progress is saved after each acknowledged batch. Raises CommandError at a rejected row that
    spans more than 50 lines of CSV.
    """
    for batch in _batches(rows, batch_size):
        if wants_to_stop():
            return False
        _send_batch(batch, sender, progress, rejected)
        rejected.flush()
        end = batch[-1].end
        progress.offset, progress.lines = end.offset, end.lines
        progress.bound = end.offset if (bound := batch[-1].bound) is None else bound
        progress.digest = end.digest.hexdigest()
        save(progress)
        show(progress)
    return True


def _send_batch(batch: list[Row], sender: Sends, progress: Progress, rejected: Rejects) -> None:
    faults: dict[int, list[Fault]] = {}
    sent: list[int] = []
    records: list[bytes] = []
    for place, row in enumerate(batch):
        if isinstance(row.record, bytes):
            sent.append(place)
            records.append(row.record)
        else:
            faults[place] = list(row.record)
            _check_span(row, faults[place])
    if records:
        receipt = sender.send(records)
        for index, field, message in receipt.rejected:
            faults.setdefault(sent[index], []).append(Fault(field, message))
        for place, found in faults.items():
            _check_span(batch[place], found)
        progress.accepted += receipt.accepted
        progress.unchanged += receipt.unchanged
        progress.stale += receipt.stale
    for place in sorted(faults):
        rejected.write(batch[place], faults[place])
    progress.rejected += len(faults)


def _check_span(row: Row, faults: Sequence[Fault]) -> None:
    if row.lines > _MOST_LINES and row.is_csv:
        raise CommandError(
            f"line {quote_line(row)}: the quote that opens here makes one record of the lines"
            f" {row.line_number} to {row.line_number + row.lines - 1}, which is rejected"
            f" ({faults[0].field} {faults[0].message}); correct the quote, then run the command again"
        )


def _batches(rows: Iterable[Row], batch_size: int) -> Iterator[list[Row]]:
    """Batches of rows that fit one request; rows with a fault are included, to keep the order.

    The texts of the rows are limited like the records, since a batch is held in memory with both.
    """
    batch: list[Row] = []
    size = body_bytes([])
    for row in rows:
        record_bytes = len(row.record) + 1 if isinstance(row.record, bytes) else 0
        length = max(record_bytes, len(row.text))
        if batch and (len(batch) == batch_size or size + length > MAX_BODY_BYTES):
            yield batch
            batch, size = [], body_bytes([])
        batch.append(row)
        size += length
    if batch:
        yield batch
