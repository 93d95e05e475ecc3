"""Tell the person at the keyboard what is going on: on stderr, a line at a time, never on stdout."""

from __future__ import annotations

import sys


def tell(message: str) -> None:
    """One line on stderr."""
    print(f"rollcall: {message}", file=sys.stderr, flush=True)
