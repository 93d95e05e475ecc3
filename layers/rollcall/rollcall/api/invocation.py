"""What Lambda says about one invocation."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from rollcall.retry import time_limit


def within_its_time(context: Any) -> AbstractContextManager[None]:
    """Let no retry begin that could not end before Lambda ends the invocation of `context`."""
    return time_limit(context.get_remaining_time_in_millis() / 1000)
