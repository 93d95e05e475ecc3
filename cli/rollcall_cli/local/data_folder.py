"""The folder of `--data-dir`: locked by one stack, and marked when every record was applied."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import time
from pathlib import Path

from rollcall_cli.errors import CommandError

# After a stack is killed, its database holds the lock until it has ended too.
_LOCK_SECONDS = 10


class DataFolder:
    """An open data folder; `close` releases it.

    `needs_check` is whether an earlier stack ended without `mark_settled`: some of its records may
    not be counted. `begin_use` removes that mark; until then the folder is only locked, so a start
    that fails before its database starts leaves the mark as it is. Raises CommandError when the
    folder cannot be used.
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
        """The lock's descriptor, for the database's process, which holds the lock while it runs."""
        return self._lock.fileno()

    def begin_use(self) -> None:
        """Record that facts may be missing from the numbers from now on, until `mark_settled`."""
        self._settled.unlink(missing_ok=True)

    def log_ahead(self) -> None:
        """Make writes several times faster. Call it once the database has tables.

        DynamoDB Local keeps its tables in SQLite, which syncs several times per write. With a
        write-ahead log, a setting stored in the file, it syncs once.
        """
        for file in self.database.glob("*.db"):
            try:
                with contextlib.closing(sqlite3.connect(file, timeout=_LOCK_SECONDS)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.Error as error:
                raise CommandError(f"--data-dir {self.path}: {file.name}: {error}") from error

    def mark_settled(self) -> None:
        """Record that every record was applied, so that the next start need not check."""
        self._settled.touch()

    def close(self) -> None:
        """Release the folder."""
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
                        " or choose another folder"
                    ) from error
            time.sleep(0.1)
