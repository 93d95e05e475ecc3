"""Check that a delivery was signed with a hook's secret: over the bytes that were sent, before parsing.

A scheme is a function of a delivery and one secret. It returns when the delivery was signed, in
milliseconds since 1970 UTC, or None where the scheme does not say; it raises Unauthentic, without a
reason, for everything else. Values are compared in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeGuard
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from rollcall.hooks import signed_messages as messages
from rollcall.hooks.delivery import Delivery

Check: TypeAlias = Callable[[Delivery, str], int | None]

_MINUTE_MS = 60_000
# What RFC 3986 lets a value of a query have unencoded, beside letters, digits and `-._~`.
_PLAIN_IN_QUERIES = "!$'()*,;:@/?"
_DEFAULT_PORTS = {"https": 443, "http": 80}
# Seconds until the year 5138, milliseconds from 1973 on.
_LEAST_MILLISECONDS = 10**11
_MOST_SECONDS = 10**11


class Unauthentic(Exception):
    """A delivery is not signed with a secret of its hook, or was signed too long ago."""


def authenticate(schemes: Sequence[str], delivery: Delivery, secrets: Sequence[str]) -> int | None:
    """When the delivery was signed, by any of the schemes and any of the secrets.

    A scheme is the name of one in SCHEMES, or `header:NAME` for the secret itself in that header.
    Raises Unauthentic.
    """
    for scheme in schemes:
        for secret in secrets:
            try:
                return _check_of(scheme)(delivery, secret)
            except Unauthentic:
                continue
    raise Unauthentic


def _check_of(scheme: str) -> Check:
    name, _, header = scheme.partition(":")
    if name == "header":
        return lambda delivery, secret: _header(delivery, secret, header)
    return SCHEMES[scheme]


def is_scheme(scheme: str) -> bool:
    """Whether `authenticate` knows a scheme."""
    return scheme in SCHEMES or re.fullmatch(r"header:[A-Za-z0-9-]+", scheme) is not None


# --------------------------------------------------------------------------------- schemes
def _header(delivery: Delivery, secret: str, name: str) -> None:
    value = delivery.header(name)
    if name.lower() == "authorization":
        value = re.sub(r"^bearer +", "", value, flags=re.IGNORECASE)
    _require_equal(value, secret)


def _timestamped_hex(delivery: Delivery, secret: str) -> int:
    """Vapi's HMAC credential with its defaults and SHA-256: `{timestamp}.{body}`."""
    timestamp = delivery.header("x-timestamp")
    signed_at_ms = _instant_ms(timestamp)
    expected = messages.sha256(secret, messages.timestamped(timestamp, delivery.body)).hex()
    _require_equal(delivery.header("x-signature").removeprefix("sha256="), expected)
    return _within(delivery, signed_at_ms, 5 * _MINUTE_MS)


def _retell(delivery: Delivery, secret: str) -> int:
    match = re.fullmatch(r"v=([0-9]{1,15}),d=([0-9a-f]{64})", delivery.header("x-retell-signature"))
    if match is None:
        raise Unauthentic
    expected = messages.sha256(secret, messages.retell(match[1], delivery.body)).hex()
    _require_equal(match[2], expected)
    return _within(delivery, int(match[1]), 5 * _MINUTE_MS)


def _elevenlabs(delivery: Delivery, secret: str) -> int:
    parts = [part.strip() for part in delivery.header("elevenlabs-signature").split(",")]
    times = [part[2:] for part in parts if part.startswith("t=")]
    signatures = [part[3:] for part in parts if part.startswith("v0=")]
    if len(times) != 1 or not signatures:
        raise Unauthentic
    signed_at_ms = _instant_ms(times[0])
    expected = messages.sha256(secret, messages.timestamped(times[0], delivery.body)).hex()
    _require_any(signatures, expected)
    return _within(delivery, signed_at_ms, 30 * _MINUTE_MS)


def _standard(delivery: Delivery, secret: str) -> int:
    """Standard Webhooks (https://www.standardwebhooks.com)."""
    timestamp = delivery.header("webhook-timestamp")
    signed_at_ms = _instant_ms(timestamp)
    try:
        key = messages.standard_key(secret)
    except ValueError:
        raise Unauthentic from None
    if not key:  # of which anyone can make signatures
        raise Unauthentic
    message = messages.standard(delivery.header("webhook-id"), timestamp, delivery.body)
    expected = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
    given = delivery.header("webhook-signature").split()
    _require_any([each[3:] for each in given if each.startswith("v1,")], expected)
    return _within(delivery, signed_at_ms, 5 * _MINUTE_MS)


def _bland(delivery: Delivery, secret: str) -> None:
    """Over the body, or over its compact form: the vendor's own sample serialises it again."""
    given = delivery.header("x-webhook-signature")
    try:
        _require_equal(given, messages.sha256(secret, delivery.body).hex())
    except Unauthentic:
        _require_equal(given, messages.sha256(secret, _compact(delivery.body)).hex())


