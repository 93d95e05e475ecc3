"""One HTTP request as the gateway receives it, and its Lambda proxy event. Pure."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from rollcall_cli.local.intrinsics import ACCOUNT_ID, REGION

API_ID = "local"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request before routing: header names as they were sent, the path still encoded."""

    method: str
    raw_path: str
    query_string: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    received_at: float = field(default_factory=time.time)

    def header_values(self, name: str) -> list[str]:
        """Every value of a header, in order; names compare without case."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def media_type(self, header: str, default: str) -> str:
        """The first media type of a header, without parameters, in lower case."""
        values = self.header_values(header)
        first = (values[-1] if values else default).split(",")[0].split(";")[0]
        return first.strip().lower() or default


def method_arn(stage: str, request: HttpRequest) -> str:
    """The ARN that the authorizer's policy is evaluated against."""
    path = request.raw_path.removeprefix("/")
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{stage}/{request.method}/{path}"


def is_binary(media_type: str, binary_media_types: Sequence[str]) -> bool:
    """Whether the API passes bodies of this media type as bytes."""
    return any(
        pattern in ("*/*", media_type)
        or (pattern.endswith("/*") and media_type.startswith(pattern[:-1]))
        for pattern in binary_media_types
    )


def proxy_event(
    request: HttpRequest,
    *,
    stage: str,
    resource: str,
    path_parameters: Mapping[str, str],
    authorizer: Mapping[str, str] | None,
    binary_media_types: Sequence[str],
) -> dict[str, Any]:
    """The event of a REST API's Lambda proxy integration (payload format 1.0)."""
    event = shared_event(request, stage=stage, resource=resource, path_parameters=path_parameters)
    if authorizer is not None:
        event["requestContext"]["authorizer"] = dict(authorizer)
    body: str | None = None
    encoded = False
    if request.body:
        encoded = is_binary(
            request.media_type("content-type", "application/json"), binary_media_types
        )
        if encoded:
            body = base64.b64encode(request.body).decode("ascii")
        else:
            # API Gateway replaces bytes that are not UTF-8 too.
            body = request.body.decode("utf-8", "replace")
    return event | {"body": body, "isBase64Encoded": encoded}


def shared_event(
    request: HttpRequest, *, stage: str, resource: str, path_parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The fields that the authorizer's and the integration's event share."""
    query = parse_qsl(request.query_string, keep_blank_values=True)
    return {
        "resource": resource,
        "path": request.raw_path,
        "httpMethod": request.method,
        "headers": dict(request.headers) or None,
        "multiValueHeaders": _grouped(request.headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query),
        "pathParameters": dict(path_parameters) or None,
        "stageVariables": None,
        "requestContext": _request_context(request, stage, resource),
    }


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]] | None:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped or None


def _request_context(request: HttpRequest, stage: str, resource: str) -> dict[str, Any]:
    agents = request.header_values("user-agent")
    moment = time.gmtime(request.received_at)
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "stage": stage,
        "resourceId": "local",
        "resourcePath": resource,
        "httpMethod": request.method,
        "path": f"/{stage}{request.raw_path}",
        "protocol": request.protocol,
        "requestId": request.request_id,
        "extendedRequestId": request.request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", moment),
        "requestTimeEpoch": int(request.received_at * 1000),
        "identity": {
            "sourceIp": request.source_ip,
            "userAgent": agents[-1] if agents else None,
        },
    }
