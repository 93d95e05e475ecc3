"""Ctrl-C as an exception: whatever is under way unwinds once, in order, and is not broken off."""

from __future__ import annotations

import signal
from types import FrameType

from rollcall_cli.local.progress import tell


class Stopped(BaseException):
    """SIGINT or SIGTERM came: unwind and stop everything, from wherever it has got to."""


def raise_on_signals() -> None:
    """From now on the first SIGINT or SIGTERM raises Stopped in the main thread."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # What was started is being stopped, which takes a few seconds at most: a second Ctrl-C
        # must not break that off half-way and leave processes behind.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        tell("stopping")
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
