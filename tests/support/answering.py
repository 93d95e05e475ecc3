"""Rollcall in this process: every part is real but the network, the clock and the gateway.

Records go in through the real parser, conflict resolution, stream parser, updater and page codec into DynamoDB in
memory; queries go to the real Lambda handlers as API Gateway's proxy events.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from rollcall import bootstrap, clock, commands
from rollcall.api.records.faults import RefusedRecord
from rollcall.domain.contributions import CURRENT_VERSION
from rollcall.domain.facts import MAX_CLOCK_SKEW_MS, Fact, resolve
from rollcall.domain.organisations import Organisation, tenant
from rollcall.domain.time.calendar import LAST_MS
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row
from rollcall.ledger.writer import by_bucket
from rollcall.maintenance.merge_pages import MergePages
from rollcall.retry import Backoff
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall.storage.client import dynamodb_client
from rollcall.storage.fact_items import item_of_fact
from rollcall.storage.merging import PageMerging
from rollcall.storage.pages import PageStore
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.limits import Limits
from tests.support.emulator.transport import attach
from tests.support.failures import MemoryFailures
from tests.support.oracle import Oracle
from tests.support.parsing import parsed
from tests.support.stack import to_json

FUNCTIONS = Path(__file__).parents[2] / "functions"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",  # no server listens there: no request may get out
}
BATCH = 500

Content = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)


class Lambda:
    """The context of an invocation that has time."""

    aws_request_id = "invocation-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 20_000


class NoQuarantine:
    """Fails when a record is quarantined: tests send none that should be."""

    @staticmethod
    def put(records: Any, reason: str) -> None:
        raise AssertionError(f"quarantined, because {reason}: {records}")


class PlainCipher:
    """Secrets of hooks are not encrypted here."""

    @staticmethod
    def open(sealed: bytes, key: str) -> str:
        del key
        return sealed.decode()


class Deployment:
    """Tables, functions, and a clock that stands still until it is set.

    With `segment_bytes`, all pages but the last of each ledger are merged whenever records were added.
    """

    def __init__(self, store: MemoryDynamoDb, now_ms: int, segment_bytes: int = 0) -> None:
        self.store = store
        self.now_ms = now_ms
        self.segment_bytes = segment_bytes
        self.contribution_version = CURRENT_VERSION
        self.failures = MemoryFailures()
        self.bucket_counts: Sequence[int] = (1, 16, 1, 3, 8)
        self._numbers = itertools.count(1)
        self._epoch = 0
        self._organisation: Organisation
        self._stored: dict[tuple[str, str], Fact] = {}
        self._handlers: dict[str, Any] = {}

    def organisation(
        self, records: Sequence[Any], oracle: Oracle | None = None, buckets: int = 0
    ) -> str:
        """A new organisation with these records, given to the oracle too; its id.

        What the organisations before it had is gone. Their facts lie in one shard or several, and
        their analytics in one epoch or another, of one bucket or several.
        """
        self.store.clear()
        number = next(self._numbers)
        self._epoch = number % 3
        buckets = buckets or self.bucket_counts[number % len(self.bucket_counts)]
        self._organisation = Organisation(
            id=f"org_{number}",
            handle="acme",
            name="Acme",
            created_at_ms=1,
            buckets=(1, 16)[number % 2],
            live=self._epoch,
            written=(self._epoch,),
            contributions={self._epoch: self.contribution_version},
            bucket_counts={self._epoch: buckets} if buckets > 1 else {},
        )
        org_id = self._organisation.id
        item = item_of_organisation(keys.organisation(org_id), self._organisation)
        self.store.put(settings.records_table, item)
        self._stored = {}
        self.add(records, oracle)
        return org_id

    def add(self, records: Sequence[Any], oracle: Oracle | None = None) -> None:
        """More records for the organisation that was made last."""
        org_id, buckets = self._organisation.id, self._organisation.buckets
        images = []
        for version in self._versions(records):
            key = keys.fact(org_id, version.type, version.id, buckets)
            images.append(item_of_fact(key, version))
            self.store.put(settings.records_table, images[-1])
        stream = [{"eventName": "MODIFY", "dynamodb": {"NewImage": image}} for image in images]
        for start in range(0, len(stream), BATCH):
            result = bootstrap.update()(stream[start : start + BATCH])
            assert not result.failures, result.failures
        if self.segment_bytes:
            self._merge()
        if oracle is not None:
            for start in range(0, len(records), 500):
                oracle.post(list(records[start : start + 500]), self.now_ms)

    def _merge(self) -> None:
        pages = PageMerging(bootstrap.dynamodb(), settings.analytics_table, Backoff())
        merging = MergePages(
            bootstrap.directory(),
            pages,
            lambda: LAST_MS,
            cold_after_hours=0,
            segment_bytes=self.segment_bytes,
        )
        merged = merging.organisation(self._organisation)
        assert (merged.error, merged.is_finished) == (None, True)

    def apply(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Put rows into pages of the organisation that was made last; no rollup counts them."""
        org_id, client = self._organisation.id, bootstrap.dynamodb()
        table, target_bytes = settings.analytics_table, bootstrap.settings.page_target_bytes
        with tenant(org_id):
            for bucket, own in by_bucket(self._organisation.epoch(self._epoch), rows).items():
                pages = PageStore(client, table, bucket, lambda: self.now_ms, Backoff())
                Applier(pages, lambda *_: iter(()), target_bytes=target_bytes).apply(own)

    def _versions(self, records: Sequence[Any]) -> list[Fact]:
        """Every version that is stored, in the order in which it is."""
        stored = self._stored
        versions = []
        for index, record in enumerate(records):
            try:
                change = parsed(record)
            except RefusedRecord:
                continue
            if (change.updated_at_ms or 0) > self.now_ms + MAX_CLOCK_SKEW_MS:
                continue
            key = (change.type, change.id)
            fact = resolve(stored.get(key), change, self.now_ms * 1000 + index % 1000).fact
            if fact is not None:
                stored[key] = fact
                versions.append(fact)
        return versions

    def ask(
        self,
        function: str,
        org_id: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, list[str]] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """What a function answers; `body` is sent as JSON, bytes as they are."""
        is_bytes = isinstance(body, bytes)
        sent = (
            base64.b64encode(body).decode() if is_bytes else None if body is None else to_json(body)
        )
        event = {
            "resource": "/",
            "path": "/",
            "httpMethod": "GET" if body is None else "POST",
            "headers": dict(headers or {}),
            "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
            "queryStringParameters": {n: values[-1] for n, values in query.items()}
            if query
            else None,
            "multiValueQueryStringParameters": dict(query) if query else None,
            "pathParameters": {n: quote(v, safe="") for n, v in path.items()} if path else None,
            "stageVariables": None,
            "requestContext": {
                "requestId": "request-1",
                "authorizer": {
                    "principalId": org_id,
                    "org_id": org_id,
                    "org_handle": "acme",
                    "epoch": str(self._epoch),
                    "buckets": str(self._organisation.epoch(self._epoch).bucket_count),
                    "scopes": "read ingest",
                    "token_id": "token-1",
                },
            },
            "body": sent,
            "isBase64Encoded": is_bytes,
        }
        return self.invoke(function, event)

    def invoke(self, function: str, event: Mapping[str, Any]) -> Answer:
        """What a function answers to an event of the gateway."""
        answer = self._handler(function)(event, Lambda())
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def _handler(self, function: str) -> Any:
        if function not in self._handlers:
            self._handlers[function] = load_handler(function)
        return self._handlers[function]


