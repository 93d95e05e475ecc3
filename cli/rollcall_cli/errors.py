"""Errors that the operator can correct, and how they end a command.

CommandError            one clear line on stderr, exit status 2, never a traceback
└── PortInUse           a requested port is in use
"""

from __future__ import annotations

from rollcall_cli.console import notice


class CommandError(Exception):
    """The command cannot continue; the message says what is wrong and how to correct it."""

    exit_status = 2


class PortInUse(CommandError):
    """Another process listens on the requested port."""

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"port {port} is in use; stop the process that listens there, or choose another with {option}"
            f" ({option} 0 takes any free one)"
        )
        self.port = port


def report(error: CommandError) -> int:
    """Print the error as one line on stderr; returns the exit status."""
    notice(" ".join(str(error).split()))
    return error.exit_status
