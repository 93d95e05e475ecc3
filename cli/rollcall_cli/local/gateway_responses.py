"""Answers that API Gateway gives by itself: the template's, else its own. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rollcall_cli.local.proxy_response import HttpResponse
from rollcall_cli.local.template_model import GatewayResponse

# Status and message of each kind, unless the template declares them.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
BUILT_IN = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "ACCESS_DENIED": (403, "User is not authorized to access this resource"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "INTEGRATION_FAILURE": (502, "Internal server error"),
}


def gateway_response(
    kind: str, responses: Mapping[str, GatewayResponse], request_id: str
) -> HttpResponse:
    """The response of a kind: the template's, else its DEFAULT_4XX or DEFAULT_5XX.

    A response without a StatusCode, including a default, keeps the status of the kind.
    """
    status, message = BUILT_IN[kind]
    fallback = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    template = responses.get(kind) or responses.get(fallback)
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    if template is None:
        body = json.dumps({"message": message})
        return HttpResponse(status, tuple(headers.items()), body.encode())
    variables = {
        "$context.requestId": request_id,
        # The longer name first: it begins with the shorter one.
        "$context.error.messageString": json.dumps(message),
        "$context.error.message": message,
        "$context.error.responseType": kind,
    }
    body = template.body
    for name, value in variables.items():
        body = body.replace(name, value)
    return HttpResponse(
        template.status or status, tuple((headers | template.headers).items()), body.encode()
    )
