"""Preconditions of a request: its size, its parameters, and the existence and owner of what it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rollcall.api.errors import BadRequest, ContentTooLarge, Forbidden, NotFound, Unauthorized
from rollcall.api.http import PublicRequest, Request
from rollcall.domain.organisations import HANDLE_PATTERN
from rollcall.query.model import CampaignId, Reading

if TYPE_CHECKING:
    from rollcall.api.ports import Handles
    from rollcall.query.reports.campaign import ReportCampaign

MAX_QUERY_BYTES: Final = 65_536


def refuse_repeated_credentials(request: Request) -> None:
    """Raises Unauthorized on a second Authorization header: a cached authorizer never saw it."""
    if len(request.header("Authorization")) > 1:
        raise Unauthorized("The Authorization header is repeated.")


def refuse_ended_credentials(request: Request, now_ms: int) -> None:
    """Raises Unauthorized when the token has ended since the authorizer's answer was cached."""
    ends_at_ms = request.caller.token_ends_at_ms
    if ends_at_ms is not None and ends_at_ms <= now_ms:
        raise Unauthorized("A valid token is required in the Authorization header.")


def require_own_handle(request: Request, handles: Handles) -> None:
    """Check `Org-Handle` against the caller.

    Raises BadRequest when it is missing, empty or repeated, NotFound when no organisation has the
    handle, and Forbidden when another one has it. Unpod publishes the texts.
    """
    values = request.header("Org-Handle")
    if len(values) > 1:
        raise BadRequest("Org-Handle header must be sent once.")
    if not values or not values[0]:
        raise BadRequest("Org-Handle header is required.")
    if values[0] == request.caller.org_handle:
        return
    # A string that breaks the rule of handles matches none, and may be longer than a key.
    if not HANDLE_PATTERN.fullmatch(values[0]) or handles.org_id_of_handle(values[0]) is None:
        raise NotFound("Organization not found.")
    raise Forbidden("Invalid organization handle.")


def require_campaign(
    request: Request, reading: Reading, reports: ReportCampaign, campaign: CampaignId
) -> CampaignId:
    """Return the campaign, for a request that names it and has no query parameters.

    Raises ContentTooLarge, then NotFound when no live fact of the organisation names it in that
    direction, then BadRequest.
    """
    limit_body(request)
    if not reports.is_known(reading, campaign):
        raise NotFound("Campaign not found.")
    refuse_others(request)
    return campaign


def limit_body(request: PublicRequest, max_bytes: int = MAX_QUERY_BYTES) -> None:
    """Raises ContentTooLarge when the body has more than `max_bytes` bytes."""
    if len(request.body) > max_bytes:
        raise ContentTooLarge(f"The body must have at most {max_bytes} bytes.")


def single_value(request: Request, name: str) -> str | None:
    """An optional query parameter's value. Raises BadRequest when it is repeated."""
    values = request.query.get(name, [])
    if len(values) > 1:
        raise BadRequest(f"Query parameter {name} must be sent once.")
    return values[0] if values else None


def refuse_others(request: PublicRequest, *names: str) -> None:
    """Raises BadRequest when a query parameter is not among `names`."""
    unknown = next((name for name in request.query if name not in names), None)
    if unknown is not None:
        raise BadRequest(f"Unknown query parameter {unknown[:64]!r}.")
