"""The JSON of each sample event: requests become events in the local gateway's own code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import singledispatch
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from rollcall.api.records.documents import parse_record
from rollcall.domain.facts import Fact, resolve
from rollcall.domain.organisations import Organisation, Token, token_id
from rollcall.domain.time.calendar import parse_instant
from rollcall.ingest.authorize import Grant
from rollcall.lambdas.authorizer import policy
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from rollcall_cli.local.http_request import HttpRequest, method_arn, proxy_event, shared_event
from rollcall_cli.local.intrinsics import ACCOUNT_ID, REGION
from rollcall_cli.local.routes import RouteTable
from rollcall_cli.local.seed import SampleOrganisation, SampleToken
from rollcall_cli.local.template import load_template
from tests.sample_events.cases import (
    CASES,
    SAMPLES,
    Authorization,
    Batch,
    Change,
    CreatedObject,
    Image,
    Request,
    Schedule,
)
from tests.support.stack import ROOT, to_json

EVENTS = ROOT / "events"
TEMPLATE = load_template(ROOT / "template.yaml")
FUNCTIONS = {function.folder.name: name for name, function in TEMPLATE.functions.items()}
"""The logical id of each function, by its folder."""

NOW = "2026-11-21T12:00:00Z"
NOW_MS = parse_instant(NOW)
REQUEST_ID = "3f0d3a2e-8c5b-4b7e-9d0e-1a2b3c4d5e6f"
_TOKENS = {
    f"{sample.handle}.{token.name}": token.token
    for sample in SAMPLES.organisations
    for token in sample.tokens
}
_WIDTH = 99
_FIRST_REVISION = (NOW_MS - 60_000) * 1_000
_FIRST_SEQUENCE_NUMBER = 100_000_000_000_000_000_001


def documents() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every event's file and content."""
    for function, cases in CASES.items():
        for name, case in cases.items():
            yield EVENTS / function / f"{name}.json", _document(case, function, name)


