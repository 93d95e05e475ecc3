"""Replay the deliveries that wait: for a store that was busy, or for another event of their call.

A document is removed only when its event is in the state and the record of its call, when it says
nothing of a call, or when it is kept among the failed ones. So two replays at once, and one that dies,
do no harm.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from rollcall.domain.errors import CorruptItem, RollcallError, Unavailable
from rollcall.hooks.kept import WAITING, failed_name, kept_delivery
from rollcall.hooks.ports import KeptDeliveries
from rollcall.hooks.receive import (
    HOOK_DELETED,
    RECORDING_SECONDS,
    ReceiveHook,
    Result,
    reason_of,
)
from rollcall.maintenance.redrive import is_unfinished
from rollcall.retry import seconds_left, time_limit
from rollcall.telemetry import error_fields, logger

# What waited for so long fails, unless the store cannot be reached: a person has to see it.
WAITING_MS: Final = 24 * 3_600_000
# With less time than this, no replay begins: the time in which one is recorded.
_MIN_SECONDS: Final = RECORDING_SECONDS
_TRIES_WITHOUT_STORE: Final = 3
_OUTCOMES: Final = ("recorded", "ignored", "failed", "waiting", "errors")


class ReplayFailed(RollcallError):
    """Some deliveries could not be recorded for an error, which the log has; they still wait."""


class ReplayDeliveries:
    """Replays the deliveries that wait."""

    def __init__(
        self,
        kept: Callable[[], KeptDeliveries],
        receive: ReceiveHook,
        now_ms: Callable[[], int],
        shuffle: Callable[[list[Any]], None] = random.shuffle,
    ) -> None:
        self._kept = kept
        self._receive = receive
        self._now_ms = now_ms
        self._shuffle = shuffle

    def __call__(self) -> dict[str, int]:
        """Replay as many deliveries as the time allows; returns how many there are by outcome.

        `recorded`, `ignored` and `failed` no longer wait, `waiting` do, for lack of time or for another
        event, and so do `errors`. Each invocation takes them in another order, so that none that fails
        again and again keeps the others from their turn. Raises ReplayFailed at the end if there were
        errors, and BrokenDestination.
        """
        names = [name for name in self._kept().names(WAITING) if not is_unfinished(name)]
        self._shuffle(names)
        counts = dict.fromkeys(_OUTCOMES, 0)
        unreachable = 0
        for done, name in enumerate(names):
            if seconds_left() < _MIN_SECONDS or unreachable == _TRIES_WITHOUT_STORE:
                counts["waiting"] += len(names) - done
                break
            result = self._replay(name)
            if result is None:
                continue
            counts[result.outcome if result.fault is None else "errors"] += 1
            unreachable = unreachable + 1 if isinstance(result.fault, Unavailable) else 0
        logger.info("replay of deliveries", extra=counts)
        if counts["errors"]:
            raise ReplayFailed(f"{counts['errors']} of {len(names)} deliveries are not recorded")
        return counts

    def one(self, name: str) -> dict[str, int]:
        """Replay one delivery, as soon as it is kept; returns counts as a replay of all does.

        What cannot be recorded yet stays for the next replay of all, which reports its error. Raises
        BrokenDestination.
        """
        counts = dict.fromkeys(_OUTCOMES, 0)
        result = self._replay(name) if name.startswith(WAITING) else None
        if result is not None:
            counts[result.outcome] += 1
        return counts

    def _replay(self, name: str) -> Result | None:
        """Replay one delivery; None if another replay was first."""
        try:
            document = self._kept().read(name)
            if document is None:
                return None
            return self._settled(name, document)
        except (CorruptItem, Unavailable) as error:
            logger.error("delivery not replayed", extra={"object": name, **error_fields(error)})
            return Result("waiting", error=error)

    def _settled(self, name: str, document: Mapping[str, Any]) -> Result:
        key, delivery, signed_at_ms = kept_delivery(document)
        with time_limit(RECORDING_SECONDS):
            hook = self._receive.hook(key)
            if hook is None:
                result = Result("failed", HOOK_DELETED)
            else:
                result = self._receive.settle(hook, delivery, signed_at_ms)
        if result.fault is not None:
            fields = {"object": name, **error_fields(result.fault)}
            logger.error("delivery not replayed", extra=fields)
        is_old = delivery.received_at_ms < self._now_ms() - WAITING_MS
        if result.outcome == "waiting" and is_old and not isinstance(result.fault, Unavailable):
            result = Result("failed", reason_of(result))
        if result.outcome == "waiting":
            return result
        if result.outcome == "failed":
            failed = {**document, "reason": result.reason}
            self._kept().keep(failed_name(key, delivery), json.dumps(failed).encode())
        self._kept().remove(name)
        if hook is not None:
            self._receive.count(hook, result.outcome, None)
        return result
