"""Answer as a mock integration of API Gateway does: from its mapping template, without a function.

The mapping template is run by an implementation of VTL, so that the text that is deployed is tested.
"""

from __future__ import annotations

from typing import Any

import airspeed

from rollcall_cli.local.http_request import HttpRequest
from rollcall_cli.local.proxy_response import HttpResponse
from rollcall_cli.local.template_model import MockRoute


class _Input:
    """`$input` of a mapping template, as far as headers go: as sent, and "" for one not sent."""

    def __init__(self, request: HttpRequest) -> None:
        self._headers = dict(request.headers)

    def params(self, name: str) -> str:
        return self._headers.get(name, "")


def answer_mock(route: MockRoute, request: HttpRequest) -> HttpResponse:
    """The response that a mock route describes, with the headers that its template overrides."""
    overrides: dict[str, Any] = {}
    variables = {
        "input": _Input(request),
        "context": {"responseOverride": {"header": overrides}},
    }
    body = airspeed.Template(route.template).merge(variables).strip()
    headers = route.headers | {name: str(value) for name, value in overrides.items()}
    headers["x-amzn-RequestId"] = request.request_id
    return HttpResponse(route.status, tuple(headers.items()), body.encode())
