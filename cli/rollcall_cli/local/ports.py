"""Ports on loopback: bind one, or fail before anything is started."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from rollcall_cli.console import notice
from rollcall_cli.errors import CommandError, PortInUse

HOST = "127.0.0.1"
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - only where a person asked for it
DEFAULT_PORT = 3000
DEFAULT_DYNAMODB_PORT = 3001
Port = Annotated[
    int | None,
    typer.Option(
        metavar="PORT",
        help=f"Port of the API; 0: any free one; default: {DEFAULT_PORT}, or a free one.",
    ),
]
DynamoDbPort = Annotated[
    int | None,
    typer.Option(
        metavar="PORT",
        help=f"Port of the engine; 0: any free one; default: {DEFAULT_DYNAMODB_PORT}, or a free one.",
    ),
]


def bind(port: int, option: str, host: str = HOST) -> socket.socket:
    """A socket that listens on the port (0: any free one), on loopback by default; raises PortInUse.

    `option` is the command-line option for the port, which the error names.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # On Linux two sockets can bind with SO_REUSEADDR, but only one can listen.
        listener.listen(128)
    except OverflowError as error:
        listener.close()
        raise CommandError(f"{option}: {port} is not a port") from error
    except PermissionError as error:
        listener.close()
        raise CommandError(f"{option}: no permission to open port {port}") from error
    except OSError as error:
        listener.close()
        raise PortInUse(port, option) from error
    return listener


def chosen_port(named: int | None, default: int, option: str) -> int:
    """The port to bind: the named one, else the default, else 0 if the default is in use.

    A named port is not checked here: `bind` refuses one that is in use. Not using the default is
    reported on stderr.
    """
    if named is not None:
        return named
    try:
        bind(default, option).close()
    except PortInUse:
        notice(f"port {default} is in use; using a free one (choose another with {option})")
        return 0
    return default
