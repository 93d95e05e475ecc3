"""The phrase of an HTTP status (RFC 9110), the same on every version of Python."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

# Python 3.13 has the phrases of RFC 9110, and earlier versions those before it.
_RENAMED: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


def phrase_of(status: int) -> str:
    """The phrase of a status: `Not Found` of 404."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase
