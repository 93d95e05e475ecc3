"""Aligned tables on stdout: as wide as the terminal; in a pipe, one line per row."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from rich.console import Console
from rich.table import Table

_PIPE_COLUMNS = 240


def stdout_columns() -> int:
    """How many columns a line of stdout may have."""
    return _stdout().width


def print_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], wrapped: Collection[str]
) -> None:
    """Print rows under their titles. Where room is short, the columns in `wrapped` are wrapped."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for title in titles:
        table.add_column(title, no_wrap=title not in wrapped, overflow="fold")
    for row in rows:
        table.add_row(*row)
    _stdout().print(table)


def _stdout() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPE_COLUMNS
    return console
