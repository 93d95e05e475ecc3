"""Content negotiation (RFC 9110, section 12.5.1): which of several media types a client accepts."""

from __future__ import annotations

from collections.abc import Sequence

from rollcall.api.errors import NotAcceptable
from rollcall.api.http import Request


def accepted_type(request: Request, offered: Sequence[str]) -> str:
    """The offered media type that the `Accept` header prefers; of equal ones the first.

    Without the header, every type is accepted. Raises NotAcceptable if none of them is.
    """
    accepted = [part for value in request.header("Accept") for part in value.split(",")]
    ranges = [_parsed(part) for part in accepted if part.strip()]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    if _quality(best, ranges) <= 0:
        raise NotAcceptable(f"Accept must allow {' or '.join(offered)}.")
    return best


def _parsed(text: str) -> tuple[str, float]:
    """(media range, quality); a quality that is no number is 0."""
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_range, float(value)
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality that the most specific matching range gives a media type."""
    family = media_type.partition("/")[0]
    for name in (media_type, f"{family}/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == name]
        if qualities:
            return max(qualities)
    return 0.0
