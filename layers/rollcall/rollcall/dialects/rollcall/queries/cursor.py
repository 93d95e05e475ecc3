"""Cursors: where the next page begins, bound to one query of one organisation.

A cursor is opaque to clients. It keeps when the first page was read, so that a relative period is the
same on every page, and a digest, so that a damaged one and that of another query are refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

_DIGEST_BYTES: Final = 12
# These may differ from page to page.
_FREE: Final = frozenset({"cursor", "limit"})


class Cursor(NamedTuple):
    """The place at which a page begins, and the time at which the first page was read."""

    place: int | str
    now_ms: int


def encode_cursor(cursor: Cursor, org_id: str, body: Mapping[str, Any]) -> str:
    """The cursor as clients see it."""
    content = json.dumps(list(cursor), separators=(",", ":")).encode()
    digest = _digest(content, org_id, body)
    return base64.urlsafe_b64encode(digest + content).decode().rstrip("=")


def decode_cursor(text: str, org_id: str, body: Mapping[str, Any]) -> Cursor:
    """The cursor in a body. Raises ValueError if it is damaged or belongs to another query."""
    refused = ValueError("is not a cursor of this query")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refused from None
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if digest != _digest(content, org_id, body):
        raise refused
    return Cursor(*json.loads(content))


def _digest(content: bytes, org_id: str, body: Mapping[str, Any]) -> bytes:
    query = {name: body[name] for name in sorted(body) if name not in _FREE}
    hashed = hashlib.sha256(json.dumps([org_id, query], default=str).encode())
    hashed.update(content)
    return hashed.digest()[:_DIGEST_BYTES]
