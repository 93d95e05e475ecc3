"""Sign a sample as its provider would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

from rollcall.hooks import signed_messages as messages

Signs: TypeAlias = Callable[[str, str, bytes, int], dict[str, str]]


def signed(scheme: str, secret: str, url: str, body: bytes, now_ms: int) -> dict[str, str]:
    """The headers that sign a body for an address, by a scheme of `rollcall.hooks.signatures`."""
    name, _, header = scheme.partition(":")
    if name == "header":
        return {header: secret}
    return _SIGNERS[scheme](secret, url, body, now_ms)


def _timestamped_hex(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    timestamp = str(now_ms // 1_000)
    return {
        "X-Timestamp": timestamp,
        "X-Signature": messages.sha256(secret, messages.timestamped(timestamp, body)).hex(),
    }


def _retell(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    digest = messages.sha256(secret, messages.retell(str(now_ms), body)).hex()
    return {"X-Retell-Signature": f"v={now_ms},d={digest}"}


def _elevenlabs(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    seconds = str(now_ms // 1_000)
    digest = messages.sha256(secret, messages.timestamped(seconds, body)).hex()
    return {"ElevenLabs-Signature": f"t={seconds},v0={digest}"}


def _standard(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    id_ = f"msg_{hashlib.sha256(body).hexdigest()[:20]}"
    timestamp = str(now_ms // 1_000)
    key = messages.standard_key(secret)
    digest = hmac.digest(key, messages.standard(id_, timestamp, body), "sha256")
    return {
        "Webhook-Id": id_,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _bland(secret: str, _url: str, body: bytes, _now_ms: int) -> dict[str, str]:
    return {"X-Webhook-Signature": messages.sha256(secret, body).hex()}


def _twilio(secret: str, url: str, body: bytes, _now_ms: int) -> dict[str, str]:
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    digest = hmac.digest(secret.encode(), messages.twilio(url, fields), "sha1")
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def _livekit(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    key, _, api_secret = secret.partition(":")
    claims = {
        "iss": key,
        "nbf": now_ms // 1_000,
        "exp": now_ms // 1_000 + 300,
        "sha256": messages.body_digest(body),
    }
    head = ".".join(map(_base64url, (_json({"alg": "HS256", "typ": "JWT"}), _json(claims))))
    return {"Authorization": f"{head}.{_base64url(messages.sha256(api_secret, head.encode()))}"}


_SIGNERS: dict[str, Signs] = {
    "bland": _bland,
    "elevenlabs": _elevenlabs,
    "livekit": _livekit,
    "retell": _retell,
    "standard": _standard,
    "timestamped-hex": _timestamped_hex,
    "twilio": _twilio,
}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
