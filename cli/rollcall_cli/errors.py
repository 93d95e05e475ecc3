"""Errors a person at the keyboard can do something about, and how they end the command.

CommandError            one clear line on stderr, exit status 2, never a traceback
└── PortInUse           a port that was asked for is taken
"""

from __future__ import annotations

from rollcall_cli.console import notice


class CommandError(Exception):
    """The command cannot go on; the message says what is wrong and what to do about it."""

    exit_status = 2


class PortInUse(CommandError):
    """The port that was asked for belongs to another process."""

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"port {port} is in use; stop what listens there, or choose another with {option}"
            f" ({option} 0 takes any free one)"
        )
        self.port = port


def report(error: CommandError) -> int:
    """Print the error as one printable line on stderr; returns the exit status to leave with."""
    notice(" ".join(str(error).split()))
    return error.exit_status
