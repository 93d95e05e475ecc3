"""Query parameters."""

from __future__ import annotations

from rollcall.api.errors import BadRequest
from rollcall.api.http import Request


def single_value(request: Request, name: str) -> str | None:
    """An optional query parameter's value. Raises BadRequest when it is repeated."""
    values = request.query.get(name, [])
    if len(values) > 1:
        raise BadRequest(f"Query parameter {name} must be sent once.")
    return values[0] if values else None


def refuse_others(request: Request, *names: str) -> None:
    """Raises BadRequest when a query parameter is not among `names`."""
    unknown = next((name for name in request.query if name not in names), None)
    if unknown is not None:
        raise BadRequest(f"Unknown query parameter {unknown[:64]!r}.")
