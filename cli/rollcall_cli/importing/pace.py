"""Show how far an import is: a bar on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollcall_cli.console import notice, progress_bar
from rollcall_cli.durations import shown
from rollcall_cli.importing.progress import Progress
from rollcall_cli.importing.source import Source
from rollcall_cli.text import escaped

_LINE_EVERY_SECONDS = 10.0

Shows = Callable[[Progress], None]


class Pace:
    """Records per second since it was made, and the time that the rest of the file takes at that pace."""

    def __init__(
        self, source: Source, progress: Progress, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._clock = clock
        self._started, self._printed = clock(), clock()
        self._first_record, self._first_offset = progress.records, progress.offset

    def text(self, progress: Progress) -> str:
        """How far it is, as text."""
        elapsed = self._clock() - self._started
        rate = (progress.records - self._first_record) / elapsed if elapsed > 0 else 0.0
        parts = [f"{progress.records:,} records, {rate:,.0f} a second"]
        size, sent = self._source.size, self._source.bytes_up_to(progress.offset)
        before = self._source.bytes_up_to(self._first_offset)
        if size and sent > before:
            left = elapsed * (size - sent) / (sent - before)
            parts.append(f"{100 * sent // size} %, {shown(round(left * 1_000))} left")
        return ", ".join(parts)

    def print_line(self, progress: Progress) -> None:
        """Print a line if the last one is ten seconds old."""
        now = self._clock()
        if now - self._printed >= _LINE_EVERY_SECONDS:
            self._printed = now
            notice(self.text(progress))


@contextmanager
def shown_progress(source: Source, progress: Progress) -> Iterator[Shows]:
    """Yields a function that shows the progress."""
    pace = Pace(source, progress)
    with progress_bar() as bar:
        if bar.disable:
            yield pace.print_line
            return
        sent = source.bytes_up_to(progress.offset)
        task = bar.add_task(escaped(source.name), total=source.size, completed=sent)

        def show(now: Progress) -> None:
            sent = source.bytes_up_to(now.offset)
            bar.update(task, completed=sent, description=pace.text(now))

        yield show
