"""What the handlers of API functions import, in one place.

Apart from the package itself, so that `rollcall.api.strict_json` loads no settings: the command line
imports it before it sets the environment of the functions.
"""

from rollcall.api.endpoint import analytics_headers, endpoint, public_endpoint
from rollcall.api.errors import (
    BadRequest,
    ContentTooLarge,
    Forbidden,
    NotAvailable,
    NotFound,
    Unauthorized,
)
from rollcall.api.guard import (
    limit_body,
    refuse_others,
    require_campaign,
    require_own_handle,
    single_value,
)
from rollcall.api.http import (
    CSV_TYPE,
    JSON_TYPE,
    PublicRequest,
    Request,
    Response,
    csv_response,
    json_response,
)
from rollcall.api.negotiation import accepted_type

__all__ = [
    "CSV_TYPE",
    "JSON_TYPE",
    "BadRequest",
    "ContentTooLarge",
    "Forbidden",
    "NotAvailable",
    "NotFound",
    "PublicRequest",
    "Request",
    "Response",
    "Unauthorized",
    "accepted_type",
    "analytics_headers",
    "csv_response",
    "endpoint",
    "json_response",
    "limit_body",
    "public_endpoint",
    "refuse_others",
    "require_campaign",
    "require_own_handle",
    "single_value",
]