def text_of(value: Any, indent: int = 0, room: int = _WIDTH, in_list: bool = False) -> str:
    """JSON as it stands in a file: what fits on one line is on one line, and so is a list's row."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list):
        return line
    entries = list(value.values() if isinstance(value, dict) else value)
    is_row = in_list and not any(isinstance(entry, dict | list) for entry in entries)
    if len(line) <= room or is_row:
        return line
    inner = " " * (indent + 2)
    names = [f"{json.dumps(name)}: " for name in value] if isinstance(value, dict) else []
    starts = [inner + name for name in names or [""] * len(entries)]
    lines = [
        start + text_of(entry, indent + 2, _WIDTH - len(start) - 1, isinstance(value, list))
        for start, entry in zip(starts, entries, strict=True)
    ]
    return f"{line[0]}\n" + ",\n".join(lines) + f"\n{' ' * indent}{line[-1]}"


@singledispatch
def _document(case: Any, function: str, name: str) -> dict[str, Any]:
    raise TypeError(f"{function} {name}: {case!r} is no case")


# ------------------------------------------------------------------ requests


@_document.register
def _of_request(case: Request, function: str, name: str) -> dict[str, Any]:
    sample = next(each for each in SAMPLES.organisations if each.handle == case.organisation)
    token = next(each for each in sample.tokens if each.name == case.token)
    route = next(
        each
        for each in TEMPLATE.api.routes
        if each.function == FUNCTIONS[function] and case.route in (None, each.path)
    )
    headers = [] if "Accept" in case.headers else [("Accept", "application/json")]
    if route.authorizer is not None:
        headers.append(("Authorization", f"Token {token.token}"))
    body = case.body
    if body is not None:
        headers.append(("Content-Type", "application/json"))
        body = body if isinstance(body, bytes) else to_json(body).encode()
    values = iter(case.path)
    path = "/".join(
        quote(next(values), safe="") if segment.startswith("{") else segment
        for segment in route.path.split("/")
    )
    request = _request(route.method, path, [*headers, *case.headers.items()], case.query, body)
    match = RouteTable(TEMPLATE.api.routes).find(request.method, request.raw_path)
    assert match is not None, request.raw_path
    assert match.route == route, request.raw_path
    event = proxy_event(
        request,
        stage=TEMPLATE.api.stage,
        resource=route.path,
        path_parameters=match.path_parameters,
        authorizer=None if route.authorizer is None else _granted(sample, token),
        binary_media_types=TEMPLATE.api.binary_media_types,
    )
    if route.authorizer is not None:
        event["requestContext"]["authorizer"]["integrationLatency"] = 12  # as API Gateway adds it
    return event


def _granted(sample: SampleOrganisation, token: SampleToken) -> dict[str, str]:
    """What the authorizer hands to the function for a token."""
    organisation = Organisation(sample.id, sample.handle, sample.name, 0)
    stored = Token(token_id(token.token), sample.id, token.scopes, 0)
    granted = policy("", Grant(organisation, stored))
    context = {"principalId": granted["principalId"], **granted["context"]}
    return {name: str(value) for name, value in context.items()}


@_document.register
def _of_authorization(case: Authorization, function: str, name: str) -> dict[str, Any]:
    headers = [("Accept", "application/json"), ("Org-Handle", "acme")]
    for scheme, credentials in case.headers:
        headers.append(("Authorization", f"{scheme} {_TOKENS.get(credentials, credentials)}"))
    path = "/api/v2/platform/organisation/analytics"
    request = _request("GET", path, headers, {}, None)
    stage = TEMPLATE.api.stage
    arn = method_arn(stage, request)
    event = shared_event(request, stage=stage, resource=path, path_parameters={})
    return {"type": "REQUEST", "methodArn": arn, **event}


def _request(
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    query: Mapping[str, str],
    body: bytes | None,
) -> HttpRequest:
    return HttpRequest(
        method=method,
        raw_path=path,
        query_string=urlencode(query),
        headers=[*headers, ("User-Agent", "example/1.0")],
        body=body or b"",
        source_ip="192.0.2.1",
        request_id=REQUEST_ID,
        received_at=NOW_MS / 1_000,
    )


# ------------------------------------------------------------------ the stream and the schedule


@_document.register
def _of_batch(case: Batch, function: str, name: str) -> dict[str, Any]:
    # A number of its own for each record of each batch: quarantined records are kept by it.
    batches = list(CASES[function].values())
    before = sum(len(batch.changes) for batch in batches[: batches.index(case)])
    records: list[dict[str, Any]] = []
    for index, change in enumerate(case.changes):
        first = case.changes.index(change)
        if first < index:  # delivered again: the same record, with the same number
            records.append(records[first])
        else:
            number = _FIRST_SEQUENCE_NUMBER + before + index
            records.append(_stream_record(case.organisation_id, change, number))
    return {"Records": records}


def _stream_record(org_id: str, change: Change, number: int) -> dict[str, Any]:
    old = _fact(change.old, None) if change.old else None
    images = {}
    if change.new:
        images["NewImage"] = _item(org_id, _fact(change.new, old), change.new)
    if change.old and old:
        images["OldImage"] = _item(org_id, old, change.old)
    image = next(iter(images.values()))
    table = TEMPLATE.table("RecordsTable").name
    return {
        "eventID": f"{number % 10**20:032}",
        "eventName": change.name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": NOW_MS / 1_000,
            "Keys": {name: image[name] for name in (keys.PK, keys.SK)},
            **images,
            "SequenceNumber": str(number),
            "SizeBytes": 200,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table}/stream/"
        "2026-11-21T12:00:00.000",
    }


def _fact(image: Image, old: Fact | None) -> Fact:
    fact = resolve(old, parse_record(image.record), _FIRST_REVISION).fact
    assert fact is not None, image
    return dataclasses.replace(fact, rev=_FIRST_REVISION + image.revision)


def _item(org_id: str, fact: Fact, image: Image) -> dict[str, Any]:
    item = item_of_fact(keys.fact(org_id, fact.type, fact.id, 1), fact)
    if image.damage:
        item["record"]["M"].update(image.damage)
    return dict(item)


@_document.register
def _of_schedule(case: Schedule, function: str, name: str) -> dict[str, Any]:
    rule = f"rollcall-{FUNCTIONS[function]}{name.capitalize()}-EXAMPLE"
    return {
        "version": "0",
        "id": REQUEST_ID,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": NOW,
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{rule}"],
        "detail": {},
    }


@_document.register
def _of_object(case: CreatedObject, function: str, name: str) -> dict[str, Any]:
    bucket = "rollcall-failurebucket-example"
    return {
        "version": "0",
        "id": REQUEST_ID,
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT_ID,
        "time": NOW,
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": case.key, "size": 1_234},
            "reason": "PutObject",
        },
    }
