"""Confirmation of operations that cannot be undone."""

from __future__ import annotations

import sys

import typer

from rollcall_cli.errors import CommandError


def confirm(deed: str, name: str) -> None:
    """Require the operator to type `name` on the terminal before `deed`, a verb and its object.

    Raises CommandError when anything else is typed, or when stdin is no terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError(f"pass --yes to {deed} permanently; there is no terminal to confirm on")
    typed = typer.prompt(f"This will permanently {deed}.\nType {name} to confirm", err=True)
    if typed != name:
        raise CommandError(f"{typed!r} is not {name!r}: nothing was changed")
