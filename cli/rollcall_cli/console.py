"""Notices on stderr, which leave stdout to a command's result."""

from __future__ import annotations

import sys

from rollcall_cli.text import escaped


def notice(message: str) -> None:
    """Print one printable line on stderr."""
    print(f"rollcall: {escaped(message)}", file=sys.stderr, flush=True)
