"""The HTTP edge: requests parsed strictly, tenants guarded, errors in the dialect of the route.

Handlers import from here. The modules behind are imported for what only one of them needs.
"""

from rollcall.api.endpoint import analytics_headers, endpoint
from rollcall.api.errors import BadRequest, ContentTooLarge, Forbidden, NotFound
from rollcall.api.guard import (
    limit_body,
    refuse_others,
    require_campaign,
    require_own_handle,
    single_value,
)
from rollcall.api.http import Request, Response, json_response

__all__ = [
    "BadRequest",
    "ContentTooLarge",
    "Forbidden",
    "NotFound",
    "Request",
    "Response",
    "analytics_headers",
    "endpoint",
    "json_response",
    "limit_body",
    "refuse_others",
    "require_campaign",
    "require_own_handle",
    "single_value",
]
