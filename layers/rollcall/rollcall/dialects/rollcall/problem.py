"""Errors of Rollcall's own routes: problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from typing_extensions import TypedDict

PROBLEM_TYPE: Final = "application/problem+json"


class Problem(TypedDict):
    """A problem document (RFC 9457): the request as a whole was refused."""

    type: str
    title: str
    status: int
    detail: str


def problem_body(status: int, message: str) -> dict[str, Any]:
    """The body of an error: a problem document (RFC 9457)."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": message}
