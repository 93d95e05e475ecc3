"""What we accept, the vendors' own packages accept, and the other way round.

`make test-vendors` installs them into an environment of their own: together they have 120 MB.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from random import Random
from typing import Any

import pytest

from rollcall.hooks.delivery import Delivery
from rollcall.hooks.signatures import Unauthentic, authenticate
from rollcall_cli.hooks.signing import signed

BODIES = [
    b'{"event":"call_ended","call":{"call_id":"abc","note":"J\xc3\xbcrgen"}}',
    b'{"data": {"conversation_id": "c"},  "type":"post_call_transcription","event_timestamp":1}',
    b"{}",
]
URL = "https://api.example.com/live/v1/hooks/x/hk_1"


def vendors(name: str) -> Any:
    """A module of a provider. Without it the test is skipped, but by `make test-vendors` it fails."""
    if os.environ.get("ROLLCALL_REQUIRE_VENDORS") == "1":
        return importlib.import_module(name)
    return pytest.importorskip(name)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def ours(scheme: str, secret: str, headers: dict[str, str], body: bytes, at_ms: int) -> bool:
    named = {name.lower(): [value] for name, value in headers.items()}
    try:
        authenticate([scheme], Delivery(URL, body, named, {}, at_ms), [secret])
    except Unauthentic:
        return False
    return True


def altered(headers: dict[str, str], random: Random) -> dict[str, str]:
    """The headers with one character of one of them changed."""
    name = random.choice(list(headers))
    place = random.randrange(len(headers[name]))
    other = random.choice([c for c in "0123456789abcdef" if c != headers[name][place]])
    return {**headers, name: headers[name][:place] + other + headers[name][place + 1 :]}


@pytest.mark.parametrize("body", BODIES)
def test_retell(body):
    webhook = vendors("retell.lib.webhook_auth")
    secret, random = "key_retell", Random(1)

    def theirs(headers: dict[str, str]) -> bool:
        try:
            return bool(webhook.verify(body.decode(), secret, headers["X-Retell-Signature"]))
        except (ValueError, AttributeError, TypeError):
            return False

    at = now_ms()
    headers = signed("retell", secret, URL, body, at)
    assert theirs(headers)
    assert ours("retell", secret, headers, body, at)
    made = {"X-Retell-Signature": webhook.symmetric["sign"](body.decode(), secret)}
    assert ours("retell", secret, made, body, now_ms())
    for _ in range(100):
        changed = altered(headers, random)
        assert theirs(changed) is ours("retell", secret, changed, body, at) is False


@pytest.mark.parametrize("body", BODIES)
def test_elevenlabs(body):
    elevenlabs = vendors("elevenlabs")
    errors = vendors("elevenlabs.errors")
    secret, random = "wsec_test", Random(2)
    client: Any = elevenlabs.ElevenLabs(api_key="none")

    def theirs(headers: dict[str, str]) -> bool:
        try:
            client.webhooks.construct_event(body.decode(), headers["ElevenLabs-Signature"], secret)
        except (errors.BadRequestError, ValueError):
            return False
        return True

    at = now_ms()
    headers = signed("elevenlabs", secret, URL, body, at)
    assert theirs(headers)
    assert ours("elevenlabs", secret, headers, body, at)
    for _ in range(100):
        changed = altered(headers, random)
        assert theirs(changed) is ours("elevenlabs", secret, changed, body, at) is False


def test_twilio():
    validator = vendors("twilio.request_validator").RequestValidator("12345")
    random = Random(3)
    for _ in range(200):
        fields = {f"F{n}": str(random.randrange(10**6)) for n in range(random.randrange(1, 8))}
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        headers = signed("twilio", "12345", URL, body, 0)
        assert validator.validate(URL, fields, headers["X-Twilio-Signature"])
        assert headers["X-Twilio-Signature"] == validator.compute_signature(URL, fields)
        assert ours("twilio", "12345", headers, body, 0)
        changed = altered(headers, random)
        signature = changed["X-Twilio-Signature"]
        assert validator.validate(URL, fields, signature) is False
        assert ours("twilio", "12345", changed, body, 0) is False


@pytest.mark.parametrize("body", [b'{"event":"room_finished","id":"EV_1"}'])
def test_livekit(body):
    api = vendors("livekit.api")
    receiver = api.WebhookReceiver(api.TokenVerifier("key", "secret" * 8))
    random, secret = Random(4), f"key:{'secret' * 8}"

    def theirs(headers: dict[str, str]) -> bool:
        try:
            receiver.receive(body.decode(), headers["Authorization"])
        except Exception:  # noqa: BLE001 - the package raises many
            return False
        return True

    at = now_ms()
    headers = signed("livekit", secret, URL, body, at)
    assert theirs(headers)
    assert ours("livekit", secret, headers, body, at)
    for _ in range(100):
        changed = altered(headers, random)
        if theirs(changed) != ours("livekit", secret, changed, body, at):
            # The last character of a part has bits that decode to nothing.
            assert json.dumps(changed) != json.dumps(headers)
            assert changed["Authorization"][:-1] == headers["Authorization"][:-1]


@pytest.mark.parametrize("body", BODIES)
def test_standard_webhooks(body):
    standard = vendors("standardwebhooks")
    secret, random = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Random(5)
    webhook = standard.Webhook(secret)

    def theirs(headers: dict[str, str]) -> bool:
        try:
            webhook.verify(body, {name.lower(): value for name, value in headers.items()})
        except (standard.WebhookVerificationError, ValueError):
            return False
        return True

    at = now_ms()
    headers = signed("standard", secret, URL, body, at)
    assert theirs(headers)
    assert ours("standard", secret, headers, body, at)
    for _ in range(100):
        changed = altered(headers, random)
        assert ours("standard", secret, changed, body, at) is False
        if theirs(changed):  # the last digit of Base64 has bits that decode to nothing
            assert changed["Webhook-Signature"][:-2] == headers["Webhook-Signature"][:-2]
