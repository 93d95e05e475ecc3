"""Sign a sample as its provider would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import parse_qsl

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
        "X-Signature": _hmac(secret, timestamp.encode() + b"." + body).hex(),
    }


def _retell(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    digest = _hmac(secret, body + str(now_ms).encode()).hex()
    return {"X-Retell-Signature": f"v={now_ms},d={digest}"}


def _elevenlabs(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    seconds = str(now_ms // 1_000)
    digest = _hmac(secret, seconds.encode() + b"." + body).hex()
    return {"ElevenLabs-Signature": f"t={seconds},v0={digest}"}


def _standard(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    id_ = f"msg_{hashlib.sha256(body).hexdigest()[:20]}"
    timestamp = str(now_ms // 1_000)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, "sha256")
    return {
        "Webhook-Id": id_,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _bland(secret: str, _url: str, body: bytes, _now_ms: int) -> dict[str, str]:
    return {"X-Webhook-Signature": _hmac(secret, body).hex()}


def _twilio(secret: str, url: str, body: bytes, _now_ms: int) -> dict[str, str]:
    fields = sorted(set(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    text = url + "".join(name + value for name, value in fields)
    digest = hmac.digest(secret.encode(), text.encode(), "sha1")
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def _livekit(secret: str, _url: str, body: bytes, now_ms: int) -> dict[str, str]:
    key, _, api_secret = secret.partition(":")
    claims = {
        "iss": key,
        "nbf": now_ms // 1_000,
        "exp": now_ms // 1_000 + 300,
        "sha256": base64.b64encode(hashlib.sha256(body).digest()).decode(),
    }
    head = ".".join(map(_base64url, (_json({"alg": "HS256", "typ": "JWT"}), _json(claims))))
    return {"Authorization": f"{head}.{_base64url(_hmac(api_secret, head.encode()))}"}


_SIGNERS: dict[str, Signs] = {
    "bland": _bland,
    "elevenlabs": _elevenlabs,
    "livekit": _livekit,
    "retell": _retell,
    "standard": _standard,
    "timestamped-hex": _timestamped_hex,
    "twilio": _twilio,
}


def _hmac(secret: str, message: bytes) -> bytes:
    return hmac.digest(secret.encode(), message, "sha256")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
