"""Deliveries that wait are replayed: until they are recorded, or a person has to see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from rollcall.domain.errors import BrokenDestination, CorruptItem, Unavailable
from rollcall.hooks.kept import WAITING, kept_delivery
from rollcall.hooks.replay import WAITING_MS, ReplayDeliveries, ReplayFailed
from rollcall.invocation import Metric, invocation
from rollcall.retry import MAX_REQUEST_SECONDS, time_limit
from tests.support.emf import logged
from tests.support.hook_world import BODY, NOW_MS, World

COUNTS = {"recorded": 0, "ignored": 0, "failed": 0, "waiting": 0, "errors": 0}
WITHOUT_START = b'{"event":"call_ended","call":{"call_id":"r-2","call_status":"ended"}}'


class Kept:
    """The failure destination of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.names, self.keep, self.remove = world.names, world.keep, world.remove

    def read(self, name: str) -> Mapping[str, Any] | None:
        document: Mapping[str, Any] | None = self._world.read_kept(name)
        return document


class Waiting:
    """A hook with deliveries that wait, and their replay at a time."""

    def __init__(self, *bodies: bytes, error: Exception | None = None) -> None:
        self.world = World()
        self.now_ms = NOW_MS
        kept = Kept(self.world)
        self.replay = ReplayDeliveries(
            lambda: kept, self.world.receive, lambda: self.now_ms, lambda _names: None
        )
        for body in bodies:
            if error is not None:
                self.world.failing["ingest"] = [error]
            assert self.world.send(body).outcome == "waiting"
        self.world.counted.clear()


def call(number: int) -> bytes:
    return BODY.replace(b"r-1", b"r-%d" % number)


def test_what_waited_for_the_store_is_recorded() -> None:
    it = Waiting(call(1), call(2), error=Unavailable("busy"))
    assert len(it.world.kept) == 2
    with invocation("r") as metrics:
        assert it.replay() == {**COUNTS, "recorded": 2}
    assert metrics == {Metric.DELIVERIES_RECORDED: 2}
    assert (sorted(it.world.facts), it.world.kept) == (["r-1", "r-2"], {})
    assert it.world.counted == [("recorded", None)] * 2
    assert it.replay() == COUNTS


def test_one_that_was_just_kept_is_replayed_alone() -> None:
    it = Waiting(call(1), call(2), error=Unavailable("busy"))
    name, other = it.world.kept
    it.world.failing["ingest"] = [Unavailable("busy")]
    assert it.replay.one(name) == {**COUNTS, "waiting": 1}
    assert set(it.world.kept) == {name, other}
    assert it.replay.one(name) == {**COUNTS, "recorded": 1}
    assert set(it.world.kept) == {other}
    assert it.replay.one(name) == COUNTS


def test_an_object_that_does_not_wait_is_not_replayed() -> None:
    it = Waiting()
    assert it.world.send(BODY.replace(b'"r-1"', b'""')).outcome == "failed"
    (name,) = it.world.kept
    assert it.replay.one(name) == COUNTS
    assert set(it.world.kept) == {name}


def test_what_cannot_be_mapped_is_left_alone() -> None:
    it = Waiting()
    assert it.world.send(BODY.replace(b'"r-1"', b'""')).outcome == "failed"
    before = dict(it.world.kept)
    assert it.replay() == COUNTS
    assert it.world.kept == before


def test_an_end_waits_for_the_event_that_has_its_start() -> None:
    it = Waiting(WITHOUT_START)
    assert it.replay() == {**COUNTS, "waiting": 1}
    assert len(it.world.kept) == 1
    it.world.send(call(2).replace(b"call_ended", b"call_analyzed"))
    assert it.replay() == {**COUNTS, "recorded": 1}
    assert it.world.kept == {}
    assert it.world.facts["r-2"].record.status == "completed"


@pytest.mark.parametrize(
    ("body", "error", "reason"),
    [
        (WITHOUT_START, None, "the call ended, and no event gave its start yet"),
        (call(1), KeyError("a bug"), "KeyError: not recorded yet"),
        (call(1), CorruptItem("damaged"), "CorruptItem: not recorded yet"),
    ],
)
def test_what_waited_for_a_day_fails(body: bytes, error: Any, reason: str) -> None:
    it = Waiting(body, error=error)
    (waiting,) = it.world.kept
    for now_ms, is_failed in ((NOW_MS + WAITING_MS, False), (NOW_MS + WAITING_MS + 1, True)):
        it.now_ms = now_ms
        it.world.failing["ingest"] = [error] * bool(error)
        if error and not is_failed:
            with pytest.raises(ReplayFailed):
                it.replay()
        else:
            assert it.replay()["failed"] == is_failed
        assert (waiting in it.world.kept) is not is_failed
    ((name, kept),) = it.world.kept.items()
    assert not name.startswith(WAITING)
    document = json.loads(kept)
    assert document["reason"] == reason
    assert kept_delivery(document)[1].body == body
    assert it.world.counted == [("failed", None)]
    assert it.replay() == COUNTS


