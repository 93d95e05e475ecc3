"""A request to try for every route of the template: an example of its own, or a documented one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from rollcall_cli.demo_client import Request
from rollcall_cli.demo_data import Record
from rollcall_cli.demo_values import CAMPAIGNS, SPACES, TEMPLATES, WORKSPACES
from rollcall_cli.local.template_model import Route, Template
from rollcall_cli.local.try_out import Sample, TryOut
from rollcall_cli.openapi.examples import EXAMPLES as DOCUMENTED
from rollcall_cli.openapi.examples import Example as Documented
from rollcall_cli.openapi.examples import read_examples


@dataclass(frozen=True, slots=True)
class Setting:
    """Values in the examples: an organisation, its token, a record it sent, and the end of its calls."""

    handle: str
    token: str
    record: Record
    end: datetime


@dataclass(frozen=True, slots=True)
class Example:
    """One request and its title."""

    title: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


def _organisation_analytics(setting: Setting) -> tuple[Example, ...]:
    path = "/api/v2/platform/organisation/analytics/"
    headers = {"Org-Handle": setting.handle}
    space = "sales"
    return (
        Example("All calls and tasks of the organisation (Unpod)", path, headers),
        Example(
            f"The same for one space, {SPACES[space]} (spaces: {', '.join(SPACES)})",
            f"{path}?space_token={space}",
            headers,
        ),
    )


def _records(setting: Setting) -> tuple[Example, ...]:
    title = "Write a record. This one is stored already, so sending it again changes nothing"
    return (Example(title, "/v1/records", body={"records": [setting.record]}),)


def _call(_setting: Setting) -> tuple[Example, ...]:
    title = "Read one call back, and whether the figures hold it yet"
    return (Example(title, "/v1/calls/call-000001"),)


def _record(setting: Setting) -> tuple[Example, ...]:
    type_name, id = (quote(str(setting.record[name]), safe="") for name in ("type", "id"))
    title = f"Read a record of another type back: a {setting.record['type']}"
    return (Example(title, f"/v1/records/{type_name}/{id}"),)


def _query(query_type: str, **fields: Any) -> dict[str, Any]:
    return {"query_type": query_type, **fields}


def _day(setting: Setting, days_before: int) -> str:
    return (setting.end.astimezone(UTC) - timedelta(days=days_before)).date().isoformat()


def _queries(setting: Setting) -> tuple[Example, ...]:
    path = "/analytics"
    week = {"date_from": _day(setting, 6), "date_to": _day(setting, 0)}
    talks = {
        "template_id": TEMPLATES["renewals"],
        "min_duration": 60,
        "payload_filters": {"language": "de", "returning": False},
    }
    return (
        Example(
            "Outcomes of calls in the last seven days (Breeze)",
            path,
            body=_query("outcome_distribution", filters=week, page_size=5),
        ),
        Example(
            "Calls of those days in the time zone of Kathmandu",
            path,
            body=_query("calls_over_time", timezone="Asia/Kathmandu", filters=week),
        ),
        Example(
            "Durations with filters that no rollup covers, computed from the ledger",
            path,
            body=_query("call_duration", filters=talks),
        ),
    )


def _queries_as_published(_setting: Setting) -> tuple[Example, ...]:
    title = "Leads by stage; the same endpoint under its published path (Breeze)"
    path = "/agent/voice/breeze-buddy/analytics"
    return (Example(title, path, body=_query("conversion_funnel")),)


def _own_queries(_setting: Setting) -> tuple[Example, ...]:
    path = "/v1/query"
    week = {"measures": ["calls", "answer_rate"], "period": "last_7_days"}
    return (
        Example(
            "Calls by day, compared with the week before (Rollcall's own query language)",
            path,
            body={**week, "dimensions": ["day"], "compare": "previous_period"},
        ),
        Example(
            "The 95th percentile of durations by provider",
            path,
            body={"measures": ["calls", "p95_duration"], "dimensions": ["provider"]},
        ),
        Example(
            "The three most frequent outcomes, and all others in one row",
            path,
            body={
                "measures": ["calls", "cost_per_call"],
                "dimensions": ["outcome"],
                "filters": [{"field": "outcome", "op": "not_null"}],
                "limit": 3,
                "others": True,
            },
        ),
    )


def _search(_setting: Setting) -> tuple[Example, ...]:
    body = {"filters": [{"field": "duration_seconds", "op": "gte", "value": 120}], "limit": 3}
    return (Example("The newest calls of two minutes or more", "/v1/calls/search", body=body),)


def _schema(_setting: Setting) -> tuple[Example, ...]:
    return (Example("Every name that queries may use", "/v1/schema"),)


def _campaign(kind: str, campaign_id: str, version: str = "v1") -> Callable[..., Any]:
    """Analytics of a campaign in the last 30 days, including today."""
    name = next(name for id, _, name in CAMPAIGNS if id == campaign_id)

    def examples(setting: Setting) -> tuple[Example, ...]:
        body = {"from": f"{_day(setting, 29)}T00:00:00Z", "to": f"{_day(setting, 0)}T23:59:59Z"}
        title = f"30 days of “{name}” (NLPearl, {kind})"
        return (Example(title, f"/{version}/{kind}/{campaign_id}/Analytics", body=body),)

    return examples


def _workspace(_setting: Setting) -> tuple[Example, ...]:
    id, name = next(iter(WORKSPACES.items()))
    title = f"Rooms, contacts and bookings of the workspace “{name}” (Nexus)"
    return (Example(title, f"/api/workspaces/{id}/analytics"),)


def _audit(_setting: Setting) -> tuple[Example, ...]:
    title = "Whether the figures are exact: the result of the last audit"
    return (Example(title, "/v1/audit"),)


# In the order in which they are shown. Routes that are not listed follow.
EXAMPLES: Mapping[str, Callable[[Setting], tuple[Example, ...]]] = {
    "GET /api/v2/platform/organisation/analytics": _organisation_analytics,
    "POST /analytics": _queries,
    "POST /agent/voice/breeze-buddy/analytics": _queries_as_published,
    "POST /v1/Inbound/{inboundId}/Analytics": _campaign("Inbound", "reception"),
    "POST /v1/Outbound/{outboundId}/Analytics": _campaign("Outbound", "renewals"),
    "POST /v2/Pearl/{pearlId}/Analytics": _campaign("Pearl", "win-back", "v2"),
    "GET /api/workspaces/{workspaceId}/analytics": _workspace,
    "POST /v1/query": _own_queries,
    "POST /v1/calls/search": _search,
    "GET /v1/schema": _schema,
    "POST /v1/records": _records,
    "GET /v1/calls/{id}": _call,
    "GET /v1/records/{type}/{id}": _record,
    "GET /v1/audit": _audit,
}


def requests_to_try(template: Template, setting: Setting) -> list[tuple[str, Request]]:
    """(title, request) for each example of a route that the template has."""
    routes = {f"{route.method} {route.path}": route for route in template.api.routes}
    shown = [(name, EXAMPLES[name](setting)) for name in EXAMPLES if name in routes]
    documented = read_examples(template.path.parent / DOCUMENTED)
    for name, route in routes.items():
        if name not in EXAMPLES:
            function = template.functions[route.function].folder.name
            good = [each for each in documented.get(function, ()) if each.status == 200]
            shown.append((name, tuple(_documented(route, each) for each in good)))
    return [
        (example.title, _request(routes[name].method, example, setting.token))
        for name, examples in shown
        for example in examples
    ]


def _documented(route: Route, documented: Documented) -> Example:
    request, path = documented.request, route.path
    for name, value in request.get("path", {}).items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    if "query" in request:
        path += f"?{urlencode(request['query'])}"
    return Example(documented.summary, path, request.get("headers", {}), request.get("body"))


def try_out(template: Template, setting: Setting) -> TryOut:
    """The same requests, for the documentation's page."""
    samples = [
        Sample(title, request.method, request.path, request.headers, request.body)
        for title, request in requests_to_try(template, setting)
    ]
    return TryOut(setting.handle, setting.token, samples)


def first_request(handle: str, token: str) -> Request:
    """The totals so far, which the API answers from its start."""
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
