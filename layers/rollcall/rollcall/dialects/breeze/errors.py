"""Breeze's errors: `detail` is a string, or for 422 a list of problems."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from rollcall.domain.errors import Issue


class Problem(TypedDict):
    """One value that breaks a rule: where it is, the rule, and the kind of problem."""

    loc: list[str]
    msg: str
    type: str


class Error(TypedDict):
    """The body of an error other than 422."""

    detail: str


class Invalid(TypedDict):
    """The body of a 422."""

    detail: list[Problem]


def error_body(status: int, message: str, issues: Sequence[Issue] = ()) -> Error | Invalid:
    """The body of an error."""
    if status != 422:
        return {"detail": message}
    if not issues:
        return {"detail": [{"loc": ["filters"], "msg": message, "type": "too_many_rows"}]}
    return {
        "detail": [
            {"loc": list(issue.path), "msg": issue.message, "type": "value_error"}
            for issue in issues
        ]
    }
