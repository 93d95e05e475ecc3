"""What each event of each provider says of a call, and which say nothing."""

from __future__ import annotations

import json
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest

from rollcall.hooks.delivery import Delivery, Unmappable
from rollcall.hooks.events import Event, Ignored
from rollcall.hooks.maps import PROVIDERS
from tests.support.hook_events import START_MS, hook_map

NOW_MS = START_MS + 600_000
START = "2026-11-21T12:00:00.000Z"


def event(provider: str, body: Any, query: dict[str, list[str]] | None = None) -> Event:
    if provider == "twilio":
        content = urlencode(body).encode()
    else:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = Delivery("https://e.com/h", content, {}, query or {}, NOW_MS)
    return hook_map(provider).event(sent, NOW_MS if provider == "retell" else None)


def values(made: Event) -> dict[str, Any]:
    return {name: json.loads(value) for name, value in made.values.items()}


def vapi(type_: str, call: dict[str, Any] | None = None, **message: Any) -> dict[str, Any]:
    known = {"id": "v-1", "createdAt": START, "type": "inboundPhoneCall", "assistantId": "a-1"}
    head = {"type": type_, "timestamp": START_MS + 60_000}
    return {"message": {**head, **message, "call": {**known, **(call or {})}}}


def retell(name: str, **call: Any) -> dict[str, Any]:
    known = {"call_id": "r-1", "agent_id": "a-1", "start_timestamp": START_MS}
    return {"event": name, "call": {**known, **call}}


