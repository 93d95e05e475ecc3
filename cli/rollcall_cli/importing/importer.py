"""Bring a file's rows to a sender, batch by batch, and keep the books: progress and rejected rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from rollcall.storage.private_files import open_private
from rollcall_cli.importing.checkpoint import Checkpoint, Progress
from rollcall_cli.importing.rows import Fault, Row
from rollcall_cli.importing.sender import MAX_BODY_BYTES, Receipt, body_bytes


class Sends(Protocol):
    """What delivers a batch."""

    def send(self, records: list[bytes]) -> Receipt:
        """Deliver; everything the receipt does not reject is durable."""


class RejectedRows:
    """The JSON-lines file of rejected rows, for its owner alone; it appears with the first of them."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.path = path
        self._progress = progress
        self._file: IO[str] | None = None
        # What an earlier import left goes when this one has something acknowledged, not before.
        self._is_stale = True
        if progress.rejected_bytes and path.exists():
            # Rows written after the last checkpoint come again.
            with open_private(path, "r+b") as file:
                file.truncate(progress.rejected_bytes)
            self._is_stale = False

    def write(self, row: Row, fault: Fault) -> None:
        """Add one row."""
        if self._file is None:
            self._file = open_private(self.path, "w" if self._is_stale else "a")
            self._is_stale = False
        entry = {
            "line": row.line_number,
            "field": fault.field,
            "message": fault.message,
            "original": row.text,
        }
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        """Bring what was written to the disk's keeping, and note how much it is."""
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
    checkpoint: Checkpoint,
    rejected: RejectedRows,
    wants_to_stop: Callable[[], bool],
    show: Callable[[Progress], None],
) -> bool:
    """Send every row; returns False if it was asked to stop before the end.

    The checkpoint is written after each acknowledged batch, and by nothing else.
    """
    for batch in _batches(rows, batch_size):
        if wants_to_stop():
            return False
        _send_batch(batch, sender, progress, rejected)
        rejected.flush()
        progress.offset, progress.lines = batch[-1].end_offset, batch[-1].end_line
        checkpoint.save(progress)
        show(progress)
    return True


def _send_batch(
    batch: list[Row], sender: Sends, progress: Progress, rejected: RejectedRows
) -> None:
    faults: dict[int, Fault] = {}
    sent: list[int] = []
    records: list[bytes] = []
    for place, row in enumerate(batch):
        if isinstance(row.record, Fault):
            faults[place] = row.record
        else:
            sent.append(place)
            records.append(row.record)
    if records:
        receipt = sender.send(records)
        progress.accepted += receipt.accepted
        progress.unchanged += receipt.unchanged
        progress.stale += receipt.stale
        for index, field, message in receipt.rejected:
            faults[sent[index]] = Fault(field, message)
    for place in sorted(faults):
        rejected.write(batch[place], faults[place])
    progress.rejected += len(faults)


def _batches(rows: Iterable[Row], batch_size: int) -> Iterator[list[Row]]:
    """Rows in batches that fit one request; rows with a fault travel along, to keep the order."""
    batch: list[Row] = []
    size = body_bytes([])
    for row in rows:
        length = len(row.record) + 1 if isinstance(row.record, bytes) else 0
        if batch and (len(batch) == batch_size or size + length > MAX_BODY_BYTES):
            yield batch
            batch, size = [], body_bytes([])
        batch.append(row)
        size += length
    if batch:
        yield batch
