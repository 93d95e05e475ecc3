"""Ctrl-C and SIGTERM: as an exception that unwinds once, or as an event that is read between steps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from rollcall_cli.console import notice

_WAKE_UP_SECONDS = 0.5


class Stopped(BaseException):
    """SIGINT or SIGTERM arrived: unwind and stop everything that was started."""


def raise_on_signals() -> None:
    """From now on the first SIGINT or SIGTERM raises Stopped in the main thread."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # Stopping takes a few seconds at most. A second Ctrl-C must not interrupt it and leave
        # processes behind.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        notice("stopping")
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def wait_until_stopped() -> NoReturn:
    """Wait in the main thread until a signal raises Stopped.

    Python runs a signal's handler between two steps of the main thread. A signal that arrives just
    before the thread blocks, or in another thread, is noticed when the thread wakes up, so it wakes
    up twice a second.
    """
    while True:
        time.sleep(_WAKE_UP_SECONDS)


@contextmanager
def stopping_on_ctrl_c(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C sets `stop`; the second one raises KeyboardInterrupt."""

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    before = signal.signal(signal.SIGINT, request_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
