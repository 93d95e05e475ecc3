"""Errors of Rollcall's own routes: problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NotRequired

from typing_extensions import TypedDict

from rollcall.domain.errors import Fault
from rollcall.phrases import phrase_of

PROBLEM_TYPE: Final = "application/problem+json"


class Problem(TypedDict):
    """A problem document (RFC 9457): the request as a whole was refused."""

    type: str
    title: str
    status: int
    detail: str


class QueryFault(TypedDict):
    """One fault of a query."""

    pointer: str
    """A JSON pointer (RFC 6901) into the body."""
    message: str


class QueryProblem(Problem):
    """A problem document with all faults of a query."""

    errors: NotRequired[list[QueryFault]]


def problem_body(status: int, message: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
    """The body of an error: a problem document (RFC 9457), with all faults of a query."""
    title = phrase_of(status)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": message,
    }
    if faults:
        body["errors"] = [{"pointer": fault.pointer, "message": fault.message} for fault in faults]
    return body
