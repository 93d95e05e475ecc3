"""Records the hour in which each token was last used, without delaying the authorization."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final

from rollcall.domain.errors import Conflict
from rollcall.domain.organisations import Token
from rollcall.ingest.ports import Tokens

_HOUR_MS: Final = 3_600_000


class RecordUse:
    """Records the use of a token at most once per hour, on a separate thread.

    The record helps operators and may be missing. A write that fails is reported to `warn`, and no
    other is tried for an hour: a store that refuses writes costs one request per hour.
    """

    def __init__(
        self,
        tokens: Tokens,
        executor: Executor,
        now_ms: Callable[[], int],
        warn: Callable[[BaseException], None],
    ) -> None:
        self._tokens = tokens
        self._executor = executor
        self._now_ms = now_ms
        self._warn = warn
        self._pending: Future[Any] | None = None
        self._paused_until_ms = 0

    def __call__(self, token: Token) -> None:
        """Record that a token that was just read is used now. Returns at once; raises nothing."""
        now_ms = self._now_ms()
        hour_ms = now_ms - now_ms % _HOUR_MS
        is_recorded = token.last_used_ms is not None and token.last_used_ms >= hour_ms
        # Lambda may freeze the thread between two invocations: never queue a second write.
        is_busy = self._pending is not None and not self._pending.done()
        if is_recorded or is_busy or now_ms < self._paused_until_ms:
            return
        self._pending = self._executor.submit(self._tokens.record_use, token.id, hour_ms)
        # In the context of the request, so that a warning carries its id.
        context = contextvars.copy_context()
        self._pending.add_done_callback(lambda write: context.run(self._finished, write))

    def _finished(self, write: Future[Any]) -> None:
        error = write.exception()
        # Conflict: another environment recorded the hour first, or the token was just removed.
        if error is not None and not isinstance(error, Conflict):
            self._paused_until_ms = self._now_ms() + _HOUR_MS
            self._warn(error)
