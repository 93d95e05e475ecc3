"""A warm GET handler's time beside that of the bare DynamoDB calls it makes.

`get_organisation_analytics` runs in this process against DynamoDB Local. The bare calls are those
that the handler was seen to make, with the same parameters, through the same client. Both are
timed in turn, many times, and their medians compared.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import data, wiring
from benchmarks.report import Report, Table, median, number
from rollcall.domain.organisations import tenant
from rollcall.storage.client import dynamodb_client

AIM = 1.25
CHECKOUT = Path(__file__).parents[1]
FUNCTION = CHECKOUT / "functions" / "get_organisation_analytics" / "handler.py"
EVENTS = CHECKOUT / "events" / "get_organisation_analytics"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 15_000)


def run(*, is_quick: bool) -> Report:
    report = Report("warm_get", engine=wiring.ENGINE)
    table = report.table(
        "get_organisation_analytics, median ms",
        "query",
        "handler",
        "bare calls",
        "ratio",
        "of the bare calls, exchange with the engine",
        "our own share, ms",
    )
    with wiring.engine():
        client = dynamodb_client(connections=16)
        timer = wiring.ExchangeTimer(client)
        with wiring.wired(client):
            for part in data.batches(data.stream_records(data.live(600, 30)), 500):
                wiring.apply(part)
            handler = _handler()
            for name, event in _events().items():
                _measure(
                    report, table, name, handler, event, client, timer, 200 if is_quick else 3_000
                )
    return report


def _handler() -> Callable[[Any, Any], dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("benchmarked_handler", FUNCTION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[Any, Any], dict[str, Any]] = module.lambda_handler
    return handler


def _events() -> dict[str, dict[str, Any]]:
    events = {}
    for name in ("organisation", "space"):
        event = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
        event["requestContext"]["authorizer"] |= {
            "org_id": data.ORG_ID,
            "org_handle": "bench",
            "epoch": "0",
        }
        event["multiValueHeaders"]["Org-Handle"] = ["bench"]
        if name == "space":
            event["multiValueQueryStringParameters"] = {"space_token": ["support"]}
        events[name] = event
    return events


def _measure(
    report: Report,
    table: Table,
    name: str,
    handler: Callable[[Any, Any], dict[str, Any]],
    event: dict[str, Any],
    client: Any,
    timer: wiring.ExchangeTimer,
    rounds: int,
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((model.name, copy.deepcopy(params)))

    client.meta.events.register("provide-client-params.dynamodb", note)
    answer = handler(event, CONTEXT)
    client.meta.events.unregister("provide-client-params.dynamodb", note)
    if answer["statusCode"] != 200:
        raise AssertionError(answer)
    methods = {"BatchGetItem": client.batch_get_item, "GetItem": client.get_item}
    bare = [(methods[operation], params) for operation, params in calls]

    whole: list[float] = []
    alone: list[float] = []
    exchange: list[float] = []
    with tenant(data.ORG_ID):
        for turn in range(rounds):
            # Whichever goes second finds warmer caches, so they take turns.
            for is_whole in (turn % 2 == 0, turn % 2 == 1):
                timer.reset()
                started = time.perf_counter()
                if is_whole:
                    handler(event, CONTEXT)
                else:
                    for method, params in bare:
                        method(**params)
                seconds = time.perf_counter() - started
                (whole if is_whole else alone).append(seconds * 1000)
                if not is_whole:
                    exchange.append(timer.seconds * 1000)
    ratio = median(whole) / median(alone)
    table.add(
        f"{name} ({', '.join(operation for operation, _ in calls)})",
        number(median(whole)),
        number(median(alone)),
        f"{ratio:.2f}",
        number(median(exchange)),
        number(median(whole) - median(alone)),
    )
    met = "met" if ratio <= AIM else "missed"
    report.finding(f"{name}: {ratio:.2f} × the bare calls; aim ≤ {AIM} × is {met}.")
