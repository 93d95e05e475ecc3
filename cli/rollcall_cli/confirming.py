"""Confirmation of what cannot be undone."""

from __future__ import annotations

import sys

import typer

from rollcall_cli.errors import CommandError


def confirm(deed: str, name: str) -> None:
    """Ask on the terminal for `name` to be typed; `deed` says what follows, for good.

    Raises CommandError when something else is typed, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError(f"give --yes to {deed}, for good; there is no terminal to confirm on")
    typed = typer.prompt(f"This will {deed}, for good.\nType {name} to confirm", err=True)
    if typed != name:
        raise CommandError(f"{typed!r} is not {name!r}: nothing was changed")