def elevenlabs(type_: str, **data: Any) -> dict[str, Any]:
    known = {"conversation_id": "e-1", "agent_id": "a-1"}
    return {"type": type_, "event_timestamp": START_MS // 1_000 + 60, "data": {**known, **data}}


def twilio(status: str, **fields: str) -> dict[str, str]:
    known = {"CallSid": "CA1", "Direction": "outbound-api", "SequenceNumber": "2"}
    stamp = {"Timestamp": "Sat, 21 Nov 2026 12:00:15 +0000"}
    return {**known, **stamp, "CallStatus": status, **fields}


def livekit(name: str, **more: Any) -> dict[str, Any]:
    room = {"sid": "RM_1", "creationTime": str(START_MS // 1_000), "creationTimeMs": str(START_MS)}
    return {"event": name, "room": room, "createdAt": str(START_MS // 1_000 + 95), **more}


def bland(**more: Any) -> dict[str, Any]:
    known = {"call_id": "b-1", "created_at": "2026-11-21T11:59:58Z", "started_at": START}
    return {**known, "completed": True, "error_message": None, "inbound": False, **more}


REPORT = {
    "endedReason": "customer-ended-call",
    "startedAt": "2026-11-21T12:00:04.000Z",
    "endedAt": "2026-11-21T12:01:34.500Z",
    "cost": 0.137,
    "analysis": {"successEvaluation": "true"},
}
SPOKEN = {
    "status": "done",
    "metadata": {
        "start_time_unix_secs": START_MS // 1_000,
        "call_duration_secs": 61,
        "cost": 412,
        "cost_fiat": 0.25,
        "phone_call": {"type": "twilio", "direction": "inbound"},
    },
    "analysis": {"call_successful": "success"},
    "tag_ids": ["vip"],
}
CASES: list[tuple[str, Any, int, dict[str, Any]]] = [
    ("vapi", vapi("status-update", status="queued"), 1, {"status": "queued", "answered": False}),
    ("vapi", vapi("status-update", status="ringing"), 2, {"status": "ringing"}),
    (
        "vapi",
        vapi("status-update", {"status": "queued"}, status="in-progress"),
        3,
        {"status": "in_progress", "started_at": START, "direction": "inbound"},
    ),
    (
        "vapi",
        vapi("status-update", status="ended", endedReason="customer-busy"),
        4,
        {"status": "busy", "disposition": "need_retry", "outcome": "customer-busy"},
    ),
    (
        "vapi",
        vapi("end-of-call-report", {"status": "in-progress"}, **REPORT),
        5,
        {
            "status": "completed",
            "disposition": "successful",
            "duration_seconds": 90.5,
            "cost": 0.137,
            "answered": True,
            "template_id": "a-1",
            "provider": "vapi",
        },
    ),
    (
        "vapi",
        vapi("end-of-call-report", **{**REPORT, "endedReason": "voicemail"}),
        5,
        {"status": "completed", "disposition": "voicemail_left", "answered": False},
    ),
    (
        "vapi",
        vapi("end-of-call-report", **REPORT, artifact={"transfers": [{}, {}]}),
        5,
        {"events.call_transferred": 2},
    ),
    ("retell", retell("call_started"), 3, {"status": "in_progress", "started_at": START}),
    ("retell", retell("transfer_bridged"), 3, {"events.call_transferred": 1}),
    (
        "retell",
        retell(
            "call_ended",
            call_status="ended",
            direction="outbound",
            duration_ms=61_500,
            disconnection_reason="user_hangup",
            call_cost={"combined_cost": 12.5},
        ),
        4,
        {
            "status": "completed",
            "disposition": "completed",
            "direction": "outbound",
            "duration_seconds": 61.5,
            "cost": 0.125,
            "ended_reason": "user_hangup",
        },
    ),
    (
        "retell",
        retell(
            "call_analyzed",
            call_status="ended",
            disconnection_reason="agent_hangup",
            call_analysis={"user_sentiment": "Positive", "call_successful": False},
        ),
        5,
        {"disposition": "unsuccessful", "sentiment": 0.9},
    ),
    (
        "retell",
        retell("call_ended", start_timestamp=None, end_timestamp=START_MS, call_status="error"),
        4,
        {"started_at": START, "status": "failed"},
    ),
    (
        "elevenlabs",
        elevenlabs("post_call_transcription", **SPOKEN),
        5,
        {
            "status": "completed",
            "disposition": "successful",
            "duration_seconds": 61,
            "cost": 0.25,
            "provider": "twilio",
            "labels": ["vip"],
            "started_at": START,
        },
    ),
    (
        "elevenlabs",
        elevenlabs("call_initiation_failure", failure_reason="no-answer"),
        4,
        {
            "status": "no_answer",
            "disposition": "unreachable",
            "started_at": "2026-11-21T12:01:00.000Z",
        },
    ),
    (
        "twilio",
        twilio("completed", CallDuration="15"),
        4,
        {
            "status": "completed",
            "started_at": START,
            "duration_seconds": 15,
            "direction": "outbound",
            "provider": "twilio",
        },
    ),
    (
        "twilio",
        twilio("no-answer", CallDuration="0"),
        4,
        {"status": "no_answer", "disposition": "unreachable"},
    ),
    (
        "twilio",
        twilio("completed", CallDuration="15", AnsweredBy="machine_start"),
        4,
        {"disposition": "voicemail_left", "answered": False},
    ),
    ("livekit", livekit("room_started"), 3, {"status": "in_progress", "started_at": START}),
    ("livekit", livekit("room_finished"), 4, {"status": "completed", "duration_seconds": 95}),
    (
        "livekit",
        livekit(
            "participant_joined",
            participant={"kind": "SIP", "attributes": {"sip.ruleID": "rule"}},
        ),
        3,
        {"direction": "inbound"},
    ),
    (
        "livekit",
        livekit("participant_joined", participant={"kind": "SIP"}),
        3,
        {"direction": "outbound"},
    ),
    (
        "livekit",
        livekit("participant_left", participant={"disconnectReason": "USER_REJECTED"}),
        5,
        {"status": "busy", "disposition": "need_retry"},
    ),
    (
        "livekit",
        livekit("agent_job_started", job={"agentName": "helper"}),
        3,
        {"template_id": "helper"},
    ),
    (
        "bland",
        bland(corrected_duration="45", call_length=0.9, price=0.068, transferred_to="+15550100"),
        5,
        {
            "status": "completed",
            "disposition": "completed",
            "duration_seconds": 45,
            "cost": 0.068,
            "direction": "outbound",
            "events.call_transferred": 1,
        },
    ),
    ("bland", bland(call_length=0.75), 5, {"duration_seconds": 45}),
    ("bland", bland(answered_by="voicemail"), 5, {"disposition": "voicemail_left"}),
    ("bland", bland(error_message="no route"), 5, {"status": "failed", "disposition": "error"}),
    (
        "generic",
        {"call": 5, "kind": "scored", "score": 80, "start": START, "at": START_MS},
        5,
        {"status": "completed", "sentiment": 0.8},
    ),
]


@pytest.mark.parametrize(("provider", "body", "rank", "expected"), CASES)
def test_what_an_event_says(provider, body, rank, expected):
    made = event(provider, body)
    assert made.rank == rank
    assert values(made) | expected == values(made)


def test_every_provider_has_cases():
    assert {case[0] for case in CASES} == set(PROVIDERS)


@pytest.mark.parametrize(
    ("provider", "body", "time_ms"),
    [
        ("vapi", vapi("status-update", status="queued"), START_MS + 60_000),
        ("retell", retell("call_started"), NOW_MS),
        ("elevenlabs", elevenlabs("post_call_transcription", **SPOKEN), START_MS + 60_000),
        ("twilio", twilio("ringing"), START_MS + 15_002),
        ("livekit", livekit("room_started"), START_MS + 95_000),
        ("bland", bland(end_at="2026-11-21T12:00:45Z"), START_MS + 45_000),
        ("bland", bland(), START_MS),
    ],
)
def test_the_time_of_an_event(provider, body, time_ms):
    assert event(provider, body).time_ms == time_ms


@pytest.mark.parametrize(
    ("sequence", "added_ms"), [("-1", 0), ("-" + "9" * 4_000, 0), ("9" * 4_000, 999)]
)
def test_a_sequence_stays_within_its_second(sequence, added_ms):
    known_ms = event("twilio", twilio("ringing", SequenceNumber="0")).time_ms
    made = event("twilio", twilio("ringing", SequenceNumber=sequence))
    assert made.time_ms == known_ms + added_ms


def test_twilio_knows_no_start_before_the_end():
    assert "started_at" not in event("twilio", twilio("ringing")).values


def test_twilio_takes_references_from_the_address():
    query = {"lead_id": ["7"], "campaign_id": ["c"], "space_token": ["s"]}
    made = event("twilio", twilio("completed", CallDuration="15"), query)
    assert values(made) | {"lead_id": "7", "campaign_id": "c", "space_token": "s"} == values(made)


IGNORED = [
    ("vapi", vapi("speech-update"), "the event speech-update is not used"),
    ("vapi", vapi("status-update", status="not-found"), "the event status-update is not used"),
    ("retell", {"event": "chat_started", "chat": {}}, "the event chat_started is not used"),
    ("elevenlabs", elevenlabs("post_call_audio", full_audio="AAAA"), "the event post_call_audio"),
    ("livekit", livekit("track_published"), "the event track_published is not used"),
    ("twilio", {"CallSid": "CA1", "CallStatus": "paused"}, "the event paused is not used"),
    ("vapi", {}, "the event without a name is not used"),
    ("retell", {"event": "x" * 500}, "x" * 64 + " is not used"),
]


@pytest.mark.parametrize(("provider", "body", "message"), IGNORED)
def test_what_says_nothing_of_a_call_is_ignored(provider, body, message):
    with pytest.raises(Ignored) as ignored:
        event(provider, body)
    assert message in str(ignored.value)


UNMAPPABLE = [
    ("retell", b"\xff", "not UTF-8"),
    ("retell", b"", "not JSON"),
    ("retell", b"[" * 100_000, "not JSON"),
    ("retell", b'{"a":NaN}', "not JSON"),
    ("retell", b'{"a":1' + b"0" * 5_000 + b"}", "not JSON"),
    ("retell", b"[]", "not a JSON object"),
    ("retell", {"event": "call_ended", "call": {}}, "id: is required"),
    ("retell", {"event": "call_ended", "call": None}, "id: is required"),
    ("retell", retell("call_ended", duration_ms="soon"), "duration_seconds"),
    ("retell", retell("call_ended", start_timestamp={"a": 1}), "started_at"),
    ("livekit", livekit("room_started", createdAt="soon"), "the time of the event"),
    ("vapi", vapi("end-of-call-report", **{**REPORT, "cost": "free"}), "cost"),
]


@pytest.mark.parametrize(("provider", "body", "message"), UNMAPPABLE)
def test_what_cannot_be_mapped_says_why(provider, body, message):
    with pytest.raises(Unmappable) as refused:
        event(provider, body)
    assert message in str(refused.value)


def test_numbers_as_texts_are_numbers():
    texts = retell("call_ended", start_timestamp=str(START_MS), duration_ms="61500")
    numbers = retell("call_ended", start_timestamp=START_MS, duration_ms=61_500)
    assert values(event("retell", texts)) == values(event("retell", numbers))


@pytest.mark.representatives(3)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_json_is_an_event_or_ignored_or_refused(provider):
    """Random documents with the names that the tables read: nothing else is ever raised."""
    random = Random(7)
    names = [
        "message", "type", "call", "event", "data", "id", "call_id", "status", "room", "sid",
        "createdAt", "started_at", "CallSid", "CallStatus", "Timestamp", "metadata", "kind",
    ]  # fmt: skip
    words = ["call_ended", "status-update", "ended", "room_finished", "completed", "x", ""]
    words += ["post_call_transcription", "\ud800", "9" * 30, "-1", "2026-11-21T12:00:00Z"]

    def made(depth: int) -> Any:
        kind = random.randrange(8 if depth < 4 else 5)
        if kind > 5:
            return {random.choice(names): made(depth + 1) for _ in range(random.randrange(5))}
        if kind == 5:
            return [made(depth + 1) for _ in range(random.randrange(3))]
        return random.choice([random.choice(words), 1e300, 10**30, -1, True, None])

    for _ in range(1_500):
        document = {random.choice(names): made(0) for _ in range(random.randrange(6))}
        if provider == "twilio":
            document = {k: str(v).replace("\ud800", "") for k, v in document.items()}
        try:
            event(provider, document)
        except (Ignored, Unmappable):
            continue
