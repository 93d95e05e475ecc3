"""Calls whose end never came: which are listed, which are ended, and what a late end changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from rollcall.domain.errors import Conflict, CorruptItem, Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.hooks import unfinished
from rollcall.hooks.unfinished import (
    UNFINISHED_MS,
    ListUnfinished,
    SweepFailed,
    SweepHooks,
    UnfinishedCall,
)
from rollcall.ingest.ingest import Refusal
from rollcall.invocation import invocation
from rollcall.retry import MAX_REQUEST_SECONDS, time_limit
from tests.support.emf import logged
from tests.support.hook_events import START_MS, call_of, event_of
from tests.support.hook_world import World

BEGUN, JOINED, JOB, LEFT, FINISHED = call_of("livekit", Random(4), "room-1")
DAY_LATER = START_MS + UNFINISHED_MS
MUCH_LATER = DAY_LATER + 3_600_000


class Sweeping:
    """A hook of one organisation, swept at a time."""

    def __init__(self, provider: str = "livekit") -> None:
        self.world = World(provider)
        self.now_ms = MUCH_LATER
        self.is_deleting = False
        self.sweep = SweepHooks(
            self, self, self.world, self.world.record, lambda: self.now_ms, lambda _items: None
        )
        self.unfinished = ListUnfinished(self, self.world, lambda: self.now_ms)

    def organisations(self) -> Iterator[Organisation]:
        yield Organisation("org", "acme", "Acme", 1, is_deleting=self.is_deleting)

    def hooks(self, org_id: str) -> Iterator[Any]:
        self.world._may_fail("hooks")
        yield self.world.stored

    def receive(self, sent: Any, provider: str = "livekit") -> None:
        event = event_of(provider, sent)
        self.world.record(self.world.stored, event.call_id, lambda state: state.folded(event))

    def status(self, call_id: str = "room-1") -> tuple[str, str | None]:
        record = self.world.facts[call_id].record
        return record.status, record.disposition


COUNTS = {"swept": 0, "unrecorded": 0, "failed": 0, "waiting": 0}


def test_a_call_without_an_end_fails_after_a_day() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    it.now_ms = DAY_LATER
    assert it.sweep() == COUNTS
    assert it.status() == ("in_progress", None)
    it.now_ms = MUCH_LATER
    with invocation("r") as metrics:
        assert it.sweep() == {**COUNTS, "swept": 1}
    assert metrics == {"CallsSwept": 1}
    assert it.status() == ("failed", "error")
    before = dict(it.world.states)
    assert it.sweep() == COUNTS
    assert it.world.states == before


def test_a_late_end_wins() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    it.sweep()
    it.receive(JOINED)
    assert it.status() == ("failed", "error")
    it.receive(FINISHED)
    assert it.status() == ("completed", None)
    assert it.sweep() == COUNTS
    assert it.status() == ("completed", None)


def test_what_comes_while_it_is_swept_is_seen() -> None:
    """The index is behind: the call ended, or had another event, since it was listed."""
    for sent in (FINISHED, JOINED):
        it = Sweeping()
        it.receive(BEGUN)
        it.receive(sent)
        it.now_ms = START_MS + UNFINISHED_MS + 1
        it.world.open_since["room-1"] = START_MS - 1
        ends = sent is FINISHED
        if not ends:
            it.now_ms = event_of("livekit", sent).time_ms + UNFINISHED_MS
        assert it.sweep() == COUNTS
        assert it.status() == ("completed" if ends else "in_progress", None)


@pytest.mark.parametrize("provider", ["vapi", "retell", "twilio", "generic"])
def test_calls_of_other_providers_are_only_listed(provider: str) -> None:
    it = Sweeping(provider)
    (first, *_) = call_of(provider, Random(1), "call-1")
    it.receive(first, provider)
    before = dict(it.world.states)
    assert it.sweep() == COUNTS
    assert it.world.states == before
    (listed,) = it.unfinished("org")
    start = None if provider == "twilio" else "2026-11-21T12:00:00.000Z"
    assert (listed.provider, listed.id, listed.started_at) == (provider, "call-1", start)
    assert listed.last_event_ms == event_of(provider, first).time_ms


def test_what_is_swept_or_ended_or_young_is_not_listed() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    at_ms = event_of("livekit", BEGUN).time_ms
    start = "2026-11-21T12:00:00.000Z"
    expected = UnfinishedCall("livekit", "room-1", start, "in_progress", at_ms)
    assert list(it.unfinished("org")) == [expected]
    it.now_ms = DAY_LATER
    assert list(it.unfinished("org")) == []
    it.now_ms = MUCH_LATER
    it.sweep()
    it.world.open_since["room-1"] = 1  # the index is behind
    assert list(it.unfinished("org")) == []


def test_a_call_that_was_erased_is_not_made_again() -> None:
    """The index is behind."""
    it = Sweeping()
    it.world.open_since["room-1"] = 1
    assert list(it.unfinished("org")) == []
    assert it.sweep() == COUNTS
    assert it.world.states == {}


def test_a_call_without_a_start_is_named() -> None:
    it = Sweeping()
    document = json.loads(BEGUN.body)
    document["room"] = {"sid": "room-1"}
    it.receive(BEGUN.__class__(json.dumps(document).encode(), BEGUN.at_ms))
    with logged() as lines:
        assert it.sweep() == {**COUNTS, "swept": 1, "unrecorded": 1}
    (line,) = [line for line in lines if line["level"] == "WARNING"]
    assert (line["org_id"], line["hook"]) == ("org", it.world.stored.key)
    assert it.world.facts == {}


@pytest.mark.parametrize(
    "place", ["hooks", "open_calls", "read", "write", "ingest"], ids=lambda place: f"in {place}"
)
@pytest.mark.parametrize("error", [Unavailable("busy"), CorruptItem("bad"), KeyError("secret")])
def test_an_error_does_not_stop_the_others(place: str, error: Exception) -> None:
    it, other = Sweeping(), Sweeping()
    for each in (it, other):
        each.receive(BEGUN)
    it.world.failing[place] = [error] * 9
    worlds = {"org": it, "org-2": other}

    def chosen(key: str) -> World:
        return next(each.world for each in worlds.values() if each.world.stored.key == key)

    class Both:
        def organisations(self) -> Iterator[Organisation]:
            for org_id in worlds:
                yield Organisation(org_id, org_id, "", 1)

        def hooks(self, org_id: str) -> Iterator[Any]:
            return worlds[org_id].hooks(org_id)

        def open_calls(self, org_id: str, key: str, before_ms: int) -> Iterator[str]:
            return worlds[org_id].world.open_calls(org_id, key, before_ms)

        def read(self, org_id: str, key: str, call_id: str) -> Any:
            return chosen(key).read(org_id, key, call_id)

        def write(self, org_id: str, key: str, *stored: Any) -> None:
            chosen(key).write(org_id, key, *stored)

        def __call__(self, hook: Any, *arguments: Any) -> Any:
            return chosen(hook.key).record(hook, *arguments)

    both: Any = Both()
    sweep = SweepHooks(both, both, both, both, lambda: MUCH_LATER, lambda _items: None)
    with logged() as lines, pytest.raises(SweepFailed, match="1 sweeps failed"):
        sweep()
    assert other.status() == ("failed", "error")
    assert "secret" not in json.dumps(lines)
    it.world.failing = {}
    assert sweep() == {**COUNTS, "swept": 1}
    assert it.status() == ("failed", "error")


def test_a_race_of_the_last_step_is_left_to_the_next_sweep() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    writes = it.world.write

    def raced(*stored: Any) -> None:
        if stored[-1] is None:
            it.world.write = writes  # type: ignore[method-assign]
            raise Conflict("an event was first")
        writes(*stored)

    it.world.write = raced  # type: ignore[method-assign]
    assert it.sweep()["swept"] == 1
    assert "room-1" in it.world.open_since
    assert it.sweep()["swept"] == 1
    assert (it.sweep(), it.world.open_since) == (COUNTS, {})
    assert it.status() == ("failed", "error")


def test_what_ingest_refuses_is_an_error() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    it.world.refusals = [Refusal(0, "started_at", "started_at has changed too often")]
    with pytest.raises(SweepFailed):
        it.sweep()


def test_an_invocation_is_bounded_and_the_next_one_resumes(monkeypatch: Any) -> None:
    it = Sweeping()
    for number in range(5):
        (begun, *_) = call_of("livekit", Random(4), f"room-{number}")
        it.receive(begun)
    monkeypatch.setattr(unfinished, "_MOST_CALLS", 2)
    assert [it.sweep()["swept"] for _ in range(4)] == [2, 2, 1, 0]


def test_without_time_nothing_begins() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    with time_limit(MAX_REQUEST_SECONDS + 4):
        assert it.sweep() == {**COUNTS, "waiting": 1}
    assert it.status() == ("in_progress", None)


def test_an_organisation_that_is_being_deleted_is_left_alone() -> None:
    it = Sweeping()
    it.receive(BEGUN)
    it.is_deleting = True
    assert it.sweep() == COUNTS
