"""A signed delivery of a provider beside `POST /v1/records` with one call.

Over HTTP, on the local stack, both are sent in turns, each on a connection of its own. In this process
the handlers run against DynamoDB Local, in turns too, and their time is split.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

from benchmarks import data, wiring
from benchmarks.asking import CONTEXT, Query, Split, Watch, load_handler
from benchmarks.report import Report, median, number
from rollcall import bootstrap
from tests.support import stack as stacks
from tests.support.answering import PlainCipher
from tests.support.hook_requests import SentHook, new_hook

PROVIDER, SECRET = "retell", "key_retell"


def _ended(number: int, event: str = "call_ended") -> bytes:
    """The end of a call, as Retell reports it."""
    started_ms = time.time_ns() // 1_000_000 - 120_000
    call = {
        "call_id": f"call-{number}",
        "agent_id": "agent-3",
        "direction": "inbound",
        "call_status": "ended",
        "start_timestamp": started_ms,
        "end_timestamp": started_ms + 90_000,
        "duration_ms": 90_000,
        "disconnection_reason": "user_hangup",
        "call_cost": {"combined_cost": 12.5},
        "transcript": "Agent: Hello.\nUser: I want to talk about an invoice.",
    }
    return json.dumps({"event": event, "call": call}).encode()


def _record(number: int) -> dict[str, Any]:
    """The same call as a record."""
    started_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 120))
    turns = [("Agent", "Hello."), ("User", "I want to talk about an invoice.")]
    record = {
        "type": "call",
        "id": f"sent-{number}",
        "template_id": "agent-3",
        "direction": "inbound",
        "status": "completed",
        "started_at": started_at,
        "duration_seconds": 90,
        "disposition": "completed",
        "ended_reason": "user_hangup",
        "cost": 0.125,
        "detail": {"transcript": [{"role": role, "text": text} for role, text in turns]},
    }
    return {"records": [record]}


def run(*, is_quick: bool) -> Report:
    report = Report("hooks", engine=wiring.ENGINE)
    rounds = 20 if is_quick else 400
    _over_http(report, rounds)
    _in_process(report, rounds)
    return report


# ------------------------------------------------------------------------ over HTTP
def _over_http(report: Report, rounds: int) -> None:
    with contextlib.ExitStack() as exits:
        stack = stacks.start("dynamodb-local")
        exits.callback(stack.stop)
        organisation = stack.new_organisation()
        created = stack.hooks.create(organisation.handle, PROVIDER, SECRET, stack.api, {})
        hook = SentHook(created.id, "", PROVIDER)

        def deliver(number: int) -> int:
            body = _ended(number)
            headers = hook.headers(body, time.time_ns() // 1_000_000).items()
            path = f"/v1/hooks/{PROVIDER}/{created.id}"
            return stacks.request(stack.api, "POST", path, headers, body).status

        def post(number: int) -> int:
            return organisation.send("POST", stacks.RECORDS, _record(number)).status

        found = _in_turns({"delivery": deliver, "record": post}, rounds)
    table = report.table(
        "One new call on the local stack, over HTTP", "request", "median ms", "90 % below, ms"
    )
    for name, seconds in found.items():
        table.add(_NAMES[name], number(median(seconds) * 1_000), number(_high(seconds) * 1_000))
    ratio = median(found["delivery"]) / median(found["record"])
    report.finding(f"Over HTTP a signed delivery takes {ratio:.2f} × a request with one record.")


def _in_turns(acts: dict[str, Callable[[int], int]], rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(-10, rounds):
        # Whichever goes second finds warmer caches, so they take turns.
        names = list(acts) if turn % 2 else list(reversed(acts))
        for name in names:
            began = time.perf_counter()
            status = acts[name](turn)
            if status != 200:
                raise AssertionError(f"{name} was answered {status}")
            if turn >= 0:
                found[name].append(time.perf_counter() - began)
    return found


def _high(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.9)]


# ------------------------------------------------------------------------ in this process
def _in_process(report: Report, rounds: int) -> None:
    with wiring.engine() as engine, patch.object(bootstrap, "hook_cipher", PlainCipher):
        del engine
        client = wiring.patient_client()
        watch = Watch(client)
        hook = new_hook(Random(1), data.ORG_ID, PROVIDER)
        now_ms = time.time_ns() // 1_000_000
        client.put_item(TableName=wiring.RECORDS, Item=hook.item(now_ms))
        with wiring.wired(client):
            handlers = {name: load_handler(name) for name in ("receive_hook", "ingest_records")}
            splits = _split(watch, handlers, hook, rounds)
    table = report.table(
        "The handlers, median ms",
        "request",
        "whole",
        "in exchanges with DynamoDB Local",
        "our own CPU",
        "of it botocore",
        "without botocore",
    )
    for name, split in splits.items():
        parts = (split.whole, split.exchange, split.own, split.botocore, split.own - split.botocore)
        table.add(_NAMES[name], *(number(seconds * 1_000) for seconds in parts))
    delivery, record = splits["delivery"], splits["record"]
    report.finding(
        f"A delivery takes {number(delivery.own * 1_000)} ms of our own CPU, "
        f"{delivery.own / record.own:.2f} × a request with one record."
    )


def _split(watch: Watch, handlers: dict[str, Any], hook: SentHook, rounds: int) -> dict[str, Split]:
    found: dict[str, list[Split]] = {name: [] for name in _NAMES}
    for turn in range(-10, rounds):
        events = list(_events(hook, turn))
        for name, function, event in events if turn % 2 else [*events[3:], *events[:3]]:
            answer, split = watch.time(partial(handlers[function], event, CONTEXT))
            if answer["statusCode"] != 200:
                raise AssertionError(answer)
            if turn >= 0:
                found[name].append(split)
    return {name: Split.medians(splits) for name, splits in found.items()}


def _events(hook: SentHook, number: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    now_ms = time.time_ns() // 1_000_000
    ended, analysed = _ended(number), _ended(number, "call_analyzed")
    yield "delivery", "receive_hook", hook.event(ended, now_ms)
    yield "next", "receive_hook", hook.event(analysed, now_ms)
    yield "again", "receive_hook", hook.event(ended, now_ms)
    query = Query("one record", "ingest_records", body=_record(number))
    yield "record", "ingest_records", query.event()


_NAMES = {
    "delivery": "a signed delivery, the first of its call",
    "next": "the next event of the call",
    "again": "a repetition",
    "record": "`POST /v1/records` with one new call",
}