def _compact(body: bytes) -> bytes:
    try:
        value = json.loads(body)
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Unauthentic from None


def _twilio(delivery: Delivery, secret: str) -> None:
    """Over the address with its query and the form; over the address alone where it names a digest."""
    given = delivery.header("x-twilio-signature")
    digests = delivery.query.get("bodySHA256", ())
    fields: list[tuple[str, str]] = []
    if digests:
        _require_equal(digests[-1], hashlib.sha256(delivery.body).hexdigest())
    else:
        fields = _form(delivery)
    for url in _addresses(delivery):
        expected = hmac.digest(secret.encode(), messages.twilio(url, fields), "sha1")
        if hmac.compare_digest(_bytes(given), base64.b64encode(expected)):
            return
    raise Unauthentic


def _form(delivery: Delivery) -> list[tuple[str, str]]:
    try:
        return delivery.form()
    except ValueError:
        raise Unauthentic from None


def _addresses(delivery: Delivery) -> Iterator[str]:
    """The addresses that may have been signed: with and without the port, the query as it was written.

    The gateway hands over the query decoded, so that spaces may have been `%20` or `+`, and what a
    query may hold as it is, such as `@`, may have been encoded or not.
    """
    pairs = [(name, value) for name, values in delivery.query.items() for value in values]
    queries = {""} if not pairs else set()
    for order in (pairs, sorted(pairs)) if pairs else ():
        queries |= {
            "?" + urlencode(order, safe=safe, errors="replace", quote_via=encode)
            for encode in (quote, quote_plus)
            for safe in ("", _PLAIN_IN_QUERIES)
        }
    split = urlsplit(delivery.url)
    bare = split._replace(netloc=split.hostname or "")
    ported = split._replace(netloc=f"{split.hostname}:{_DEFAULT_PORTS.get(split.scheme, 443)}")
    bases = {split.geturl()}
    if split.port in (None, _DEFAULT_PORTS.get(split.scheme)):
        bases |= {bare.geturl(), ported.geturl()}
    yield from (base + query for base in sorted(bases) for query in sorted(queries))


def _livekit(delivery: Delivery, secret: str) -> int:
    """A JWT of the key and the secret, `KEY:SECRET`, with the digest of the body."""
    key, _, api_secret = secret.partition(":")
    claims = _claims(delivery.header("authorization"), api_secret)
    now_seconds, leeway = delivery.received_at_ms / 1_000, 60
    begins, ends = claims.get("nbf", 0), claims.get("exp")
    if claims.get("iss") != key or not (_is_number(begins) and _is_number(ends)):
        raise Unauthentic
    if not begins - leeway <= now_seconds <= ends + leeway:
        raise Unauthentic
    _require_equal(str(claims.get("sha256", "")), messages.body_digest(delivery.body))
    return int((begins or now_seconds) * 1_000)


def _claims(token: str, secret: str) -> dict[str, Any]:
    """The claims of a JWT that is signed with HS256, and with nothing else."""
    try:
        head, body, signature = token.split(".")
        expected = messages.sha256(secret, _bytes(f"{head}.{body}"))
        is_signed = hmac.compare_digest(_unpadded(signature), expected)
        header: Any = json.loads(_unpadded(head))
        claims: Any = json.loads(_unpadded(body))
    except (ValueError, RecursionError):
        raise Unauthentic from None
    if not (is_signed and isinstance(header, dict) and header.get("alg") == "HS256"):
        raise Unauthentic
    if not isinstance(claims, dict):
        raise Unauthentic
    return claims


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


SCHEMES: dict[str, Check] = {
    "bland": _bland,
    "elevenlabs": _elevenlabs,
    "livekit": _livekit,
    "retell": _retell,
    "standard": _standard,
    "timestamped-hex": _timestamped_hex,
    "twilio": _twilio,
}


# --------------------------------------------------------------------------------- helpers
def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _require_equal(given: str, expected: str) -> None:
    if not given or not hmac.compare_digest(_bytes(given), _bytes(expected)):
        raise Unauthentic


def _require_any(given: Sequence[str], expected: str) -> None:
    matches = [hmac.compare_digest(_bytes(each), _bytes(expected)) for each in given]
    if not any(matches):
        raise Unauthentic


def _instant_ms(text: str) -> int:
    """An epoch of seconds or milliseconds, by its magnitude."""
    if re.fullmatch(r"[0-9]{1,15}", text) is None:
        raise Unauthentic
    number = int(text)
    return number if number >= _LEAST_MILLISECONDS else number * 1_000


def _within(delivery: Delivery, signed_at_ms: int, most_ms: int) -> int:
    if abs(delivery.received_at_ms - signed_at_ms) > most_ms:
        raise Unauthentic
    return signed_at_ms


def _is_number(value: Any) -> TypeGuard[int | float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < _MOST_SECONDS  # neither infinite nor NaN
