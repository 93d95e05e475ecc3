"""Each function's policy allows the requests that its handler makes, and hardly anything else."""

from __future__ import annotations

import base64
import dataclasses
import fnmatch
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from rollcall import bootstrap, commands, merging
from rollcall.domain.epochs import Epoch
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.records import Call
from rollcall.hooks.delivery import Delivery
from rollcall.hooks.events import Event
from rollcall.hooks.kept import delivery_document, waiting_name
from rollcall.hooks.state import CallState
from rollcall.ledger.page import Row
from rollcall.query.model import Reading
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from rollcall_cli.hooks.signing import signed
from rollcall_cli.openapi.examples import EXAMPLES, Example, read_examples
from tests.support.builders import NOON, call, contact_event, full_call, room
from tests.support.deployment import Stack, as_list, resource_text, stack
from tests.support.drift import Planter
from tests.support.tables import Tables
from tests.support.versions import versions_of

pytestmark = pytest.mark.engine


ROOT = Path(__file__).parents[1]
TABLES = {"rollcall-records": "RecordsTable", "rollcall-analytics": "AnalyticsTable"}
RESOURCES = TABLES | {
    f"{table}/index/GSI1": f"{resource}/index/GSI1" for table, resource in TABLES.items()
}
CACHED = [
    made
    for module in (bootstrap, commands, merging)
    for made in vars(module).values()
    if hasattr(made, "cache_clear")
]

SECRET = "key_retell"
RETELL = b'{"event":"call_started","call":{"call_id":"c9","start_timestamp":1709294400000}}'

Used = set[tuple[str, str, str]]  # action, table or index, leading key


Allowed = list[tuple[set[str], str, list[str]]]  # actions, table or index, leading-key patterns


def allowed_by(function: str, deployed: Stack) -> Allowed:
    """What a function's role allows on keys of the tables."""
    name = "".join(word.title() for word in function.split("_")) + "Function"
    role = deployed.resources[name]["Properties"]["Role"]["Fn::GetAtt"][0]
    found: Allowed = []
    for statement in deployed.statements(role):
        actions = set(as_list(statement["Action"]))
        resource = resource_text(statement["Resource"])
        if resource.startswith(("RecordsTable.Arn", "AnalyticsTable.Arn")):
            condition = statement["Condition"]["ForAllValues:StringLike"]
            found.append((actions, resource.replace(".Arn", ""), condition["dynamodb:LeadingKeys"]))
    return found


@pytest.fixture(params=[False, True], ids=["reports", "repairs"])
def repairs(request: pytest.FixtureRequest) -> bool:
    """The parameter ReconcileRepairs."""
    return bool(request.param)


@pytest.fixture
def used(
    client_of: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    repairs: bool,
    tmp_path: Path,
) -> Iterator[Used]:
    """What the product's own client asks for, on moto."""
    monkeypatch.setattr(
        bootstrap,
        "settings",
        dataclasses.replace(
            bootstrap.settings,
            failure_destination=(tmp_path / "failures").as_uri(),
            hook_key=(tmp_path / "hook.key").as_uri(),
            reconcile_repairs=repairs,
            reconcile_grace_seconds=0,
        ),
    )
    for service in CACHED:
        service.cache_clear()
    client = client_of("moto")
    monkeypatch.setattr(bootstrap, "dynamodb_client", lambda **_: client)
    requests: Used = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests.update(_actions(model.name, params))

    client.meta.events.register("provide-client-params.dynamodb", note)
    yield requests
    for service in CACHED:
        service.cache_clear()


