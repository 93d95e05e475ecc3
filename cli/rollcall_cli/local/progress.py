"""Tell the person at the keyboard what is going on: on stderr, a line at a time, never on stdout."""

from __future__ import annotations

import sys

from rollcall_cli.text import escaped


def tell(message: str) -> None:
    """One printable line on stderr."""
    print(f"rollcall: {escaped(message)}", file=sys.stderr, flush=True)
