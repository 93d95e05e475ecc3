"""The wall clock, which code under test replaces."""

from __future__ import annotations

import time


def now_us() -> int:
    """The current time, in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def now_ms() -> int:
    """The current time, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
