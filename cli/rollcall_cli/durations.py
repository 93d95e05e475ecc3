"""Durations on a command line: 90s, 10m, 24h."""

from __future__ import annotations

import re

from rollcall_cli.errors import CommandError

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


def duration_ms(text: str, option: str) -> int:
    """A duration in milliseconds. Raises CommandError, which names the option."""
    match = re.fullmatch(r"([0-9]{1,6})([smh])", text)
    if match is None:
        raise CommandError(f"{option} must be a duration such as 90s, 10m or 24h, not {text!r}")
    return int(match[1]) * _UNIT_MS[match[2]]


def shown(milliseconds: int) -> str:
    """A duration as text, to the second: 14:32 or 1:02:03."""
    minutes, seconds = divmod(max(0, milliseconds) // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
