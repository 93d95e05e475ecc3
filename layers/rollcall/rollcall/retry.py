"""Retries with jittered back-off, within the time an invocation has left."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from rollcall.domain.errors import Unavailable

# The longest that one request to the store can take: two attempts, each of a 1 s connection and a
# 3 s read, and a pause. It is reserved to finish a request in progress and still answer.
MAX_REQUEST_SECONDS: Final = 9.0

# By then any pause has its greatest length.
_MOST_DOUBLINGS: Final = 30

_ends_at: ContextVar[float] = ContextVar("ends_at", default=float("inf"))


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """A context in which no retry begins that might not end within `seconds` from now.

    Inside another one, the earlier end holds.
    """
    ends_at = time.monotonic() + seconds - MAX_REQUEST_SECONDS
    token = _ends_at.set(min(ends_at, _ends_at.get()))
    try:
        yield
    finally:
        _ends_at.reset(token)


def seconds_left() -> float:
    """Seconds in which another try may begin; infinite outside any `time_limit`."""
    return _ends_at.get() - time.monotonic()


@dataclass(frozen=True, slots=True)
class Backoff:
    """The number of tries and the pauses between them; tests inject `sleep` and `jitter`.

    To retry an operation:

        attempts = backoff.attempts()
        while True:
            try:
                return request()
            except Unavailable as error:
                attempts.failed(error)
    """

    tries: int = 12
    first_seconds: float = 0.02
    max_seconds: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def pause(self, failures: int, cause: Exception) -> None:
        """Wait before try `failures` + 1; raises Unavailable when no tries or no time are left."""
        if failures >= self.tries:
            raise Unavailable(f"failed after {failures} tries: {cause}") from cause
        self.wait(failures, cause)

    def wait(self, failures: int, cause: Exception) -> None:
        """Wait before try `failures` + 1; raises Unavailable when no time is left."""
        doubled = 2 ** min(failures - 1, _MOST_DOUBLINGS)
        seconds = min(self.max_seconds, self.first_seconds * doubled) * self.jitter()
        if seconds >= seconds_left():
            raise Unavailable(f"out of time after {failures} tries: {cause}") from cause
        self.sleep(seconds)

    def attempts(self) -> Attempts:
        """A counter for the failures of one operation."""
        return Attempts(self)

    def check(self) -> None:
        """Raises Unavailable when no time is left for more work."""
        if seconds_left() <= 0:
            raise Unavailable("out of time")


class Attempts:
    """The failures of one operation since it last made progress."""

    __slots__ = ("_backoff", "_failures")

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failures = 0

    @property
    def number(self) -> int:
        """The number of the attempt under way, counted from 1."""
        return self._failures + 1

    @property
    def is_last(self) -> bool:
        """Whether `failed` would end the attempt under way with Unavailable."""
        return self.number >= self._backoff.tries

    def failed(self, cause: Exception) -> None:
        """Wait before the next try; raises Unavailable when no tries or no time are left."""
        self._failures += 1
        self._backoff.pause(self._failures, cause)

    def persist(self, cause: Exception) -> None:
        """Wait before the next try, however many failed; raises Unavailable when no time is left.

        For an operation that another writer may always be first to make. Outside any `time_limit`
        the number of tries ends it, as in `failed`.
        """
        if seconds_left() == float("inf"):
            self.failed(cause)
            return
        self._failures += 1
        self._backoff.wait(self._failures, cause)

    def succeeded(self) -> None:
        """Reset the count of failures, because the operation made progress."""
        self._failures = 0


def within_its_time(context: Any) -> AbstractContextManager[None]:
    """A `time_limit` that ends before Lambda ends the invocation of `context`."""
    return time_limit(context.get_remaining_time_in_millis() / 1000)