def test_a_store_that_is_away_for_days_loses_nothing() -> None:
    it = Waiting(*map(call, range(5)), error=Unavailable("busy"))
    it.now_ms += 9 * WAITING_MS
    it.world.failing["ingest"] = [Unavailable("busy")] * 9
    with pytest.raises(ReplayFailed, match="3 of 5"):
        it.replay()
    assert len(it.world.failing["ingest"]) == 6  # it stops after three
    assert len(it.world.kept) == 5
    it.world.failing = {}
    assert it.replay() == {**COUNTS, "recorded": 5}


def test_an_error_does_not_stop_the_others() -> None:
    it = Waiting(*map(call, range(5)), error=Unavailable("busy"))
    it.world.failing["ingest"] = [KeyError("secret")]
    it.world.failing["read_kept"] = [CorruptItem("not JSON")]
    with logged() as lines, pytest.raises(ReplayFailed, match="2 of 5"):
        it.replay()
    assert sorted(it.world.facts) == ["r-2", "r-3", "r-4"]
    assert sorted(name for line in lines if (name := line.get("object"))) == sorted(it.world.kept)
    assert "secret" not in json.dumps(lines)


def test_a_hook_that_was_deleted_is_for_a_person() -> None:
    it = Waiting(call(1), error=Unavailable("busy"))
    it.world.stored = World().stored
    assert it.replay() == {**COUNTS, "failed": 1}
    (kept,) = it.world.kept.values()
    assert json.loads(kept)["reason"] == "the hook was deleted"
    assert it.world.counted == []


def test_nothing_is_removed_before_it_is_recorded_or_kept() -> None:
    """At every step that can fail, the delivery is still in the destination."""
    it = Waiting(call(1), error=Unavailable("busy"))
    for place in ("names", "read_kept", "remove"):
        it.world.failing[place] = [BrokenDestination("gone")]
        with pytest.raises(BrokenDestination):
            it.replay()
        assert len(it.world.kept) == 1
    assert it.replay() == {**COUNTS, "recorded": 1}
    late = Waiting(WITHOUT_START)
    late.now_ms += 2 * WAITING_MS
    late.world.failing["keep"] = [BrokenDestination("full")]
    with pytest.raises(BrokenDestination):
        late.replay()
    (name,) = late.world.kept
    assert name.startswith(WAITING)


def test_two_at_once_record_a_delivery_once() -> None:
    it = Waiting(call(1), error=Unavailable("busy"))
    names = it.world.names
    kept = dict(it.world.kept)

    def raced(prefix: str) -> Any:
        yield from names(prefix)
        it.world.names = names  # type: ignore[method-assign]
        assert it.replay() == {**COUNTS, "recorded": 1}

    inner = Kept(it.world)
    outer = Kept(it.world)
    outer.names = raced
    replay = ReplayDeliveries(lambda: outer, it.world.receive, lambda: NOW_MS, lambda _names: None)
    assert replay() == COUNTS  # the other one was first
    before = dict(it.world.states)
    it.world.kept.update(kept)  # or both had read it
    assert ReplayDeliveries(lambda: inner, it.world.receive, lambda: NOW_MS)()["recorded"] == 1
    assert it.world.states == before


def test_a_repetition_is_kept_beside_the_first() -> None:
    it = Waiting(call(1), call(1), error=Unavailable("busy"))
    assert len(it.world.kept) == 1  # both came in the same millisecond
    it.world.failing["ingest"] = [Unavailable("busy")]
    ticks = it.world.receive._now_ms
    it.world.receive._now_ms = lambda: NOW_MS + 1
    it.world.send(call(1))
    it.world.receive._now_ms = ticks
    assert len(it.world.kept) == 2
    assert it.replay() == {**COUNTS, "recorded": 2}


def test_without_time_nothing_begins() -> None:
    it = Waiting(call(1), call(2), error=Unavailable("busy"))
    with time_limit(MAX_REQUEST_SECONDS + 11):
        assert it.replay() == {**COUNTS, "waiting": 2}
    assert len(it.world.kept) == 2
