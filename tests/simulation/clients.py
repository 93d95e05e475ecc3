"""Clients of `POST /v1/records`, and what they know: what they tried, and what was answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.providers import Delivery
from tests.simulation.world import TIMEOUTS_MS, World
from tests.support.stack import to_json

FUNCTION = "ingest_records"


@dataclass
class Attempt:
    """One record that a client sends, until it gets an answer or gives up."""

    org_id: str
    record: Any
    began_ms: int
    ended_ms: int | None = None
    is_taken: bool = False  # acknowledged: accepted, unchanged or stale
    refused_field: str | None = None
    # A try without an answer may be carried out after a later one was answered.
    has_open_tries: bool = False


@dataclass
class Ledger:
    """All that all clients of a world know."""

    attempts: list[Attempt] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def send(world: World, ledger: Ledger, org_id: str, records: list[Any], most_tries: int) -> bool:
    """Send one request until it is answered, as a client does; False when it gave up."""
    attempts = [Attempt(org_id, record, world.now_ms) for record in records]
    ledger.attempts.extend(attempts)
    event = proxy_event(world, org_id, records)
    for _ in range(most_tries):
        task = world.invoke(FUNCTION, event)
        if not world.scheduler.join(task, TIMEOUTS_MS[FUNCTION] + 1_000):
            if world.random.random() < 0.5:
                task.kill()
        elif task.error is None and _was_answered(world, ledger, attempts, task.result):
            return True
        for attempt in attempts:
            attempt.has_open_tries = True
        world.scheduler.pause(world.random.choice((10, 3_000, 10_000)))
    world.counts["clients that gave up"] += 1
    return False


def _was_answered(
    world: World, ledger: Ledger, attempts: list[Attempt], answer: dict[str, Any]
) -> bool:
    status = answer["statusCode"]
    if status in (500, 503):
        return False
    if status not in (200, 207, 422):
        ledger.problems.append(f"I5: status {status}: {answer['body'][:200]}")
        return True
    body = json.loads(answer["body"])
    refused = {refusal["index"]: refusal["field"] for refusal in body["rejected"]}
    counted = body["accepted"] + body["unchanged"] + body["stale"] + len(refused)
    if counted != len(attempts):
        ledger.problems.append(f"I5: {counted} verdicts on {len(attempts)} records")
    for index, attempt in enumerate(attempts):
        attempt.ended_ms = world.now_ms
        attempt.is_taken = index not in refused
        attempt.refused_field = refused.get(index)
    return True


def proxy_event(world: World, org_id: str, records: list[Any]) -> dict[str, Any]:
    """The request as the gateway hands it over; it names another organisation where it can."""
    other = next((other for other in world.org_ids if other != org_id), org_id)
    return {
        "httpMethod": "POST",
        "path": f"/{other}/v1/records",
        "pathParameters": {"org_id": other},
        "multiValueQueryStringParameters": None,
        "multiValueHeaders": {"X-Org-Id": [other]},
        "requestContext": {
            "requestId": f"request-{world.counts['requests']}",
            "authorizer": {"org_id": org_id, "org_handle": org_id[:20], "epoch": "0"},
        },
        "body": to_json({"records": records}),
        "isBase64Encoded": False,
    }
