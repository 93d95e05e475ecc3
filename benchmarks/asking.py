"""Queries to the analytics functions, sent in this process as API Gateway sends them, and timed."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from benchmarks import data, wiring
from benchmarks.report import median
from tests.support.emulator.dynamodb import MemoryDynamoDb

CHECKOUT = Path(__file__).parents[1]
FUNCTIONS = CHECKOUT / "functions"
# More than any function has: a slow emulator is to be measured, not refused.
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)

Handler = Callable[[Any, Any], dict[str, Any]]


@dataclass(frozen=True)
class Query:
    """One request to an analytics function. `path` has its parameters, `body` is sent as JSON."""

    name: str
    function: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """The proxy event, as API Gateway makes it."""
        body = None if self.body is None else base64.b64encode(json.dumps(self.body).encode())
        return {
            "resource": "/",
            "path": "/",
            "httpMethod": "GET" if body is None else "POST",
            "headers": dict(self.headers),
            "multiValueHeaders": {name: [value] for name, value in self.headers.items()},
            "queryStringParameters": dict(self.query) or None,
            "multiValueQueryStringParameters": {n: [v] for n, v in self.query.items()} or None,
            "pathParameters": {n: quote(v, safe="") for n, v in self.path.items()} or None,
            "stageVariables": None,
            "requestContext": {
                "requestId": "benchmark",
                "authorizer": {
                    "principalId": data.ORG_ID,
                    "org_id": data.ORG_ID,
                    "org_handle": "bench",
                    "epoch": "0",
                    "scopes": "read",
                    "token_id": "benchmark",
                },
            },
            "body": None if body is None else body.decode(),
            "isBase64Encoded": body is not None,
        }


@dataclass(frozen=True)
class Split:
    """What one answer took, in seconds.

    `exchange` is from sending a request to having its answer, summed over requests that run at
    once; `own` is our CPU time outside of that, `botocore` what of it botocore takes.
    """

    whole: float
    exchange: float
    own: float
    botocore: float

    @staticmethod
    def medians(splits: Iterable[Split]) -> Split:
        columns = zip(*((s.whole, s.exchange, s.own, s.botocore) for s in splits), strict=True)
        return Split(*(median(column) for column in columns))


@dataclass(frozen=True)
class Answer:
    """An answer, and the medians of what it took when warm."""

    body: Any
    headers: Mapping[str, str]
    split: Split

    @property
    def source(self) -> str:
        return self.headers["X-Rollcall-Source"]

    @property
    def items(self) -> int:
        return int(self.headers["X-Rollcall-Items-Read"])

    @property
    def units(self) -> float:
        return float(self.headers["X-Rollcall-Read-Units"])


class Watch:
    """Divides an answer's time into parts, at a client and the store in memory under it."""

    def __init__(self, client: Any, store: MemoryDynamoDb | None = None) -> None:
        self._store = store
        self._exchange = self._exchange_cpu = self._calls_cpu = 0.0
        session = client._endpoint.http_session  # noqa: SLF001 - the seam below all of botocore
        send, call = session.send, client._make_api_call  # noqa: SLF001 - and the one above it

        def timed_send(request: Any) -> Any:
            clock, cpu = time.perf_counter(), time.thread_time()
            try:
                return send(request)
            finally:
                self._exchange += time.perf_counter() - clock
                self._exchange_cpu += time.thread_time() - cpu

        def timed_call(*args: Any) -> Any:
            cpu = time.thread_time()
            try:
                return call(*args)
            finally:
                self._calls_cpu += time.thread_time() - cpu

        session.send = timed_send
        client._make_api_call = timed_call  # noqa: SLF001

    def time(self, act: Callable[[], Any]) -> tuple[Any, Split]:
        """(what `act` gives, what it took)."""
        self._exchange = self._exchange_cpu = self._calls_cpu = 0.0
        if self._store is not None:
            self._store.meter.seconds = 0.0
        with _on_one_core() if self._store is not None else contextlib.nullcontext():
            clock, cpu = time.perf_counter(), time.process_time()
            result = act()
            whole, used = time.perf_counter() - clock, time.process_time() - cpu
        outside = self._store.meter.seconds if self._store is not None else self._exchange_cpu
        exchange = self._store.meter.seconds if self._store is not None else self._exchange
        return result, Split(whole, exchange, used - outside, self._calls_cpu - outside)


@contextlib.contextmanager
def _on_one_core() -> Iterator[None]:
    """Keep the threads of this process on one core, where the system allows it: a function has one vCPU.

    On two cores, waiting for the interpreter adds to the CPU time.
    """
    if sys.platform != "linux":
        yield
        return
    cores = os.sched_getaffinity(0)
    _keep_on({min(cores)})
    try:
        yield
    finally:
        _keep_on(cores)


def _keep_on(cores: set[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


class Functions:
    """The analytics functions over one client. Needs `wiring.wired` while it is made."""

    def __init__(self, watch: Watch, names: Iterable[str]) -> None:
        self._watch = watch
        self._handlers = {name: load_handler(name) for name in names}

    def ask(
        self, query: Query, *, is_refusal_expected: bool = False
    ) -> tuple[dict[str, Any], Split]:
        """The proxy's answer, and what it took."""
        handler, event = self._handlers[query.function], query.event()
        answer, split = self._watch.time(lambda: handler(event, CONTEXT))
        if answer["statusCode"] != 200 and not is_refusal_expected:
            raise AssertionError(answer)
        return answer, split


@dataclass(frozen=True)
class Turns:
    """At least `rounds`, and more until `seconds` are over, but at most `most`.

    In its turn, each side answers `in_a_row` times: what the others leave in the processor's caches
    would otherwise decide the time of an answer of a few milliseconds.
    """

    rounds: int
    most: int
    seconds: float = 0.0
    in_a_row: int = 1


def in_turns(
    query: Query,
    places: Sequence[Functions],
    turns: Turns,
    also: Sequence[Callable[[], Any]] = (),
) -> list[Answer]:
    """Ask in each place in turn, after a first turn that does not count; the answer in each.

    Each of `also` is done in every turn, the first one too.
    """
    wiring.skip_what_exists()
    splits: list[list[Split]] = [[] for _ in places]
    answers: list[dict[str, Any]] = [{} for _ in places]
    until = time.monotonic() + turns.seconds
    for turn in range(turns.most + 1):
        if turn > turns.rounds and time.monotonic() >= until:
            break
        for number, functions in enumerate(places):
            for _ in range(turns.in_a_row):
                answers[number], split = functions.ask(query)
                splits[number] += [split] if turn else []
        for act in also:
            for _ in range(turns.in_a_row):
                act()
    return [
        Answer(json.loads(answer["body"]), answer["headers"], Split.medians(of_place))
        for answer, of_place in zip(answers, splits, strict=True)
    ]


def load_handler(function: str) -> Handler:
    """A function's handler. Needs `wiring.wired` while it is made."""
    path = FUNCTIONS / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"benchmarked.{function}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Handler = module.lambda_handler
    return handler