def let_rest(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of one row each, of which a merge finds all but the last at rest."""
    small = dataclasses.replace(
        bootstrap.settings, page_target_bytes=1, segment_bytes=500, cold_after_hours=0
    )
    monkeypatch.setattr(bootstrap, "settings", small)
    rows = [
        Row(f"rests {n}", 1, n * 1_000, Call(n * 1_000, "busy", answered=False, attempt=1))
        for n in range(12)
    ]
    bootstrap.apply_facts().rows(organisation, [("call", row) for row in rows], [organisation.live])


def _actions(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    match operation:
        case "TransactWriteItems":
            for action in params["TransactItems"]:
                for kind, request in action.items():
                    key = request["Item"] if kind == "Put" else request["Key"]
                    yield f"dynamodb:{kind}Item", request["TableName"], key["PK"]["S"]
        case "BatchGetItem":
            for table, request in params["RequestItems"].items():
                for key in request["Keys"]:
                    yield "dynamodb:BatchGetItem", table, key["PK"]["S"]
        case "Query":
            pk = params["ExpressionAttributeValues"][":pk"]["S"]
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            yield "dynamodb:Query", f"{params['TableName']}{index}", pk
        case "PutItem":
            yield "dynamodb:PutItem", params["TableName"], params["Item"]["PK"]["S"]
        case _:
            yield f"dynamodb:{operation}", params["TableName"], params["Key"]["PK"]["S"]


def handler(function: str) -> Callable[[Any, Any], Any]:
    path = ROOT / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"policy_check_{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.lambda_handler


def proxy_event(organisation: Any, handle: str, **fields: Any) -> dict[str, Any]:
    context = {"org_id": organisation.id, "org_handle": organisation.handle, "epoch": "0"}
    return {
        "multiValueHeaders": {"Org-Handle": [handle]},
        "requestContext": {"requestId": "r", "authorizer": context},
        **fields,
    }


def documented_event(organisation: Any, handle: str, example: Example) -> dict[str, Any]:
    """The request of a documented example; `Org-Handle` is the organisation's."""
    request = example.request
    return proxy_event(
        organisation,
        handle,
        pathParameters=request.get("path"),
        multiValueQueryStringParameters={
            name: [value] for name, value in request.get("query", {}).items()
        },
        **(query(**request["body"]) if "body" in request else {}),
    )


def query(**body: Any) -> dict[str, Any]:
    return {"body": base64.b64encode(json.dumps(body).encode()).decode(), "isBase64Encoded": True}


def delivery(hook: Any, body: bytes) -> dict[str, Any]:
    """A signed delivery to a hook, without the authorizer."""
    headers = signed("retell", SECRET, hook.url, body, bootstrap.now_ms())
    return {
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "pathParameters": {"provider": "retell", "hook_id": hook.id},
        "requestContext": {"requestId": "r"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def leave_open(hook: Any, call_id: str) -> None:
    """Store what the hook knows of a call whose end never came."""
    values = {"started_at": '"2024-03-01T12:00:00Z"', "status": '"in_progress"'}
    two_days_ago_ms = bootstrap.now_ms() - 48 * 3_600_000
    state = CallState().folded(Event(call_id, 3, two_days_ago_ms, "d" * 64, values))
    place = hook.stored.org_id, hook.stored.key, call_id
    with tenant(hook.stored.org_id):
        bootstrap.hook_states().write(*place, state.to_text(), 0, state.open_since_ms)


def let_wait(hook: Any, body: bytes) -> None:
    """Keep a delivery for the replay."""
    now_ms = bootstrap.now_ms()
    kept = Delivery("", body, {}, {}, now_ms)
    document = delivery_document(hook.stored, kept, now_ms, "not recorded yet")
    name = waiting_name(hook.stored.key, kept)
    bootstrap._inbox().keep(name, json.dumps(document).encode())


def plant(planter: Planter) -> None:
    """Drift whose repair takes a request of every kind."""
    for kind in (
        Planter.fact_removed,
        Planter.rollup_altered,
        Planter.rollup_of_an_unknown_template,
    ):
        assert kind(planter)


@pytest.mark.slow
def test_policies_allow_what_handlers_do(
    monkeypatch: pytest.MonkeyPatch, used: Used, endpoint_of: Callable[[str], str], repairs: bool
) -> None:
    deployed = stack(ReconcileRepairs=str(repairs).lower())
    admin = bootstrap.administer()
    handle = f"policies-{repairs}"
    organisation = admin.create_organisation(handle, "Policies")
    issued = admin.issue_token(handle, ["read", "ingest"])
    records = [
        full_call("c1", started_at=NOON, space_token="s"),
        full_call("c2", started_at=NOON, direction="inbound"),
        room("r1", workspace_id="w"),
        contact_event("e1", workspace_id="w", event_type="room_join", room_id="r1"),
    ]
    # A later version without a detail removes the stored one: of c8 another record, of c9 its hook's.
    said = [full_call("c8"), call("c8"), full_call("c9", updated_at="2024-03-01T12:00:00Z")]
    body = json.dumps({"records": [*records, *said]})
    deletion = {"type": "call", "id": "c3", "deleted": True}
    said = [call(id, detail={"summary": "A talk."}, updated_at=NOON) for id in ("c7", "c8")]
    bodies = [json.dumps({"records": sent}) for sent in (said, [call("c7")])]
    said = [call(id, detail={"summary": "A talk."}, updated_at=NOON) for id in ("c5", "c6")]
    later = json.dumps({"records": said})
    hook = commands.manage_hooks().create(handle, "retell", SECRET, "https://api", {})
    room_hook = commands.manage_hooks().create(handle, "livekit", "key:secret", "https://api", {})
    images = [
        item_of_fact(keys.fact(organisation.id, fact.type, fact.id, 1), fact)
        for fact in versions_of([*records, full_call("c3", merchant_id="m3"), deletion])
    ]
    lambda_context = SimpleNamespace(
        aws_request_id="r", get_remaining_time_in_millis=lambda: 60_000
    )
    stream = [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}}
        for number, image in enumerate(images)
    ]
    method_arn = "arn:aws:execute-api:us-east-1:123456789012:api/live/GET/x"
    analytics = "get_organisation_analytics"
    reads_back = [
        ("get_call", proxy_event(organisation, "", pathParameters={"id": "c1"})),
        ("get_record", proxy_event(organisation, "", pathParameters={"type": "room", "id": "r1"})),
    ]
    requests: list[tuple[str, Any]] = [
        (
            "authorize_request",
            {
                "methodArn": method_arn,
                "multiValueHeaders": {"Authorization": [f"Token {issued.text}"]},
            },
        ),
        ("ingest_records", proxy_event(organisation, handle, body=body)),
        *reads_back,  # before any page is written, and after
        *(("update_rollups", {"Records": records}) for records in (stream[:-1], stream[-1:])),
        *reads_back,
        (analytics, proxy_event(organisation, handle)),
        (
            analytics,
            proxy_event(
                organisation, handle, multiValueQueryStringParameters={"space_token": ["s"]}
            ),
        ),
        (analytics, proxy_event(organisation, "someone-else")),
        ("query_analytics", proxy_event(organisation, "", **query(query_type="call_count"))),
        (
            "query_analytics",
            proxy_event(
                organisation,
                "",
                **query(query_type="call_count", filters={"date_from": NOON, "min_duration": 1}),
            ),
        ),
        *(
            (
                f"get_{kind}_analytics",
                proxy_event(
                    organisation,
                    "",
                    pathParameters={f"{kind}Id": "campaign-1"},
                    **query(**{"from": "2024-03-01T00:00:00Z", "to": NOON}),
                ),
            )
            for kind in ("inbound", "outbound", "pearl")
        ),
        (
            "get_workspace_analytics",
            proxy_event(organisation, "", pathParameters={"workspaceId": "w"}),
        ),
        ("search_calls", proxy_event(organisation, "", **query())),
        ("search_calls", proxy_event(organisation, "", **query(**{"from": "2030-01-01"}))),
        *(
            (
                "list_values",
                proxy_event(
                    organisation,
                    "",
                    pathParameters={"dimension": dimension},
                    multiValueQueryStringParameters={"from": [start]},
                ),
            )
            for dimension, start in (("space_token", "2024-01-01"), ("attempt", "2030-01-01"))
        ),
        ("get_audit", proxy_event(organisation, "")),
        ("list_hooks", proxy_event(organisation, "")),
        ("receive_hook", delivery(hook, b'{"event":"chat_started"}')),
        ("receive_hook", delivery(hook, RETELL)),
        # What was said is removed by a version without it.
        *(("ingest_records", proxy_event(organisation, handle, body=body)) for body in bodies),
        ("receive_hook", delivery(hook, RETELL.replace(b'"c9"', b'"c8"'))),
        ("get_health", {"requestContext": {"requestId": "r"}}),
        ("reconcile_organisations", {}),
        ("merge_pages", {}),
        ("ingest_records", proxy_event(organisation, handle, body=later)),
        ("sweep_hooks", {}),
        ("replay_deliveries", {}),
    ]
    listed = {function for function, _ in requests}
    requests += [
        (function, documented_event(organisation, handle, example))
        for function, examples in read_examples(ROOT / EXAMPLES).items()
        if function not in listed
        for example in examples
        if example.status == 200
    ]
    assert {function for function, _ in requests} == {
        path.parent.name for path in (ROOT / "functions").glob("*/handler.py")
    }
    needed: dict[str, Used] = {}
    for function, event in requests:
        if function == "sweep_hooks":
            leave_open(room_hook, "c6")
        if function == "merge_pages":
            let_rest(organisation, monkeypatch)
        if function == "replay_deliveries":
            let_wait(hook, RETELL.replace(b'"c9"', b'"c5"'))
        if function == "reconcile_organisations":
            tables = Tables(endpoint_of("moto"), organisation.id)
            plant(Planter(tables, organisation.epoch(organisation.live), Random(1)))
        for service in CACHED:  # as in an execution environment of its own
            service.cache_clear()
        used.clear()
        answer = handler(function)(event, lambda_context)
        bootstrap._aside().shutdown()  # what a function does beside its answer is done now
        assert answer.get("statusCode", 200) in (200, 404), answer
        assert not answer.get("batchItemFailures")
        needed.setdefault(function, set()).update(used)
        if function == "update_rollups":
            with tenant(organisation.id):
                totals = bootstrap.count()(Reading(Epoch(organisation.id, 0)), None)
    assert totals.calls["calls"] == 2

    for function, requests_made in needed.items():
        allowed = allowed_by(function, deployed)
        for action, table, pk in requests_made:
            assert any(
                action in actions
                and RESOURCES[table] == allowed_table
                and any(fnmatch.fnmatchcase(pk, pattern) for pattern in patterns)
                for actions, allowed_table, patterns in allowed
            ), f"{function} is not allowed {action} on {table} {pk}"
        made = {(action, RESOURCES[table]) for action, table, _ in requests_made}
        granted = {(action, table) for actions, table, _ in allowed for action in actions}
        assert granted == made, f"{function} may do more than it does"
