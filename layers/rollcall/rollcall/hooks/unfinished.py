"""Calls whose end never came: listed for a person, and ended where the provider's table says how.

The states of calls without an end are in an index by the time of their last event, so that neither
reads the state of any other call.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from rollcall.domain.errors import Conflict, RollcallError, Unavailable
from rollcall.domain.hooks import Hook
from rollcall.domain.organisations import Organisation, tenant
from rollcall.hooks.maps import unfinished_values
from rollcall.hooks.ports import ManagedHooks, States
from rollcall.hooks.recording import RecordCalls
from rollcall.hooks.state import CallState
from rollcall.invocation import Metric, count
from rollcall.maintenance.ports import Organisations
from rollcall.retry import seconds_left
from rollcall.telemetry import error_fields, logger

# A call without an event for so long counts as one whose end never came.
UNFINISHED_MS: Final = 24 * 3_600_000

# Of one hook in one invocation, so that the other hooks have their turn; the next one resumes.
_MOST_CALLS: Final = 5_000
# With less time than this, no call begins.
_MIN_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class UnfinishedCall:
    """A call whose end never came. `started_at` is as its record has it; None if it is not known."""

    provider: str
    id: str
    started_at: str | None
    status: str | None
    last_event_ms: int


class ListUnfinished:
    """Lists the calls of an organisation whose end never came."""

    def __init__(self, hooks: ManagedHooks, states: States, now_ms: Callable[[], int]) -> None:
        self._hooks = hooks
        self._states = states
        self._now_ms = now_ms

    def __call__(self, org_id: str) -> Iterator[UnfinishedCall]:
        """The calls of each hook without an event for 24 hours, the longest first.

        Raises CorruptItem and Unavailable.
        """
        before_ms = self._now_ms() - UNFINISHED_MS
        for hook in self._hooks.hooks(org_id):
            with tenant(org_id):
                calls = list(self._states.open_calls(org_id, hook.key, before_ms))
            for call_id in calls:
                with tenant(org_id):
                    text, _ = self._states.read(org_id, hook.key, call_id)
                state = CallState() if text is None else CallState.of_text(text)
                if _is_open(state, before_ms) and not state.presumed:
                    status, started_at = state.value("status"), state.value("started_at")
                    yield UnfinishedCall(
                        hook.provider, call_id, started_at, status, state.latest_ms
                    )


class SweepFailed(RollcallError):
    """Some calls could not be swept; the log has the errors. All others were visited."""


class SweepHooks:
    """Ends the calls whose end never came, as the tables of their providers say."""

    def __init__(
        self,
        organisations: Organisations,
        hooks: ManagedHooks,
        states: States,
        record_call: RecordCalls,
        now_ms: Callable[[], int],
        shuffle: Callable[[list[Any]], None] = random.shuffle,
    ) -> None:
        self._organisations = organisations
        self._hooks = hooks
        self._states = states
        self._record_call = record_call
        self._now_ms = now_ms
        self._shuffle = shuffle

    def __call__(self) -> dict[str, int]:
        """Sweep as many calls as the time allows, and return how many were `swept` and `failed`.

        `unrecorded` are those of them that have no start, and so no record; `waiting` are the
        organisations for which no time was left. Each invocation visits the organisations in another
        order, so none waits always. An error of one does not stop the others. Raises SweepFailed at
        the end if any failed.
        """
        counts = dict.fromkeys(("swept", "unrecorded", "failed", "waiting"), 0)
        organisations = [
            each for each in self._organisations.organisations() if not each.is_deleting
        ]
        self._shuffle(organisations)
        for organisation in organisations:
            if seconds_left() < _MIN_SECONDS:
                counts["waiting"] += 1
                continue
            try:
                self._visit(organisation, counts)
            except Exception as error:  # noqa: BLE001 - logged, and the sweep fails at the end
                counts["failed"] += 1
                fields = {"org_id": organisation.id, **error_fields(error)}
                logger.error("organisation not swept", extra=fields)
        count(Metric.CALLS_SWEPT, counts["swept"])
        logger.info("sweep", extra=counts)
        if counts["failed"]:
            raise SweepFailed(f"{counts['failed']} sweeps failed")
        return counts

    def _visit(self, organisation: Organisation, counts: dict[str, int]) -> None:
        before_ms = self._now_ms() - UNFINISHED_MS
        for hook in self._hooks.hooks(organisation.id):
            if not unfinished_values(hook.provider):
                continue
            with tenant(organisation.id):
                open_calls = self._states.open_calls(organisation.id, hook.key, before_ms)
                calls = list(islice(open_calls, _MOST_CALLS))
            for call_id in calls:
                if seconds_left() < _MIN_SECONDS:
                    return
                self._sweep(hook, call_id, before_ms, counts)

    def _sweep(self, hook: Hook, call_id: str, before_ms: int, counts: dict[str, int]) -> None:
        values = unfinished_values(hook.provider)

        def swept(state: CallState) -> CallState:
            return state.presuming(values) if _is_open(state, before_ms) else state

        fields = {"org_id": hook.org_id, "hook": hook.key}
        try:
            recorded = self._record_call(hook, call_id, swept)
            self._close(hook, call_id)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - logged, and the sweep fails at the end
            counts["failed"] += 1
            logger.error("call not swept", extra=fields | error_fields(error))
            return
        if not recorded.state.presumed:
            return
        counts["swept"] += 1
        if not recorded.is_written:
            counts["unrecorded"] += 1
            logger.warning("call swept without a start", extra=fields)

    def _close(self, hook: Hook, call_id: str) -> None:
        """Take a call out of the index, now that its record has what is presumed."""
        place = hook.org_id, hook.key, call_id
        with tenant(hook.org_id):
            text, version = self._states.read(*place)
            if text is None or not CallState.of_text(text).presumed:
                return
            # An event was first: it recorded the call, and the next sweep finds it again if it is open.
            with contextlib.suppress(Conflict):
                self._states.write(*place, text, version, None)


def _is_open(state: CallState, before_ms: int) -> bool:
    """Whether a call has events, but no end and none since a time.

    The index may still list a call whose state was removed.
    """
    since_ms = state.open_since_ms
    return bool(state.digests) and since_ms is not None and since_ms < before_ms
