"""The current organisation: whose keys requests may touch, in this thread or copied context."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("current_organisation", default=None)


@contextlib.contextmanager
def tenant(org_id: str) -> Iterator[None]:
    """Let requests to the stores touch the keys of one organisation for as long as this lasts."""
    token = _current.set(org_id)
    try:
        yield
    finally:
        _current.reset(token)


def current_org_id() -> str | None:
    """The organisation of the innermost `tenant`; None outside of any."""
    return _current.get()
