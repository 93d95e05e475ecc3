"""Requests and responses in the terms of API Gateway's Lambda proxy integration (REST API)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from rollcall.api import strict_json
from rollcall.domain.epochs import Epoch
from rollcall.domain.errors import AnswerTooLong
from rollcall.query.model import Reading

JSON_TYPE: Final = "application/json"
CSV_TYPE: Final = "text/csv"

# What one answer may have, in UTF-8.
MAX_ANSWER_BYTES: Final = 6_000_000
# Lambda's own limit, of the JSON in which it carries the body as a string: quotes and backslashes
# take two bytes there.
MAX_PAYLOAD_BYTES: Final = 6_291_556


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, from the authorizer; the only source of an organisation's id.

    `token_ends_at_ms` is when the caller's token expires; None if it never does.
    """

    org_id: str
    org_handle: str
    token_ends_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRequest:
    """A request to a route that takes no token. `query` holds every value of each parameter."""

    query: Mapping[str, list[str]]
    body: bytes
    _path: Mapping[str, str] = field(repr=False)
    _headers: Mapping[str, list[str]] = field(repr=False)

    def path_parameter(self, name: str) -> str:
        """A path parameter, decoded; empty, which matches no id, if it is not UTF-8.

        The gateway hands it over as it was sent, so an encoded slash is part of it.
        """
        try:
            return unquote(self._path[name], errors="strict")
        except UnicodeDecodeError:
            return ""

    @property
    def headers(self) -> Mapping[str, list[str]]:
        """Every value of every header, by names in lower case."""
        return self._headers

    def header(self, name: str) -> list[str]:
        """Every value of a header; its name is compared without case."""
        return self._headers.get(name.lower(), [])

    def json(self) -> Any:
        """The body as strict JSON. Raises MalformedJson."""
        return strict_json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(PublicRequest):
    """A request with a valid token. `reading` meters the reads."""

    caller: Caller
    reading: Reading


@dataclass(slots=True)
class Response:
    """One response; `body` is text of the content type."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE

    def to_proxy(self) -> dict[str, Any]:
        """As API Gateway takes it."""
        return {
            "statusCode": self.status,
            "headers": {
                "Content-Type": self.content_type,
                "Cache-Control": "no-store",
                **self.headers,
            },
            "body": self.body,
            "isBase64Encoded": False,
        }

    def deliverable(self) -> Response:
        """The response. Raises AnswerTooLong for what Lambda would not deliver."""
        payload = json.dumps(self.to_proxy(), ensure_ascii=False).encode()
        if len(payload) > MAX_PAYLOAD_BYTES or len(self.body.encode()) > MAX_ANSWER_BYTES:
            raise AnswerTooLong(MAX_ANSWER_BYTES)
        return self


def json_response(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    """A response whose body is compact JSON, keys in the order given."""
    return Response(status, strict_json.dumps(body), headers or {})


def csv_response(
    text: str, file_name: str, next_cursor: str | None, headers: Mapping[str, str]
) -> Response:
    """A CSV file to download; `X-Rollcall-Next` has the cursor of the next page."""
    more = {} if next_cursor is None else {"X-Rollcall-Next": next_cursor}
    disposition = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response(200, text, {**headers, **disposition, **more}, f"{CSV_TYPE}; charset=utf-8")


def parse_event(event: Mapping[str, Any]) -> Request:
    """The request in a proxy event of a route with the authorizer."""
    authorizer = event["requestContext"]["authorizer"]
    # A policy that an earlier release made, and API Gateway caches, names no buckets: there was one.
    buckets = int(authorizer.get("buckets", 1))
    epoch = Epoch(authorizer["org_id"], int(authorizer["epoch"]), buckets)
    ends_at_ms = authorizer.get("token_ends_at_ms")
    caller = Caller(
        epoch.org_id,
        authorizer["org_handle"],
        None if ends_at_ms is None else int(ends_at_ms),
    )
    return Request(caller=caller, reading=Reading(epoch), **_sent(event))


def parse_public_event(event: Mapping[str, Any]) -> PublicRequest:
    """The request in a proxy event of a route without the authorizer."""
    return PublicRequest(**_sent(event))


def _sent(event: Mapping[str, Any]) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        headers.setdefault(name.lower(), []).extend(values)
    return {
        "query": event.get("multiValueQueryStringParameters") or {},
        "body": _body(event),
        "_path": event.get("pathParameters") or {},
        "_headers": headers,
    }


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:  # binascii.Error is one, and so is text that is not ASCII
        raise strict_json.MalformedJson("the body is not valid Base64") from error
