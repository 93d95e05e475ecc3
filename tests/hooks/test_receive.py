"""A delivery is recorded, or kept, or refused; no failure loses it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from rollcall.api.http import json_response
from rollcall.dialects.rollcall.hooks import delivery_body
from rollcall.domain.errors import (
    BrokenDestination,
    Conflict,
    CorruptItem,
    Unavailable,
    UnknownOrganisation,
)
from rollcall.domain.hooks import SealedSecret
from rollcall.domain.validation import MAX_DETAIL_BYTES, MAX_SUMMARY_LENGTH
from rollcall.hooks.kept import kept_delivery
from rollcall.hooks.signatures import Unauthentic
from rollcall.ingest.ingest import Refusal
from rollcall.invocation import Metric, invocation
from rollcall.retry import MAX_REQUEST_SECONDS, seconds_left, time_limit
from rollcall_cli.hooks.signing import signed
from tests.support.hook_events import START_MS, call_of
from tests.support.hook_world import BODY, NOW_MS, World

CANARY = "canary-5f1c"


def test_a_delivery_is_recorded_and_counted() -> None:
    world = World()
    assert world.send().outcome == "recorded"
    assert world.facts["r-1"].record.status == "completed"
    assert world.facts["r-1"].updated_at_ms == NOW_MS
    assert world.counted == [("recorded", NOW_MS)]
    assert world.kept == {}


def test_a_repetition_writes_the_record_again_but_not_the_state() -> None:
    """The first may have failed between the two."""
    world = World()
    world.failing["ingest"] = [Unavailable("busy")]
    world.send()
    assert world.facts == {}
    version = world.states["r-1"][1]
    assert world.send().outcome == "recorded"
    assert world.states["r-1"][1] == version
    assert "r-1" in world.facts


@pytest.mark.parametrize("keeps_detail", [True, False])
def test_no_state_has_a_detail_where_details_are_dropped(keeps_detail: bool) -> None:
    world = World(keeps_detail=keeps_detail)
    body = json.loads(BODY)
    body["call"]["transcript"] = "Agent: never kept"
    assert world.send(json.dumps(body).encode()).outcome == "recorded"
    assert world.facts["r-1"].record.status == "completed"
    assert ("never kept" in world.states["r-1"][0]) is keeps_detail
    assert (world.facts["r-1"].detail is not None) is keeps_detail


def test_conflicts_are_retried() -> None:
    world = World()
    world.failing["write"] = [Conflict("first"), Unavailable("busy"), Conflict("second")]
    assert world.send().outcome == "recorded"


def test_lost_races_are_retried_while_there_is_time() -> None:
    world = World()
    world.failing["write"] = [Conflict("another delivery was first") for _ in range(30)]
    assert world.send().outcome == "recorded"


def test_retries_leave_time_to_keep_a_delivery() -> None:
    """Without an end to them, the invocation would time out, and the delivery be lost."""
    world = World()
    left: list[float] = []

    def busy(*_place: str) -> Any:
        left.append(seconds_left() + MAX_REQUEST_SECONDS)
        raise Unavailable("busy")

    world.read = busy  # type: ignore[method-assign]
    with time_limit(28):
        assert world.send().outcome == "waiting"
        assert seconds_left() + MAX_REQUEST_SECONDS > 12
    assert left[0] <= 12
    with time_limit(10):
        world.send()
    assert left[1] <= 10
    assert len(world.kept) == 1


@pytest.mark.parametrize("place", ["read", "write", "ingest"])
@pytest.mark.parametrize(
    "error",
    [Unavailable("busy"), CorruptItem("damaged"), UnknownOrganisation("org"), KeyError("a bug")],
)
def test_what_could_not_be_recorded_is_kept_and_can_be_replayed(
    place: str, error: Exception
) -> None:
    world = World()
    world.failing[place] = [error] * 9
    result = world.send()
    assert (result.outcome, result.reason) == ("waiting", "")
    ((name, kept),) = world.kept.items()
    assert name.startswith(f"hooks/waiting/{world.stored.key}/")
    assert world.counted == [(None, NOW_MS)]
    document = json.loads(kept)
    key, delivery, signed_at_ms = kept_delivery(document)
    assert (key, delivery.body, signed_at_ms) == (world.stored.key, BODY, NOW_MS)
    assert b"s3cret" not in kept
    world.failing = {}
    assert world.receive.redeliver(document) is None
    assert world.facts["r-1"].updated_at_ms == NOW_MS


def test_what_can_be_neither_recorded_nor_kept_is_an_error() -> None:
    world = World()
    world.failing = {"read": [Unavailable("busy")] * 9, "keep": [BrokenDestination("gone")]}
    with pytest.raises(BrokenDestination):
        world.send()


@pytest.mark.parametrize("error", [Unavailable("busy"), Conflict("gone"), KeyError("a bug")])
def test_a_count_that_fails_harms_nothing(error: Exception) -> None:
    world = World()
    world.failing["count"] = [error, error]
    assert world.send().outcome == "recorded"
    with pytest.raises(Unauthentic):
        world.receive("retell", world.id, BODY, {}, {})


def test_what_ingest_refuses_is_kept() -> None:
    world = World()
    world.refusals = [Refusal(0, "started_at", "started_at has changed too often")]
    result = world.send()
    assert result.outcome == "failed"
    assert result.reason == "started_at: started_at has changed too often"
    assert len(world.kept) == 1


def test_a_value_that_no_record_may_have_reaches_no_state() -> None:
    own = json.dumps({"fields": {"outcome": {"from": "/call/words"}}})
    world = World(own=own)
    body = BODY.replace(b'"r-1"', b'"r-1","words":"' + b"x" * 300 + b'"')
    result = world.send(body)
    assert result.outcome == "failed"
    assert result.reason == "outcome: must have at most 256 characters"
    assert world.states == {}
    assert world.send().outcome == "recorded"


def test_what_waits_for_another_field_is_checked_too() -> None:
    world = World(own=json.dumps({"fields": {"campaign_id": {"from": "/call/words"}}}))
    body = BODY.replace(b'"r-1"', b'"r-1","words":"' + b"x" * 300 + b'"')
    assert world.send(body).reason == "campaign_id: must have 1 to 128 characters"
    assert world.states == {}


def said(**parts: Any) -> bytes:
    """A delivery with parts of a detail, at the places where Retell has them."""
    document = json.loads(BODY)
    document["call"] |= parts
    return json.dumps(document).encode()


def test_what_was_said_is_recorded() -> None:
    world = World()
    world.send(
        said(
            transcript="Agent: Hello.\nUser: Hi.",
            call_analysis={"call_summary": "A greeting."},
            recording_url="https://a.example/r",
        )
    )
    assert json.loads(world.facts["r-1"].detail) == {
        "summary": "A greeting.",
        "transcript": [{"role": "Agent", "text": "Hello."}, {"role": "User", "text": "Hi."}],
        "recording_url": "https://a.example/r",
    }


@pytest.mark.parametrize(
    "parts",
    [
        {"transcript": f"User: {CANARY}" + "x" * MAX_DETAIL_BYTES},
        {"transcript": [CANARY]},
        {"transcript": "User: \ud800" + CANARY},
        {"call_analysis": {"call_summary": CANARY + "x" * MAX_SUMMARY_LENGTH}},
        {"call_analysis": {"call_summary": [CANARY]}},
        {"recording_url": f"https://{CANARY} x"},
    ],
)
def test_a_part_of_a_detail_that_no_record_may_have_is_left_out(parts: dict[str, Any]) -> None:
    """The call counts, and the next event of it is recorded too."""
    world = World()
    result = world.send(said(**parts))
    assert (result.outcome, result.reason) == ("recorded", "")
    assert world.facts["r-1"].detail is None
    assert CANARY not in repr(world.states)
    assert world.kept == {}


def test_without_keep_detail_no_state_has_what_was_said() -> None:
    world = World(keeps_detail=False)
    assert world.send(said(transcript=f"User: {CANARY}")).outcome == "recorded"
    assert world.facts["r-1"].detail is None
    assert CANARY not in repr(world.states)


def test_what_was_said_is_in_no_reason_and_no_error() -> None:
    world = World()
    result = world.send(said(transcript=[CANARY], duration_ms="soon"))
    assert result.outcome == "failed"
    (kept,) = world.kept.values()
    document = json.loads(kept)
    assert CANARY not in result.reason + document["reason"]
    assert CANARY not in str(world.receive.redeliver(document))


def test_an_end_without_a_start_waits() -> None:
    """Retell may give an unconnected call none before its analysis."""
    world = World()
    body = said(start_timestamp=None)
    result = world.send(body)
    assert (result.outcome, result.reason) == ("waiting", "")
    ((name, kept),) = world.kept.items()
    digest = sha256(body).hexdigest()[:32]
    assert name == f"hooks/waiting/{world.stored.key}/{digest}-{NOW_MS}.json"
    document = json.loads(kept)
    assert document["reason"] == "the call ended, and no event gave its start yet"
    assert world.receive.redeliver(document) == document["reason"]
    assert world.facts == {}
    assert world.send(said().replace(b"call_ended", b"call_analyzed")).outcome == "recorded"
    assert world.receive.redeliver(document) is None
    assert world.facts["r-1"].record.started_at_ms == START_MS


def test_what_began_without_a_start_does_not_wait() -> None:
    world = World()
    body = said(start_timestamp=None, call_status="ongoing").replace(b"call_ended", b"call_started")
    assert world.send(body).outcome == "recorded"
    assert (world.kept, world.facts) == ({}, {})


def test_deliveries_are_counted_by_outcome() -> None:
    world = World()
    with invocation("r") as metrics:
        world.send()
        world.send(b'{"event":"chat_started"}')
        world.send(BODY.replace(b'"r-1"', b'""'))
        world.send(said(start_timestamp=None, call_id="r-2"))
        for hook_id in (world.id, "hk_" + "0" * 32):
            with pytest.raises(Unauthentic):
                world.receive("retell", hook_id, BODY, {}, {})
    assert metrics == {
        Metric.DELIVERIES_RECORDED: 1,
        Metric.DELIVERIES_IGNORED: 1,
        Metric.DELIVERIES_FAILED: 1,
        Metric.DELIVERIES_WAITING: 1,
        Metric.DELIVERIES_REFUSED: 2,
    }
    names = ["recorded", "ignored", "failed", None]
    assert world.counted == [*((name, NOW_MS) for name in names), ("refused", None)]


def test_a_start_that_differs_moves_the_call() -> None:
    """In either order the greatest event holds, as for every field."""
    ended = said()
    analysed = said(start_timestamp=START_MS + 2_000).replace(b"call_ended", b"call_analyzed")
    starts = []
    for order in ([ended, analysed], [analysed, ended]):
        world = World()
        assert {world.send(body).outcome for body in order} == {"recorded"}
        starts.append(world.facts["r-1"].record.started_at_ms)
    assert starts == [START_MS + 2_000] * 2


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (rb'{"event":"\ud800"}', "ignored"),
        (BODY.replace(b'"r-1"', rb'"r-1","duration_ms":"\ud800"'), "failed"),
    ],
)
def test_a_reason_can_be_answered(body: bytes, outcome: str) -> None:
    world = World()
    result = world.send(body)
    assert result.outcome == outcome
    assert "?" in result.reason
    json_response(200, delivery_body(result.reason)).deliverable()
    for kept in world.kept.values():
        reason = world.receive.redeliver(json.loads(kept))
        assert reason is not None
        assert reason.encode()


def test_the_reason_of_a_long_value_can_be_answered() -> None:
    """A quotation mark grows with every encoding: such an answer would pass the greatest size."""
    own = {"fields": {"lead_id": {"from": "/call/words", "values": {"a": "b"}}}}
    world = World(own=json.dumps(own))
    words = json.dumps('"' * 2_000_000).encode()
    result = world.send(BODY.replace(b'"r-1"', b'"r-1","words":' + words))
    assert (result.outcome, len(result.reason)) == ("failed", 1_001)
    json_response(200, delivery_body(result.reason)).deliverable()


@pytest.mark.parametrize("depth", [100, 500, 600, 700, 900, 5_000, 100_000])
@pytest.mark.parametrize("place", [b'"r-1"', b'"call_ended"', b'"ended"', b'"user_hangup"'])
def test_a_nested_value_is_never_an_error(place: bytes, depth: int) -> None:
    world = World()
    result = world.send(BODY.replace(place, b"[" * depth + b"]" * depth))
    assert result.outcome in {"recorded", "ignored", "failed"}
    assert len(world.kept) == (result.outcome == "failed")
    for kept in world.kept.values():
        assert world.receive.redeliver(json.loads(kept)) == result.reason != ""


def test_an_event_of_the_future_is_kept() -> None:
    world = World()
    late = NOW_MS + 5 * 60_000
    assert world.send(at_ms=late).outcome == "recorded"
    world = World("vapi")
    message = {"type": "status-update", "status": "queued", "timestamp": NOW_MS + 300_001}
    body = json.dumps({"message": {**message, "call": {"id": "v", "createdAt": NOW_MS}}}).encode()
    headers = {"x-vapi-secret": ["s3cret"]}
    result = world.receive("vapi", world.id, body, headers, {})
    assert "in the future" in result.reason


@pytest.mark.parametrize("provider", ["vapi", "RETELL", ""])
def test_another_provider_is_not_authentic(provider: str) -> None:
    world = World()
    with pytest.raises(Unauthentic):
        world.receive(provider, world.id, BODY, {}, {})
    assert world.counted == []


def test_a_bad_signature_is_counted_without_a_time() -> None:
    world = World()
    with pytest.raises(Unauthentic):
        world.receive("retell", world.id, BODY, {}, {})
    assert world.counted == [("refused", None)]


def test_a_secret_that_ended_is_not_authentic() -> None:
    world = World()
    world.stored = replace(world.stored, secrets=(SealedSecret(b"s3cret", NOW_MS),))
    with pytest.raises(Unauthentic):
        world.send()


def test_twilio_gets_an_empty_answer() -> None:
    world = World("twilio")
    (sent, *_) = call_of("twilio", random.Random(1))
    url = f"{world.stored.address}/{world.id}"
    headers = signed("twilio", "s3cret", url, sent.body, NOW_MS)
    named = {name.lower(): [value] for name, value in headers.items()}
    result = world.receive("twilio", world.id, sent.body, named, {})
    assert (result.outcome, result.has_empty_answer) == ("recorded", True)


def test_a_replay_says_why_it_cannot_be() -> None:
    world = World()
    world.send(BODY.replace(b'"r-1"', b'""'))
    (kept,) = world.kept.values()
    document = json.loads(kept)
    assert world.receive.redeliver(document) == "id: is required"
    document["delivery"]["hook"] = "0" * 32
    assert world.receive.redeliver(document) == "the hook was deleted"
    for damaged in ({}, {"delivery": {}}, {"delivery": {**document["delivery"], "body": "é"}}):
        with pytest.raises(CorruptItem):
            world.receive.redeliver(damaged)
