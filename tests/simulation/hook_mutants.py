"""Planted faults of hooks: each loses, or takes back, something that a provider has reported."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from rollcall.hooks import state as state_module
from rollcall.hooks.events import Event
from rollcall.hooks.receive import ReceiveHook, Result
from rollcall.hooks.recording import RecordCalls
from rollcall.hooks.state import CallState
from rollcall.storage import hook_states
from tests.simulation import world as world_module
from tests.simulation.providers import FUNCTION


def state_without_its_version_condition(stack: ExitStack) -> None:
    """Of two deliveries of a call at once, the second state replaces the first."""
    stack.enter_context(patch.object(hook_states, "version_unchanged", lambda _version: {}))


def later_event_wipes_fields(stack: ExitStack) -> None:
    """The call is what its latest event says, and nothing besides."""
    original = CallState.folded

    def folded(self: CallState, event: Event) -> CallState:
        made = original(self, event)
        if made == self:
            return made
        kept = {name: stamped for name, stamped in made.fields.items() if name in event.values}
        return CallState(kept, made.digests, made.latest_ms)

    stack.enter_context(patch.object(CallState, "folded", folded))


def delivery_is_answered_before_it_is_recorded(stack: ExitStack) -> None:
    """The provider is answered at once, and the process may end before the state is stored."""
    original = ReceiveHook.settle

    def settle(self: ReceiveHook, *delivery: Any) -> Result:
        task = world_module._world().spawn("recording", lambda: original(self, *delivery))
        task.function = FUNCTION
        return Result("recorded")

    stack.enter_context(patch.object(ReceiveHook, "settle", settle))


def delivery_that_is_not_recorded_is_not_kept(stack: ExitStack) -> None:
    stack.enter_context(patch.object(ReceiveHook, "_keep", lambda *_delivery: None))


def known_event_is_not_written_again(stack: ExitStack) -> None:
    """A repetition writes no record: the one whose process ended before the record is lost."""
    original = RecordCalls._changed

    def changed(self: RecordCalls, hook: Any, call_id: str, change: Any) -> CallState:
        text, _ = self._states.read(hook.org_id, hook.key, call_id)
        made = original(self, hook, call_id, change)
        return CallState() if text == made.to_text() else made

    stack.enter_context(patch.object(RecordCalls, "_changed", changed))


def body_that_is_signed_again_is_the_same_event(stack: ExitStack) -> None:
    """A repetition may change the call, and its record then loses against the one before."""
    stack.enter_context(patch.object(state_module, "_digest", lambda event: event.digest[:16]))


HOOK_MUTANTS: tuple[Callable[[ExitStack], None], ...] = (
    state_without_its_version_condition,
    later_event_wipes_fields,
    delivery_is_answered_before_it_is_recorded,
    delivery_that_is_not_recorded_is_not_kept,
    known_event_is_not_written_again,
    body_that_is_signed_again_is_the_same_event,
)
