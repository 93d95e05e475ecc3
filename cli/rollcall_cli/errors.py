"""Errors that the operator can correct, and how they end a command.

CommandError            one clear line on stderr, exit status 2, never a traceback
├── PortInUse           a requested port is in use
└── RefusedRequest      the API refused a body; a line for each fault
"""

from __future__ import annotations

from collections.abc import Sequence

from rollcall_cli.console import notice


class CommandError(Exception):
    """The command cannot continue; the message says what is wrong and how to correct it."""

    exit_status = 2

    @property
    def lines(self) -> Sequence[str]:
        """What is printed on stderr."""
        return [str(self)]


class PortInUse(CommandError):
    """Another process listens on the requested port."""

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"port {port} is in use; stop the process that listens there, or choose another with {option}"
            f" ({option} 0 takes any free one)"
        )
        self.port = port


class RefusedRequest(CommandError):
    """The API refused a body for faults, each of which has a JSON pointer into it and a message."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        self._lines = [
            f"{pointer}: {message}" if pointer else message for pointer, message in faults
        ]
        super().__init__("; ".join(self._lines))

    @property
    def lines(self) -> Sequence[str]:
        return self._lines


def report(error: CommandError) -> int:
    """Print the lines of an error on stderr; returns the exit status."""
    for line in error.lines:
        notice(" ".join(line.split()))
    return error.exit_status
