"""The decorator that makes a Lambda handler of an endpoint: parse, guard, answer, never leak."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rollcall.api.cors import cors_headers
from rollcall.api.errors import ApiError, ErrorBody, NotAvailable, gateway_error
from rollcall.api.guard import refuse_ended_credentials, refuse_repeated_credentials
from rollcall.api.http import (
    JSON_TYPE,
    PublicRequest,
    Request,
    Response,
    json_response,
    parse_event,
    parse_public_event,
)
from rollcall.api.strict_json import MalformedJson
from rollcall.domain.errors import (
    BadValues,
    Conflict,
    MalformedQuery,
    QueryTooLarge,
    RefusedQuery,
    Unavailable,
    UnknownOrganisation,
)
from rollcall.domain.organisations import tenant
from rollcall.domain.time.calendar import format_instant
from rollcall.invocation import Metric, count
from rollcall.query.metering import ReadMeter
from rollcall.retry import within_its_time
from rollcall.settings import settings
from rollcall.telemetry import logger, observed

LambdaHandler: TypeAlias = Callable[[Mapping[str, Any], Any], dict[str, Any]]

Endpoint: TypeAlias = Callable[[Request], Response]
PublicEndpoint: TypeAlias = Callable[[PublicRequest], Response]


def endpoint(
    error_body: ErrorBody, content_type: str = JSON_TYPE, too_many_rows: int = 503
) -> Callable[[Endpoint], LambdaHandler]:
    """Make a Lambda handler of an endpoint whose errors `error_body` puts into its dialect.

    The endpoint runs as the caller's organisation: requests to the store that name another's key
    are refused. An ApiError becomes its status, a malformed query 400, bad values 422, and a query
    that needs too many rows, or whose answer has too many bytes, `too_many_rows`. A store that
    stays busy or cannot be reached becomes 503 with `Retry-After`, and anything else 500: both are
    logged whole, and their answers say no more than the request id.
    """

    def decorate(answer: Endpoint) -> LambdaHandler:
        def respond(event: Mapping[str, Any], context: Any) -> Response:
            request = parse_event(event)
            refuse_repeated_credentials(request)
            refuse_ended_credentials(request, time.time_ns() // 1_000_000)
            with (
                tenant(request.caller.org_id),
                within_its_time(context),
                _counting_rows(request.reading.meter),
            ):
                return answer(request)

        return _handler(respond, _Errors(error_body, content_type, too_many_rows), answer)

    return decorate


def public_endpoint(
    error_body: ErrorBody, content_type: str = JSON_TYPE
) -> Callable[[PublicEndpoint], LambdaHandler]:
    """Make a Lambda handler of an endpoint that anyone may call; errors as in `endpoint`.

    It runs as no organisation: a request to the store that names a key of any is refused.
    """

    def decorate(answer: PublicEndpoint) -> LambdaHandler:
        def respond(event: Mapping[str, Any], context: Any) -> Response:
            request = parse_public_event(event)
            with within_its_time(context):
                return answer(request)

        return _handler(respond, _Errors(error_body, content_type), answer)

    return decorate


@dataclass(frozen=True, slots=True)
class _Errors:
    """The errors of one route, in its dialect."""

    body: ErrorBody
    content_type: str
    too_many_rows: int = 503

    def __call__(self, status: int, *message: Any) -> Response:
        response = json_response(status, self.body(status, *message))
        response.content_type = self.content_type
        return response


def _handler(
    respond: Callable[[Mapping[str, Any], Any], Response],
    error: _Errors,
    answer: Callable[..., Response],
) -> LambdaHandler:
    @functools.wraps(answer)
    def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        request_id = str((event.get("requestContext") or {}).get("requestId", ""))
        with observed(request_id):
            response = answered(event, context, request_id)
        response.headers |= cors_headers(event, settings.allowed_origins)
        return response.to_proxy()

    def answered(event: Mapping[str, Any], context: Any, request_id: str) -> Response:
        try:
            return respond(event, context).deliverable()
        except ApiError as refused:
            if refused.speaks_for_gateway:
                return gateway_error(refused.status, str(refused))
            if refused.status >= 500:
                logger.warning("not available", extra={"cause": str(refused.__cause__)})
            response = error(refused.status, str(refused))
            response.headers |= refused.headers
            return response
        except _REFUSED as refused_query:
            return error(*_refusal(refused_query, error.too_many_rows))
        except UnknownOrganisation:
            # The authorizer let it in from its cache: it is gone since.
            return gateway_error(401, "The organisation is gone.")
        except (Unavailable, Conflict):
            logger.exception("the store is unavailable")
            message = f"Service unavailable (request {request_id}). Send it again later."
            response = error(503, message)
            response.headers |= NotAvailable.headers
            return response
        except Exception:  # noqa: BLE001 - the client learns that it failed, not how
            logger.exception("unexpected error")
            return error(500, f"Internal server error (request {request_id}).")

    return lambda_handler


# The errors of a query that the client can correct.
_REFUSED: Final = (
    MalformedJson,
    MalformedQuery,
    RefusedQuery,
    BadValues,
    QueryTooLarge,
)


def _refusal(error: Exception, too_many_rows: int) -> tuple[Any, ...]:
    """(status, message) of a refused query, and what is wrong where the body of the error has it."""
    match error:
        case RefusedQuery():
            return error.status, str(error), error.faults
        case BadValues():
            return 422, str(error), error.issues
        case QueryTooLarge():
            return too_many_rows, str(error)
    return 400, str(error)


@contextmanager
def _counting_rows(meter: ReadMeter) -> Iterator[None]:
    """Count the rows scanned for a request that reads pages or rollups, whatever its answer."""
    try:
        yield
    finally:
        if meter.items:
            count(Metric.ROWS_SCANNED, meter.rows)


def analytics_headers(meter: ReadMeter) -> dict[str, str]:
    """The X-Rollcall headers of an analytics answer."""
    headers = {
        "X-Rollcall-Source": meter.source,
        "X-Rollcall-Items-Read": str(meter.items),
        "X-Rollcall-Read-Units": _plain(meter.units),
    }
    if meter.as_of_ms is not None:
        headers["X-Rollcall-As-Of"] = format_instant(meter.as_of_ms)
    return headers


def _plain(number: float) -> str:
    """A decimal without exponent and without zeros that say nothing."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
