"""A request to try for every route of the template. A route without one fails a unit test."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rollcall_cli.demo_client import Request
from rollcall_cli.demo_data import Record
from rollcall_cli.demo_values import CAMPAIGNS, SPACES, TEMPLATES, WORKSPACES
from rollcall_cli.local.template_model import Route
from rollcall_cli.local.try_out import Sample, TryOut


@dataclass(frozen=True, slots=True)
class Scene:
    """What the examples ask about: who asks, a record that has been sent, and when the calls end."""

    handle: str
    token: str
    record: Record
    end: datetime


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


def _query(query_type: str, **asked: Any) -> dict[str, Any]:
    return {"query_type": query_type, **asked}


def _day(scene: Scene, days_before: int) -> str:
    return (scene.end.astimezone(UTC) - timedelta(days=days_before)).date().isoformat()


def _queries(scene: Scene) -> tuple[Example, ...]:
    path = "/analytics"
    week = {"date_from": _day(scene, 6), "date_to": _day(scene, 0)}
    talks = {
        "template_id": TEMPLATES["renewals"],
        "min_duration": 60,
        "payload_filters": {"language": "de", "returning": False},
    }
    return (
        Example(
            "What calls led to, in the last seven days (Breeze)",
            path,
            body=_query("outcome_distribution", filters=week, page_size=5),
        ),
        Example(
            "Calls of those days, as a clock in Kathmandu has them",
            path,
            body=_query("calls_over_time", timezone="Asia/Kathmandu", filters=week),
        ),
        Example(
            "Durations under filters that no rollup was kept for, straight from the ledger",
            path,
            body=_query("call_duration", filters=talks),
        ),
    )


def _queries_as_published(_scene: Scene) -> tuple[Example, ...]:
    title = "How far leads have come; the same endpoint under its published path (Breeze)"
    path = "/agent/voice/breeze-buddy/analytics"
    return (Example(title, path, body=_query("conversion_funnel")),)


def _campaign(kind: str, campaign_id: str, version: str = "v1") -> Callable[..., Any]:
    """Analytics of a campaign in the last 30 days, today included."""
    name = next(name for id, _, name in CAMPAIGNS if id == campaign_id)

    def examples(scene: Scene) -> tuple[Example, ...]:
        body = {"from": f"{_day(scene, 29)}T00:00:00Z", "to": f"{_day(scene, 0)}T23:59:59Z"}
        title = f"30 days of “{name}” (NLPearl, {kind})"
        return (Example(title, f"/{version}/{kind}/{campaign_id}/Analytics", body=body),)

    return examples


def _workspace(_scene: Scene) -> tuple[Example, ...]:
    id, name = next(iter(WORKSPACES.items()))
    title = f"Rooms, contacts and bookings of the workspace “{name}” (Nexus)"
    return (Example(title, f"/api/workspaces/{id}/analytics"),)


def _audit(_scene: Scene) -> tuple[Example, ...]:
    title = "Whether the figures are right: what the last audit compared, and what differed"
    return (Example(title, "/v1/audit"),)


# In the order in which they are shown. The keys are the template's routes, all of them.
EXAMPLES: Mapping[str, Callable[[Scene], tuple[Example, ...]]] = {
    "GET /api/v2/platform/organisation/analytics": _organisation_analytics,
    "GET /api/v2/platform/organizations": _organisations,
    "POST /analytics": _queries,
    "POST /agent/voice/breeze-buddy/analytics": _queries_as_published,
    "POST /v1/Inbound/{inboundId}/Analytics": _campaign("Inbound", "reception"),
    "POST /v1/Outbound/{outboundId}/Analytics": _campaign("Outbound", "renewals"),
    "POST /v2/Pearl/{pearlId}/Analytics": _campaign("Pearl", "win-back", "v2"),
    "GET /api/workspaces/{workspaceId}/analytics": _workspace,
    "POST /v1/records": _records,
    "GET /v1/audit": _audit,
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


def try_out(routes: Iterable[Route], scene: Scene) -> TryOut:
    """The same requests for the documentation's page, which takes only the headers it describes."""
    samples = [
        Sample(title, request.method, request.path, request.headers, request.body)
        for title, request in requests_to_try(routes, scene)
    ]
    return TryOut(scene.handle, scene.token, samples)


def first_request(handle: str, token: str) -> Request:
    """The one to begin with: it answers as soon as the API does, with all that is counted so far."""
    path = "/api/v2/platform/organisation/analytics/"
    return _request("GET", Example("", path, {"Org-Handle": handle}), token)


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
