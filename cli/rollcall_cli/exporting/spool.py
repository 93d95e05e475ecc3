"""The spool of an export: its calls as JSON lines, in a private file beside the output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rollcall.api import strict_json
from rollcall.storage.private_files import open_private


class Spool:
    """Appends calls; what is behind `length` was not acknowledged, and is cut off."""

    def __init__(self, path: Path, length: int) -> None:
        self._file = open_private(path, "ab")
        # Calls behind the last checkpoint are read again.
        self._file.truncate(length)

    def add(self, calls: Iterable[dict[str, Any]]) -> int:
        """Append calls; returns the length of the file, in which they are durable."""
        self._file.writelines(strict_json.dumps(call).encode() + b"\n" for call in calls)
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def calls_in(path: Path) -> Iterator[dict[str, Any]]:
    """The calls of a spool, in their order, with their numbers exact."""
    with path.open("rb") as file:
        for line in file:
            yield strict_json.loads(line)
