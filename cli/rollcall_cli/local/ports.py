"""Ports on loopback: take one, or find out that it is taken before anything is started."""

from __future__ import annotations

import socket

from rollcall_cli.errors import CommandError, PortInUse
from rollcall_cli.local.progress import tell

HOST = "127.0.0.1"


def bind(port: int, option: str) -> socket.socket:
    """A socket that listens on the loopback port (0: any free one); raises PortInUse.

    `option` is the command's option that chose the port, for the message.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # Linux lets two sockets bind with SO_REUSEADDR; only one of them can listen.
        listener.listen(128)
    except OverflowError as error:
        listener.close()
        raise CommandError(f"{option}: {port} is not a port") from error
    except PermissionError as error:
        listener.close()
        raise CommandError(f"{option}: this user may not open port {port}") from error
    except OSError as error:
        listener.close()
        raise PortInUse(port, option) from error
    return listener


def preferred_port(port: int, option: str) -> int:
    """`port` if it is free, else 0 (any free one), and says so: for who would rather run than insist."""
    try:
        bind(port, option).close()
    except PortInUse:
        tell(f"port {port} is in use, taking another one ({option} chooses it)")
        return 0
    return port
