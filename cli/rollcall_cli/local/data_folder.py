"""The folder that `--data-dir` names: held by one stack at a time, and marked when it was settled."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import time
from pathlib import Path

from rollcall_cli.errors import CommandError

# A stack that was killed holds the folder until its database has ended too.
_LOCK_SECONDS = 10


class DataFolder:
    """An open data folder; `close` leaves it to others.

    `needs_check` is whether a stack used it before and ended without `settle`: some records may
    then be missing from the numbers. `begin_use` takes that mark away; until then the folder is
    only held, so a start that fails before its database leaves the mark alone. Raises CommandError when the folder cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.database = self.path / "dynamodb"
        self._settled = self.path / "settled"
        try:
            self.database.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("w")
        except OSError as error:
            raise CommandError(f"--data-dir {path}: {error.strerror}") from error
        try:
            self._take_lock()
        except BaseException:
            self._lock.close()
            raise
        self.needs_check = any(self.database.iterdir()) and not self._settled.exists()

    @property
    def lock_descriptor(self) -> int:
        """For the database's process, which holds the folder for as long as it runs."""
        return self._lock.fileno()

    def begin_use(self) -> None:
        """Say that records may be missing from the numbers from now on, until `settle`."""
        self._settled.unlink(missing_ok=True)

    def log_ahead(self) -> None:
        """Make writes several times faster; to be called once the database has tables.

        DynamoDB Local keeps its tables in SQLite and syncs to disk on every write. With a
        write-ahead log, which the file remembers, that is one sync instead of several.
        """
        for file in self.database.glob("*.db"):
            try:
                with contextlib.closing(sqlite3.connect(file, timeout=_LOCK_SECONDS)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.Error as error:
                raise CommandError(f"--data-dir {self.path}: {file.name}: {error}") from error

    def settle(self) -> None:
        """Mark that every record is in the numbers, so that the next start need not check."""
        self._settled.touch()

    def close(self) -> None:
        """Leave the folder to others."""
        self._lock.close()

    def _take_lock(self) -> None:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"--data-dir {self.path}: another rollcall local uses it; stop that one,"
                        " or name another folder"
                    ) from error
            time.sleep(0.1)
