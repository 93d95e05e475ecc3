"""The body of `GET /v1/health`."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


class Health(TypedDict):
    """The API answers, and so does its records table."""

    status: Literal["ok"]
    version: str
    """The release of Rollcall."""


def health_body(version: str) -> Health:
    """The body of the answer while the records table answers."""
    return {"status": "ok", "version": version}
