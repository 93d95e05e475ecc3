"""A request to try for every route of the template. A route without one fails a unit test."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollcall_cli.demo_client import Request
from rollcall_cli.demo_data import SPACES, Record
from rollcall_cli.local.template import Route


@dataclass(frozen=True, slots=True)
class Scene:
    """What the examples ask about: who asks, and a record that has been sent already."""

    handle: str
    token: str
    record: Record


@dataclass(frozen=True, slots=True)
class Example:
    """One request, and in words what it asks."""

    title: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


def _organisation_analytics(scene: Scene) -> tuple[Example, ...]:
    path = "/api/v2/platform/organisation/analytics/"
    headers = {"Org-Handle": scene.handle}
    space = "sales"
    return (
        Example("All calls and tasks of the organisation (Unpod)", path, headers),
        Example(
            f"The same of one space, {SPACES[space]} ({', '.join(SPACES)} are there)",
            f"{path}?space_token={space}",
            headers,
        ),
    )


def _organisations(_scene: Scene) -> tuple[Example, ...]:
    return (Example("Whose token it is (Unpod)", "/api/v2/platform/organizations/"),)


def _records(scene: Scene) -> tuple[Example, ...]:
    title = "Write a record. This one is there already, so sending it again changes nothing"
    return (Example(title, "/v1/records", body={"records": [scene.record]}),)


# In the order in which they are shown. The keys are the template's routes, all of them.
EXAMPLES: Mapping[str, Callable[[Scene], tuple[Example, ...]]] = {
    "GET /api/v2/platform/organisation/analytics": _organisation_analytics,
    "GET /api/v2/platform/organizations": _organisations,
    "POST /v1/records": _records,
}


def requests_to_try(routes: Iterable[Route], scene: Scene) -> list[tuple[str, Request]]:
    """(title, request) for each example of a route that exists."""
    existing = {f"{route.method} {route.path}": route.method for route in routes}
    return [
        (example.title, _request(existing[name], example, scene.token))
        for name, examples in EXAMPLES.items()
        if name in existing
        for example in examples(scene)
    ]


def _request(method: str, example: Example, token: str) -> Request:
    headers = {"Authorization": f"Token {token}", **example.headers}
    if example.body is not None:
        headers["Content-Type"] = "application/json"
    return Request(method, example.path, headers, example.body)


def curl(api_url: str, request: Request) -> str:
    """The command that sends the request, to be pasted into a POSIX shell."""
    parts = [f"curl -sS {shlex.quote(api_url + request.path)}"]
    if request.method != ("GET" if request.body is None else "POST"):
        parts.append(f"-X {request.method}")
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers.items()]
    if request.body is not None:
        parts.append(f"-d {shlex.quote(json.dumps(request.body, ensure_ascii=False))}")
    return " \\\n  ".join(parts)
