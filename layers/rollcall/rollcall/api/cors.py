"""Which web pages may read an answer: the headers of cross-origin requests (CORS).

The gateway adds them to preflights and to its own errors (template.yaml); what a function answers has
them from here. Credentials are never allowed: a page sends its token by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

# What a page may read besides the body; template.yaml repeats it for the gateway's own errors.
EXPOSED_HEADERS: Final = (
    "X-Rollcall-Source",
    "X-Rollcall-Items-Read",
    "X-Rollcall-Read-Units",
    "X-Rollcall-As-Of",
    "X-Rollcall-Next",
    "Content-Disposition",
    "Retry-After",
    "x-amzn-RequestId",
)
ANY_ORIGIN: Final = "*"


def cors_headers(event: Mapping[str, Any], allowed: Collection[str]) -> dict[str, str]:
    """The headers that let the page which sent a proxy event read its answer.

    `allowed` are origins, or `*` alone; without any there are no headers. For the page of another
    origin there is only `Vary`, which keeps caches from giving it the answer to an allowed one.
    """
    if not allowed:
        return {}
    exposed = {"Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS)}
    if ANY_ORIGIN in allowed:
        return {"Access-Control-Allow-Origin": ANY_ORIGIN, **exposed}
    origins = _origins(event)
    if len(origins) != 1 or origins[0] not in allowed:
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": origins[0], "Vary": "Origin", **exposed}


def _origins(event: Mapping[str, Any]) -> list[str]:
    headers = event.get("multiValueHeaders") or {}
    return [
        value for name, values in headers.items() if name.lower() == "origin" for value in values
    ]
