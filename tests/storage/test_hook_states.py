"""States of calls on a real engine: written on the version that was read."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from rollcall.domain.errors import Conflict, ForeignKey
from rollcall.domain.organisations import tenant
from rollcall.retry import Backoff
from rollcall.storage.hook_states import HookStates

pytestmark = pytest.mark.engine

KEY = "0" * 32
KEPT = '{"fields":{"lead_id":[3,5,"d","\\"70\\""]},"digests":[],"latest_ms":5}'


@pytest.fixture
def states(client: Any) -> HookStates:
    return HookStates(client, "rollcall-records", Backoff(tries=5, first_seconds=0.001))


def test_only_the_version_that_was_read_is_replaced(states: HookStates) -> None:
    org_id = f"org#{uuid.uuid4()}"
    with tenant(org_id):
        assert states.read(org_id, KEY, "c") == (None, 0)
        states.write(org_id, KEY, "c", "one", 0, None)
        assert states.read(org_id, KEY, "c") == ("one", 1)
        for version in (0, 2):
            with pytest.raises(Conflict):
                states.write(org_id, KEY, "c", "lost", version, None)
        states.write(org_id, KEY, "c", "two", 1, None)
        assert states.read(org_id, KEY, "c") == ("two", 2)
        assert states.read(org_id, KEY, "c#") == (None, 0)
        assert states.read(org_id, "1" * 32, "c") == (None, 0)


def test_an_erased_lead_leaves_no_state(states: HookStates) -> None:
    org_id = f"org#{uuid.uuid4()}"
    named = '{"fields":{"lead_id":[3,5,"d","\\"7\\""]},"digests":[],"latest_ms":5}'
    texts = {"c#1": KEPT, "named": named, "kept": KEPT, "damaged": "{}"}
    with tenant(org_id):
        for call_id, text in texts.items():
            for key in (KEY, "f" * 32):
                states.write(org_id, key, call_id, text, 0, None)
        states.forget(org_id, "7", {"c#1"})
        for key in (KEY, "f" * 32):
            left = {call_id for call_id in texts if states.read(org_id, key, call_id)[1]}
            assert left == {"kept"}


def test_open_calls_are_listed_by_the_time_of_their_last_event(states: HookStates) -> None:
    org_id = f"org#{uuid.uuid4()}"
    other = "f" * 32
    with tenant(org_id):
        written = {"c#late": 9_000, "c#~": 10, "ended": None, "old": -5, "c": 200}
        for call_id, since_ms in written.items():
            states.write(org_id, KEY, call_id, KEPT, 0, since_ms)
        states.write(org_id, other, "theirs", KEPT, 0, 1)
        assert list(states.open_calls(org_id, KEY, 9_000)) == ["old", "c#~", "c"]
        assert list(states.open_calls(org_id, KEY, 9_001))[-1] == "c#late"
        states.write(org_id, KEY, "old", KEPT, 1, None)
        states.write(org_id, KEY, "c#~", KEPT, 1, 5_000)
        assert list(states.open_calls(org_id, KEY, 9_000)) == ["c", "c#~"]
        states.forget(org_id, "7", {"c"})
        assert list(states.open_calls(org_id, KEY, 9_000)) == ["c#~"]
        states.remove(org_id, KEY)
        assert list(states.open_calls(org_id, KEY, 9_000)) == []
        assert list(states.open_calls(org_id, other, 9_000)) == ["theirs"]


def test_another_organisations_state_is_out_of_reach(states: HookStates) -> None:
    with tenant("mine"), pytest.raises(ForeignKey):
        states.read("theirs", KEY, "c")
