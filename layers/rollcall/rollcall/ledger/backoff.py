"""Jittered back-off with an end: bounded tries inside a bounded time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rollcall.domain.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often, how long and until when to try again.

    `time_left` gives the seconds until the work must be given up; `sleep` and `jitter` are
    injected so that a test needs no clock.
    """

    tries: int = 12
    first_seconds: float = 0.02
    most_seconds: float = 2.0
    time_left: Callable[[], float] = lambda: float("inf")
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default=random.random)

    def pause(self, failures: int, cause: Exception) -> None:
        """Wait before try `failures` + 1; raises Unavailable when tries or time are used up."""
        if failures >= self.tries:
            raise Unavailable(f"gave up after {failures} tries: {cause}") from cause
        seconds = min(self.most_seconds, self.first_seconds * 2 ** (failures - 1)) * self.jitter()
        if seconds >= self.time_left():
            raise Unavailable(f"out of time after {failures} tries: {cause}") from cause
        self.sleep(seconds)

    def check(self) -> None:
        """Raises Unavailable when no time is left for more work."""
        if self.time_left() <= 0:
            raise Unavailable("out of time")
