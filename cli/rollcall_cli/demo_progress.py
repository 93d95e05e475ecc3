"""The progress of filling the demo, on stderr: bars on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollcall_cli.console import notice, progress_bar

# Shows how many records have been sent and how many calls have been counted.
Show = Callable[[int, int], None]

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(records: int, calls: int) -> Iterator[Show]:
    """Yields a function that shows the progress towards so many records and calls."""
    with progress_bar(has_counts=True, has_elapsed=True) as bar:
        if bar.disable:
            yield _lines(records, calls)
            return
        sent_task = bar.add_task(f"{'records sent':<13}", total=records)
        counted_task = bar.add_task("calls counted", total=calls)

        def show(sent: int, counted: int) -> None:
            bar.update(sent_task, completed=sent)
            bar.update(counted_task, completed=counted)

        yield show


def _lines(records: int, calls: int) -> Show:
    """Prints a line at the first change, then at most every five seconds, and at the end."""
    next_at = 0.0
    last: tuple[int, int] | None = None

    def show(sent: int, counted: int) -> None:
        nonlocal next_at, last
        now = time.monotonic()
        is_complete = (sent, counted) == (records, calls)
        if (sent, counted) != last and (is_complete or now >= next_at):
            notice(f"{sent:,} of {records:,} records sent, {counted:,} of {calls:,} calls counted")
            next_at = now + _SECONDS_BETWEEN_LINES
            last = (sent, counted)

    return show
