"""Calls as seven providers report them, made from a seed: bodies in the order of their events."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlencode

from rollcall.hooks.delivery import Delivery
from rollcall.hooks.events import Event, HookMap
from rollcall.hooks.maps import hook_table, schemes_of
from rollcall.hooks.signatures import authenticate
from rollcall_cli.hooks.signing import signed

START_MS = 1_795_262_400_000
SECRETS = {
    "vapi": "vapi-secret",
    "retell": "key_retell",
    "elevenlabs": "wsec_test",
    "twilio": "12345",
    "livekit": "APIkey:livekit-secret",
    "bland": "bland-secret",
    "generic": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
GENERIC: dict[str, Any] = {
    "name": "/kind",
    "time": ["/at"],
    "events": [
        {"rank": 1, "when": {"/kind": "created"}},
        {"rank": 3, "when": {"/kind": "talking"}},
        {"rank": 4, "when": {"/kind": "done"}},
        {"rank": 5, "when": {"/kind": "scored"}},
    ],
    "fields": {
        "id": {"from": "/call"},
        "started_at": {"from": "/start"},
        "status": {
            "from": "/kind",
            "values": {"created": "queued", "talking": "in_progress", "*": "completed"},
        },
        "duration_seconds": {"from": "/length"},
        "sentiment": {"from": "/score", "unit": "percent"},
    },
}
OWN: dict[str, dict[str, Any]] = {"generic": GENERIC}


@dataclass(frozen=True, slots=True)
class Sent:
    """A body, and when it is sent."""

    body: bytes
    at_ms: int


def hook_map(provider: str, own: Mapping[str, Any] | None = None) -> HookMap:
    """The map of a hook."""
    return HookMap(hook_table(provider, own or OWN.get(provider, {})))


def delivery_of(
    provider: str, sent: Sent, query: Mapping[str, Sequence[str]] | None = None
) -> Delivery:
    """A signed delivery."""
    url = f"https://api.example.com/live/v1/hooks/{provider}/hk_1"
    full = url + (f"?{urlencode(query, doseq=True)}" if query else "")
    scheme = schemes_of(provider)[0]
    headers = signed(scheme, SECRETS[provider], full, sent.body, sent.at_ms)
    named = {name.lower(): [value] for name, value in headers.items()}
    return Delivery(url, sent.body, named, query or {}, sent.at_ms)


def event_of(provider: str, sent: Sent) -> Event:
    """The event of a body, through its signature."""
    delivery = delivery_of(provider, sent)
    schemes = schemes_of(provider)
    return _MAPS[provider].event(delivery, authenticate(schemes, delivery, [SECRETS[provider]]))


def call_of(provider: str, random: Random, call_id: str = "call-1", most: int = 5) -> list[Sent]:
    """The deliveries of one call in the order of its events: between 2 and `most`, distinct."""
    bodies = _CALLS[provider](random, call_id)
    while len(bodies) > most:
        del bodies[random.randrange(len(bodies))]
    return bodies


def _iso(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1_000, dt.UTC).isoformat(timespec="milliseconds")


def _sent(at_ms: int, document: Any) -> Sent:
    return Sent(json.dumps(document).encode(), at_ms)


def _words(random: Random) -> str:
    return f"A talk about {random.randrange(10**6)} things."


def _lines(random: Random) -> str:
    return f"Agent: Hello.\nUser: {_words(random)}"


def _vapi(random: Random, call_id: str) -> list[Sent]:
    at, length = START_MS, random.randrange(5, 900) * 1_000
    call = {
        "id": call_id,
        "createdAt": _iso(START_MS),
        "type": random.choice(["inboundPhoneCall", "outboundPhoneCall", "webCall"]),
        "assistantId": "assistant-7",
        "phoneCallProvider": "twilio",
    }
    reason = random.choice(
        ["customer-ended-call", "customer-busy", "voicemail", "pipeline-error-x", "new-reason"]
    )
    steps: list[dict[str, Any]] = [
        {"type": "status-update", "status": status}
        for status in ("queued", "ringing", "in-progress")
    ]
    if random.random() < 0.3:
        steps.append({"type": "transfer-update", "destination": {"type": "number"}})
    times = {"startedAt": _iso(START_MS + 4_000), "endedAt": _iso(START_MS + 4_000 + length)}
    steps.append({"type": "status-update", "status": "ended", "endedReason": reason})
    steps.append(
        {
            "type": "end-of-call-report",
            "endedReason": reason,
            "cost": random.randrange(1_000) / 1_000,
            "analysis": {
                "successEvaluation": random.choice(["true", "false", "8"]),
                "summary": _words(random),
            },
            "artifact": {
                "transfers": [{}] * random.randrange(3),
                "transcript": _lines(random),
                "recordingUrl": f"https://storage.example.com/{random.randrange(99)}.wav",
            },
            **(times if random.random() < 0.8 else {}),
        }
    )
    bodies = []
    for step in steps:
        at += random.choice([0, 1, 1_500])
        call_now = {**call, "status": step.get("status", "in-progress")}
        bodies.append(_sent(at, {"message": {**step, "timestamp": at, "call": call_now}}))
    return bodies


def _retell(random: Random, call_id: str) -> list[Sent]:
    length = random.randrange(5, 900) * 1_000
    call: dict[str, Any] = {
        "call_id": call_id,
        "agent_id": "agent-3",
        "call_type": "phone_call",
        "direction": random.choice(["inbound", "outbound"]),
        "start_timestamp": START_MS,
        "call_status": "ongoing",
    }
    ended = {
        **call,
        "call_status": "ended",
        "end_timestamp": START_MS + length,
        "duration_ms": length,
        "disconnection_reason": random.choice(
            ["user_hangup", "voicemail_reached", "dial_busy", "call_transfer", "error_llm", "new"]
        ),
        "call_cost": {"combined_cost": random.randrange(9_999) / 100},
        "transcript": _lines(random),
    }
    analysis = {
        "user_sentiment": random.choice(["Negative", "Neutral", "Positive", "Unknown"]),
        "call_successful": random.choice([True, False]),
        "in_voicemail": random.random() < 0.1,
        "call_summary": _words(random),
    }
    recording = f"https://storage.example.com/{random.randrange(99)}.wav"
    analysed = {**ended, "call_analysis": analysis, "recording_url": recording}
    if random.random() < 0.5:
        analysed["transcript"] = _lines(random)
    steps = [("call_started", call)]
    if random.random() < 0.5:
        steps += [("transfer_started", call), ("transfer_bridged", call)]
    steps += [("call_ended", ended), ("call_analyzed", analysed)]
    if random.random() < 0.3:
        steps.append(("call_analyzed", {**analysed, "call_analysis": {"call_successful": True}}))
    return [
        _sent(START_MS + number * random.choice([0, 700]), {"event": name, "call": content})
        for number, (name, content) in enumerate(steps)
    ]


def _elevenlabs(random: Random, call_id: str) -> list[Sent]:
    seconds = START_MS // 1_000
    if random.random() < 0.2:
        data: dict[str, Any] = {
            "conversation_id": call_id,
            "agent_id": "agent-5",
            "failure_reason": random.choice(["busy", "no-answer", "unknown"]),
        }
        failure = {"type": "call_initiation_failure", "event_timestamp": seconds, "data": data}
        return [_sent(START_MS, failure), _sent(START_MS, {**failure, "attempt": 2})]
    bodies = []
    for version in range(2):
        data = {
            "conversation_id": call_id,
            "agent_id": "agent-5",
            "status": random.choice(["done", "failed"]),
            "metadata": {
                "start_time_unix_secs": seconds,
                "call_duration_secs": random.randrange(900),
                "cost": 412,
                "cost_fiat": random.choice([None, 0.25]),
                "phone_call": random.choice([None, {"type": "twilio", "direction": "inbound"}]),
            },
            "analysis": {
                "call_successful": random.choice(["success", "failure", "unknown"]),
                "transcript_summary": random.choice([None, _words(random)]),
            },
            "transcript": [
                {"role": role, "message": _words(random), "time_in_call_secs": number}
                for number, role in enumerate(("agent", "user"))
            ],
        }
        stamp = random.choice([seconds + 60 + version, str(seconds + 60)])
        bodies.append(
            _sent(
                START_MS + 61_000,
                {"type": "post_call_transcription", "event_timestamp": stamp, "data": data},
            )
        )
    return bodies


def _twilio(random: Random, call_id: str) -> list[Sent]:
    end = random.choice(["completed", "busy", "failed", "no-answer", "canceled"])
    length = random.randrange(1, 600) if end == "completed" else 0
    direction = random.choice(["inbound", "outbound-api", "outbound-dial"])
    bodies, at = [], START_MS
    for number, status in enumerate(("initiated", "ringing", "in-progress", end)):
        at += random.choice([0, 2_000]) if status != end else length * 1_000
        moment = dt.datetime.fromtimestamp(at / 1_000, dt.UTC)
        fields = {
            "CallSid": call_id,
            "AccountSid": "AC0",
            "From": "+15550100",
            "To": "+15550101",
            "Direction": direction,
            "CallStatus": status,
            "SequenceNumber": str(number),
            "Timestamp": moment.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            "CallbackSource": "call-progress-events",
        }
        if status == end:
            fields |= {"CallDuration": str(length), "SipResponseCode": "200"}
        bodies.append(Sent(urlencode(fields).encode(), at))
    return bodies


def _livekit(random: Random, call_id: str) -> list[Sent]:
    room = {
        "sid": call_id,
        "name": "support",
        "creationTime": str(START_MS // 1_000),
        "creationTimeMs": str(START_MS),
    }
    caller = {
        "sid": "PA_1",
        "identity": "sip_1",
        "kind": "SIP",
        "attributes": random.choice([{}, {"sip.ruleID": "rule-1"}]),
    }
    reason = random.choice(["CLIENT_INITIATED", "USER_REJECTED", "USER_UNAVAILABLE"])
    steps: list[tuple[str, dict[str, Any]]] = [
        ("room_started", {}),
        ("participant_joined", {"participant": caller}),
        ("agent_job_started", {"job": {"id": "AJ_1", "agentName": "support-agent"}}),
        ("participant_left", {"participant": {**caller, "disconnectReason": reason}}),
        ("room_finished", {}),
    ]
    bodies, at = [], START_MS
    for number, (name, content) in enumerate(steps):
        at += random.choice([0, 1_000, 60_000])
        document = {
            "event": name,
            "room": room,
            **content,
            "id": f"EV_{call_id}_{number}",
            "createdAt": str(at // 1_000),
        }
        bodies.append(_sent(at, document))
    return bodies


def _bland(random: Random, call_id: str) -> list[Sent]:
    return [
        _sent(
            START_MS + 90_000,
            {
                "call_id": call_id,
                "c_id": call_id,
                "created_at": _iso(START_MS - 2_000),
                "started_at": _iso(START_MS),
                "end_at": _iso(START_MS + random.choice([60_000, 61_000])),
                "completed": True,
                "error_message": random.choice([None, None, "carrier error"]),
                "answered_by": random.choice(["human", "voicemail", "no-answer", "busy"]),
                "inbound": random.choice([True, False]),
                "corrected_duration": str(random.randrange(600)),
                "price": random.randrange(999) / 1_000,
                "summary": _words(random),
                "concatenated_transcript": _lines(random),
                "recording_url": f"https://storage.example.com/{random.randrange(99)}.mp3",
            },
        )
        for _ in range(2)
    ]


def _generic(random: Random, call_id: str) -> list[Sent]:
    head = {"call": call_id, "start": START_MS}
    length, score = random.randrange(600), random.randrange(100)
    steps: list[dict[str, Any]] = [
        {"kind": "created"},
        {"kind": "talking"},
        {"kind": "done", "length": length},
        {"kind": "scored", "score": score},
    ]
    return [
        _sent(START_MS + n * 500, {**head, **step, "at": START_MS + random.choice([0, n * 500])})
        for n, step in enumerate(steps)
    ]


_CALLS: dict[str, Callable[[Random, str], list[Sent]]] = {
    "vapi": _vapi,
    "retell": _retell,
    "elevenlabs": _elevenlabs,
    "twilio": _twilio,
    "livekit": _livekit,
    "bland": _bland,
    "generic": _generic,
}
_MAPS = {provider: hook_map(provider) for provider in _CALLS}
