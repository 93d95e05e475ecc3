"""How large a body may be."""

from __future__ import annotations

from typing import Final

from rollcall.api.errors import ContentTooLarge
from rollcall.api.http import Request

MAX_QUERY_BYTES: Final = 65_536


def limit_body(request: Request, most_bytes: int = MAX_QUERY_BYTES) -> None:
    """Raises ContentTooLarge when the body has more bytes than that."""
    if len(request.body) > most_bytes:
        raise ContentTooLarge(f"The body must have at most {most_bytes} bytes.")