@functools.cache
def _code(function: str) -> CodeType:
    path = FUNCTIONS / function / "handler.py"
    return compile(path.read_text("utf-8"), str(path), "exec")


def load_handler(function: str) -> Any:
    """A function's handler out of a module of its own, as an execution environment begins."""
    module = ModuleType(f"answering.{function}")
    exec(_code(function), module.__dict__)
    return module.lambda_handler


def forget_services() -> None:
    """Let every service be made again, as in an execution environment of its own."""
    for made in (*vars(bootstrap).values(), *vars(commands).values()):
        if hasattr(made, "cache_clear"):
            made.cache_clear()


@contextmanager
def wired(**made: Any) -> Iterator[None]:
    """The product with these names of `rollcall.bootstrap` in the place of its own."""
    with ExitStack() as stack:
        for name, value in made.items():
            stack.enter_context(patch.object(bootstrap, name, value))
        forget_services()
        stack.callback(forget_services)
        yield


@contextmanager
def deployed(
    now_ms: int,
    page_target_bytes: int = 1_024,
    answer_bytes: int = 1_536,
    batch_keys: int = 16,
    segment_bytes: int = 0,
) -> Iterator[Deployment]:
    """A deployment whose pages split early and whose reads come back in small pieces."""
    store = MemoryDynamoDb(Limits(answer_bytes, batch_keys))
    deployment = Deployment(store, now_ms, segment_bytes)
    changed = dataclasses.replace(settings, page_target_bytes=page_target_bytes)
    # Handlers that need the time import it themselves, when they are first asked.
    standing = patch.object(clock, "now_ms", lambda: deployment.now_ms)
    with patch.dict(os.environ, ENVIRONMENT), standing:
        client = dynamodb_client(connections=16)
        attach(store, client)
        with wired(
            settings=changed,
            dynamodb=lambda: client,
            _quarantine=NoQuarantine,
            _inbox=lambda: deployment.failures,
            hook_cipher=PlainCipher,
            Backoff=lambda: Backoff(sleep=lambda _seconds: None),
            now_ms=lambda: deployment.now_ms,
            now_us=lambda: deployment.now_ms * 1_000,
        ):
            yield deployment
