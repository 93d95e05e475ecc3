"""Which hosts are this machine, by name alone: no name is resolved."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host without port or brackets is `localhost`, in 127.0.0.0/8, or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
