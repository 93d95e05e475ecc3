"""Ctrl-C as an exception: whatever is under way unwinds once, in order, and is not broken off."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import NoReturn

from rollcall_cli.local.progress import tell

_NOTICE_SECONDS = 0.5


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


def wait_until_stopped() -> NoReturn:
    """Wait in the main thread until a signal raises Stopped.

    Python runs a signal's handler between two steps of the main thread. One that arrives just before
    the thread blocks, or in another thread, is noticed when the thread wakes up: so it does, twice a
    second.
    """
    while True:
        time.sleep(_NOTICE_SECONDS)
