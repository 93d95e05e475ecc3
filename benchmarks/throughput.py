"""Records per second through ingest and through the updater, on DynamoDB Local.

Time inside DynamoDB calls and time in our own code are reported separately, because the emulator is not
DynamoDB: it is much slower at transactions, and shares the machine with us.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks import data, wiring, write_units
from benchmarks.report import Report, median, number
from rollcall import bootstrap
from rollcall.api import ingest as wire
from rollcall.api import strict_json
from rollcall.domain.facts import Change
from rollcall.domain.organisations import tenant
from rollcall.storage.client import dynamodb_client

COLUMNS = (
    "batch",
    "records a second",
    "µs a record",
    "in DynamoDB calls, µs (summed over threads)",
    "our own CPU, µs",
    "calls to DynamoDB a record",
)


def run(*, is_quick: bool) -> Report:
    report = Report(
        "throughput", engine=f"{wiring.ENGINE}, pages of {write_units.TARGET // 1024} KiB"
    )
    rounds = 2 if is_quick else 3
    with wiring.engine() as engine:
        _ingest(report, engine, rounds, 200 if is_quick else 1_000)
        _update(report, engine, is_quick=is_quick)
        _http(report, engine, 200 if is_quick else 2_000)
    return report


def _row(timer: wiring.ExchangeTimer, seconds: float, cpu: float, count: int) -> tuple[float, ...]:
    per = 1e6 / count
    return (count / seconds, seconds * per, timer.seconds * per, cpu * per, timer.calls / count)


def _ingest(report: Report, engine: wiring.Engine, rounds: int, count: int) -> None:
    """The use case over HTTP to the emulator: parsed documents in, receipt out."""
    batches = (1, 100, 500)
    measured: dict[int, list[tuple[float, ...]]] = {batch: [] for batch in batches}
    documents = data.documents(count + 1)
    for _ in range(rounds):
        for batch in batches:
            engine.fresh()
            client = dynamodb_client(connections=16)
            timer = wiring.ExchangeTimer(client)
            sample = documents[:count] if batch > 1 else documents[: count // 5]
            bodies = [_body(part) for part in data.batches(sample, batch)]
            with wiring.wired(client), tenant(data.ORG_ID):
                ingest = bootstrap.ingest()
                ingest(data.ORG_ID, _changes(_body(documents[-1:])))  # connections are open now
                timer.reset()
                started, cpu = time.perf_counter(), time.process_time()
                for body in bodies:
                    ingest(data.ORG_ID, _changes(body))
                seconds = time.perf_counter() - started
                measured[batch].append(_row(timer, seconds, time.process_time() - cpu, len(sample)))
    table = report.table("Ingest: parse, resolve, write the fact (16 writes at a time)", *COLUMNS)
    for batch, rows in measured.items():
        table.add(batch, *(number(median(column)) for column in zip(*rows, strict=True)))


def _update(report: Report, engine: wiring.Engine, *, is_quick: bool) -> None:
    """Stream records of live traffic through the updater, pages and rollups already there."""
    live = data.live(700 if is_quick else 2_500, write_units.CALLS_PER_SECOND)
    records = data.stream_records(live)
    count = 300 if is_quick else 2_000
    before, after = records[:-count], records[-count:]
    table = report.table("Updater: a batch of the stream into pages and rollups", *COLUMNS)
    for batch in write_units.BATCHES:
        engine.fresh()
        client = dynamodb_client(connections=4)
        timer = wiring.ExchangeTimer(client)
        sample = after[:40] if batch == 1 else after
        with wiring.wired(client):
            for part in data.batches(before, 1_000):
                wiring.apply(part)
            rows = []
            thirds = max(batch, len(sample) // 3)
            for third in data.batches(sample, thirds):
                timer.reset()
                started, cpu = time.perf_counter(), time.process_time()
                for part in data.batches(third, batch):
                    wiring.apply(part)
                seconds = time.perf_counter() - started
                rows.append(_row(timer, seconds, time.process_time() - cpu, len(third)))
        table.add(f"{batch:,}", *(number(median(column)) for column in zip(*rows, strict=True)))


def _http(report: Report, engine: wiring.Engine, count: int) -> None:
    """Through the local gateway: HTTP, authorizer, handler; then until the rollups have it all."""
    engine.fresh()
    table = report.table(
        "Over HTTP through the local stack (gateway, functions and pump share one process)",
        "records a request",
        "clients",
        "requests a second",
        "records a second acknowledged",
        "records a second, until in the rollups",
    )
    with wiring.wired(dynamodb_client(connections=4)):
        administer = bootstrap.administer()
        administer.create_organisation("bench-http", "Benchmark over HTTP")
        token = administer.issue_token("bench-http", ["ingest"]).text
    headers = {"Authorization": f"Bearer {token}"}
    with (
        wiring.local_stack(engine) as url,
        httpx.Client(base_url=url, headers=headers, timeout=300) as client,
    ):
        _post(client, _body(data.documents(1)))
        for seed, (size, clients) in enumerate(((1, 1), (1, 8), (100, 1), (100, 4))):
            documents = data.documents(count // 10 if size == 1 else count, data.SEED + seed)
            bodies = [_body(part) for part in data.batches(documents, size)]
            _drain(client)
            started = time.perf_counter()
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(functools.partial(_post, client), bodies))
            seconds = time.perf_counter() - started
            _drain(client)
            drained = time.perf_counter() - started
            table.add(
                size,
                clients,
                number(len(bodies) / seconds),
                number(len(documents) / seconds),
                number(len(documents) / drained),
            )


def _drain(client: httpx.Client) -> None:
    answer = client.post("/_local/drain")
    if answer.json() != {"drained": True}:
        raise AssertionError(answer.text)


def _body(documents: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"records": documents}).encode()


def _changes(body: bytes) -> list[tuple[int, Change]]:
    changes, refusals = wire.parse_documents(strict_json.loads(body)["records"])
    if refusals:
        raise AssertionError(refusals)
    return changes


def _post(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/records", content=body)
    if answer.status_code != 200:
        raise AssertionError(f"{answer.status_code}: {answer.text}")
