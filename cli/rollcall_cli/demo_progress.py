"""How far the demo's filling has got: bars on a terminal, plain lines in a log, both on stderr."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rollcall_cli.console import notice


class Shown(Protocol):
    """Where the work has got to."""

    def show(self, sent: int, counted: int) -> None:
        """So many records have been sent, and so many calls are in the numbers."""


def progress(records: int, calls: int) -> AbstractContextManager[Shown]:
    """What shows the work, for a total of so many records and calls, as stderr can take it."""
    console = Console(stderr=True)
    return _Bars(console, records, calls) if console.is_terminal else _Lines(records, calls)


class _Bars:
    """Two bars on a terminal."""

    def __init__(self, console: Console, records: int, calls: int) -> None:
        columns = (
            TextColumn("{task.description:<21}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=True)
        self._sent = self._bars.add_task("records sent", total=records)
        self._counted = self._bars.add_task("calls in the numbers", total=calls)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, sent: int, counted: int) -> None:
        self._bars.update(self._sent, completed=sent)
        self._bars.update(self._counted, completed=counted)


class _Lines(AbstractContextManager["_Lines"]):
    """A line in a log now and then: at the first news, every five seconds, and at the end."""

    _EVERY_SECONDS = 5.0

    def __init__(self, records: int, calls: int) -> None:
        self._records = records
        self._calls = calls
        self._next = 0.0
        self._last: tuple[int, int] | None = None

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, sent: int, counted: int) -> None:
        now = time.monotonic()
        is_complete = (sent, counted) == (self._records, self._calls)
        if (sent, counted) != self._last and (is_complete or now >= self._next):
            notice(
                f"{sent:,} of {self._records:,} records sent,"
                f" {counted:,} of {self._calls:,} calls in the numbers"
            )
            self._next = now + self._EVERY_SECONDS
            self._last = (sent, counted)
