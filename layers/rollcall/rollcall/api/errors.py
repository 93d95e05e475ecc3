"""Every error that becomes an HTTP answer, and the one place where it does.

ApiError
├── BadRequest       400
├── Forbidden        403
├── NotFound         404
├── NotAcceptable    406
├── ContentTooLarge  413, always with the gateway's body
├── Unauthorized     401, always with the gateway's body
└── NotAvailable     503, with Retry-After
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

from rollcall.api.http import Response, json_response
from rollcall.phrases import phrase_of

# (status, message), and for a 422 the issues: the body of an error in a dialect.
ErrorBody: TypeAlias = Callable[..., Mapping[str, Any]]


# A store that is busy for a moment has recovered by then.
RETRY_AFTER_SECONDS: Final = "5"


class ApiError(Exception):
    """An answer other than success; the message is for the client."""

    status: ClassVar[int] = 500
    headers: ClassVar[Mapping[str, str]] = {}
    speaks_for_gateway: ClassVar[bool] = False


class BadRequest(ApiError):
    """The request is malformed."""

    status = 400


class Forbidden(ApiError):
    """The caller may not read what the request names."""

    status = 403


class NotFound(ApiError):
    """What the request names does not exist."""

    status = 404


class NotAcceptable(ApiError):
    """The client accepts none of the media types of the route."""

    status = 406


class ContentTooLarge(ApiError):
    """The body is larger than the route accepts."""

    status = 413
    speaks_for_gateway = True


class Unauthorized(ApiError):
    """The credentials cannot be trusted."""

    status = 401
    speaks_for_gateway = True


class NotAvailable(ApiError):
    """What the route needs does not answer at present."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": RETRY_AFTER_SECONDS}


def gateway_error(status: int, detail: str) -> Response:
    """An error with the body of the gateway's own errors, for errors that the gateway may raise too."""
    phrase = phrase_of(status)
    body: dict[str, Any] = {
        "status_code": status,
        "message": phrase,
        "error": phrase,
        "detail": detail,
    }
    return json_response(status, body)
