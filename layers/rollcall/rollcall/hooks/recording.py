"""Change the state of a call, and write the record of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rollcall.api import strict_json
from rollcall.api.records.documents import parse_record
from rollcall.api.records.faults import RefusedRecord
from rollcall.domain.errors import Conflict, Unavailable
from rollcall.domain.facts import Change
from rollcall.domain.hooks import Hook
from rollcall.domain.organisations import tenant
from rollcall.hooks.delivery import Unmappable
from rollcall.hooks.ports import States, Writes
from rollcall.hooks.state import CallState
from rollcall.retry import Backoff


class Recorded(NamedTuple):
    """The state of a call that is stored now, and whether its record is written."""

    state: CallState
    is_written: bool


class RecordCalls:
    """Records calls of hooks."""

    def __init__(self, states: States, write: Writes, backoff: Backoff) -> None:
        self._states = states
        self._write = write
        self._backoff = backoff

    def __call__(
        self, hook: Hook, call_id: str, change: Callable[[CallState], CallState]
    ) -> Recorded:
        """Apply an idempotent change to the state of a call, and write its record if it has one.

        Raises Unmappable when the record is refused,
        CorruptItem, UnknownOrganisation and Unavailable.
        """
        with tenant(hook.org_id):
            state = self._changed(hook, call_id, change)
            record = state.record(call_id)
            if record is None:
                return Recorded(state, False)
            receipt = self._write(hook.org_id, [(0, change_of(record))])
        if receipt.refusals:
            refusal = receipt.refusals[0]
            raise Unmappable(f"{refusal.field}: {refusal.message}")
        return Recorded(state, True)

    def _changed(
        self, hook: Hook, call_id: str, change: Callable[[CallState], CallState]
    ) -> CallState:
        attempts = self._backoff.attempts()
        place = hook.org_id, hook.key, call_id
        while True:
            text, version = self._states.read(*place)
            state = CallState() if text is None else CallState.of_text(text)
            changed = change(state)
            if changed == state:
                return state
            try:
                self._states.write(*place, changed.to_text(), version, changed.open_since_ms)
                return changed
            except Conflict as error:
                attempts.persist(error)
            except Unavailable as error:
                attempts.failed(error)


def change_of(record: bytes) -> Change:
    """The change that a record as JSON is. Raises Unmappable with its faults."""
    try:
        return parse_record(strict_json.loads(record))
    except RefusedRecord as refused:
        faults = (f"{fault.field}: {fault.message}" for fault in refused.faults)
        raise Unmappable("; ".join(faults)) from None
    except strict_json.MalformedJson as error:
        raise Unmappable(str(error)) from None
