"""What commands print: results on stdout; notices, progress bars and errors on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollcall_cli.text import escaped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

# How wide a table may be where stdout is no terminal: each row stays on one line.
_PIPE_COLUMNS = 240

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


# -------------------------------------------------------------------------------- stdout
def print_result(document: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a command's result: the document as one line of JSON, or else the lines."""
    for line in [json.dumps(document)] if as_json else lines:
        print(line, flush=True)


def stdout_is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return _stdout().is_terminal


def stdout_columns() -> int:
    """The width of stdout in characters."""
    return _stdout().width


def print_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    wrapped: Collection[str],
    right: Collection[str] = (),
) -> None:
    """Print rows under their titles.

    The columns in `wrapped` are wrapped where they do not fit; those in `right` are at the right.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for title in titles:
        table.add_column(
            title,
            no_wrap=title not in wrapped,
            overflow="fold",
            justify="right" if title in right else "left",
        )
    for row in rows:
        table.add_row(*row)
    _stdout().print(table)


def _stdout() -> Console:
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPE_COLUMNS
    return console


# -------------------------------------------------------------------------------- stderr
def notice(message: str) -> None:
    """Print one printable line on stderr."""
    print(f"rollcall: {escaped(message)}", file=sys.stderr, flush=True)


@contextmanager
def progress_bar(*, has_counts: bool = False, has_elapsed: bool = False) -> Iterator[Progress]:
    """Progress bars on stderr that vanish at the end; disabled if stderr is no terminal.

    A bar has a description, then a percentage or counts, then the time remaining or elapsed.
    """
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    bar = progress.Progress(
        # A description may hold the name of a file, which is not markup.
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn()
        if has_counts
        else progress.TaskProgressColumn("{task.percentage:>3.0f} %"),
        progress.TimeElapsedColumn() if has_elapsed else progress.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
        # Results that are printed meanwhile move the bars on a terminal, and reach a file or a pipe.
        redirect_stdout=sys.stdout.isatty(),
    )
    with bar:
        yield bar
