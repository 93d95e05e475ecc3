"""What providers sign of a delivery: the bytes over which a signature is made.

`rollcall.hooks.signatures` checks signatures over them, and `rollcall hook test` makes some.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def sha256(secret: str, message: bytes) -> bytes:
    """The HMAC-SHA256 of a message with a secret as UTF-8."""
    return hmac.digest(secret.encode(), message, "sha256")


def timestamped(timestamp: str, body: bytes) -> bytes:
    """`{timestamp}.{body}`, which Vapi and ElevenLabs sign."""
    return timestamp.encode() + b"." + body


def retell(timestamp: str, body: bytes) -> bytes:
    """The body directly followed by the timestamp."""
    return body + timestamp.encode()


def standard(message_id: str, timestamp: str, body: bytes) -> bytes:
    """`{id}.{timestamp}.{body}` of Standard Webhooks (https://www.standardwebhooks.com)."""
    return f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body


def standard_key(secret: str) -> bytes:
    """The key in a secret of Standard Webhooks. Raises ValueError if it is not base64."""
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def twilio(url: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """The address with its query, then each distinct field of the form in order of its name."""
    form = "".join(name + value for name, value in sorted(set(fields)))
    return (url + form).encode("utf-8", "replace")


def body_digest(body: bytes) -> str:
    """The claim `sha256` of LiveKit's tokens."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
