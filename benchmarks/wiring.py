"""The real use cases over the client a benchmark gives them, and the engines they run on."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from benchmarks.data import ORG_ID
from rollcall import bootstrap
from rollcall.domain.organisations import Organisation
from rollcall.ingest.update import Update
from rollcall.settings import DEFAULT_ANALYTICS_TABLE, DEFAULT_RECORDS_TABLE, settings
from rollcall.storage import keys
from rollcall.storage.accounts import item_of_organisation
from rollcall.storage.client import dynamodb_client
from rollcall_cli.local import dynamodb_local, jar
from rollcall_cli.local.child_process import ChildProcess
from rollcall_cli.local.project import find_template
from rollcall_cli.local.tables import create_tables
from rollcall_cli.local.template import load_template
from tests.support.emulator import transport
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.items import Item
from tests.support.emulator.metering import kind_of

CHECKOUT = Path(__file__).parents[1]
RECORDS, ANALYTICS = DEFAULT_RECORDS_TABLE, DEFAULT_ANALYTICS_TABLE
ENGINE = f"DynamoDB Local {jar.NPM_VERSION}"
ORGANISATION = Organisation(id=ORG_ID, handle="bench", name="Benchmark", created_at_ms=1, buckets=1)

_CONNECTIONS = 16
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
}


class NoQuarantine:
    """Nothing a benchmark sends is to be quarantined."""

    def put(self, records: Any, reason: str) -> None:
        raise AssertionError(f"quarantined, because {reason}: {records}")


@contextlib.contextmanager
def environment(url: str = "http://127.0.0.1:9") -> Iterator[None]:
    """AWS's variables for an engine at `url`."""
    with patch.dict(os.environ, _CREDENTIALS | {"AWS_ENDPOINT_URL_DYNAMODB": url}):
        yield


@contextlib.contextmanager
def wired(client: Any, page_target_bytes: int = settings.page_target_bytes) -> Iterator[None]:
    """Let `rollcall.bootstrap` wire its use cases over `client`."""
    changed = dataclasses.replace(settings, page_target_bytes=page_target_bytes)
    caches = [made for made in vars(bootstrap).values() if hasattr(made, "cache_clear")]
    for cache in caches:
        cache.cache_clear()
    with (
        patch.object(bootstrap, "settings", changed),
        patch.object(bootstrap, "dynamodb", lambda: client),
        patch.object(bootstrap, "_quarantine", NoQuarantine),
    ):
        yield
    for cache in caches:
        cache.cache_clear()


def updater() -> Update:
    """The update use case as the stream function makes it."""
    return bootstrap.update()


def apply(records: Sequence[dict[str, Any]]) -> None:
    """One batch, as the stream function does it."""
    result = updater()(records)
    if result.failures or result.quarantined:
        raise AssertionError(f"not applied: {result.failures}")


def memory_client(store: MemoryDynamoDb) -> Any:
    """A client as the layer makes it, over a store in memory. Needs `environment()`."""
    client = dynamodb_client(connections=_CONNECTIONS)
    transport.attach(store, client)
    return client


def patient_client() -> Any:
    """A client as the layer makes it, that waits for the emulator as long as it takes."""
    client = dynamodb_client(connections=_CONNECTIONS)
    client._endpoint.http_session = URLLib3Session(  # noqa: SLF001 - its timeouts are fixed
        timeout=120,
        max_pool_connections=_CONNECTIONS,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # as botocore sets it
    )
    return client


def organisation_item() -> dict[str, Any]:
    return item_of_organisation(keys.organisation(ORG_ID), ORGANISATION)


def stored_items(store: MemoryDynamoDb, kind: str) -> list[Item]:
    """All analytics items of one kind, a partition's by their sort keys."""
    partitions = store.snapshot(ANALYTICS).items()
    of_kind = [items for (_, pk), items in partitions if kind_of(pk) == kind]
    return [item for items in of_kind for _, item in sorted(items.items())]


def new_memory() -> MemoryDynamoDb:
    store = MemoryDynamoDb()
    store.put(RECORDS, organisation_item())
    return store


def skip_what_exists() -> None:
    """Let the garbage collector skip all objects there are: a function does not hold a store."""
    gc.collect()
    gc.freeze()


class ExchangeTimer:
    """Adds up the time a client spends between sending a request and having the answer.

    With several threads the sum may pass the time on the clock.
    """

    def __init__(self, client: Any) -> None:
        self.seconds = 0.0
        self.calls = 0
        session = client._endpoint.http_session  # noqa: SLF001 - the seam below all of botocore
        send = session.send

        def timed(request: Any) -> Any:
            started = time.perf_counter()
            try:
                return send(request)
            finally:
                self.seconds += time.perf_counter() - started
                self.calls += 1

        session.send = timed

    def reset(self) -> None:
        self.seconds, self.calls = 0.0, 0


class Charge(NamedTuple):
    """Capacity units of one item."""

    write: float
    read: float


class Engine:
    """DynamoDB Local with the template's tables; `fresh` empties them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template = load_template(find_template(Path(__file__).parent))
        self._admin = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name=_CREDENTIALS["AWS_REGION"],
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the emulator takes anything
            config=Config(retries={"total_max_attempts": 3}),
        )

    def fresh(self) -> None:
        for name in self._admin.list_tables()["TableNames"]:
            self._admin.delete_table(TableName=name)
        create_tables(self._admin, self._template)
        self._admin.put_item(TableName=RECORDS, Item=organisation_item())

    def charge(self, item: dict[str, Any]) -> Charge:
        """Put an item in a transaction of its own and read it: what the engine reports for both."""
        put = self._admin.transact_write_items(
            TransactItems=[{"Put": {"TableName": ANALYTICS, "Item": item}}],
            ReturnConsumedCapacity="INDEXES",
        )
        got = self._admin.get_item(
            TableName=ANALYTICS,
            Key={name: item[name] for name in (keys.PK, keys.SK)},
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
        )
        written = put["ConsumedCapacity"][0]["Table"]["CapacityUnits"]
        return Charge(written, got["ConsumedCapacity"]["CapacityUnits"])


@contextlib.contextmanager
def engine(*, is_for_long: bool = False) -> Iterator[Engine]:
    """A DynamoDB Local of one's own, and the environment for it.

    One that is to run for minutes gets Java's full compiler, which `rollcall local` leaves out for
    a fast start. Raises rollcall_cli's CommandError, which says what is missing.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rollcall-bench-"))
        if is_for_long:
            stack.enter_context(patch.object(dynamodb_local, "ChildProcess", _fully_compiled))
        running = dynamodb_local.start(0, dynamodb_local.locate(), Path(folder))
        try:
            with environment(running.url):
                made = Engine(running.url)
                made.fresh()
                yield made
        finally:
            running.close()


def _fully_compiled(command: Sequence[str], **options: Any) -> ChildProcess:
    return ChildProcess([part for part in command if "TieredStopAtLevel" not in part], **options)


@contextlib.contextmanager
def local_stack(on: Engine) -> Iterator[str]:
    """`rollcall local` in a process of its own, on a running engine: its address."""
    command = [sys.executable, "-m", *"rollcall_cli.main local --port 0 --engine".split(), on.url]
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as folder:
        process = subprocess.Popen(  # noqa: S603 - a program of ours
            [*command, "--state-dir", folder],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise AssertionError("rollcall local did not start")
            yield json.loads(line)["api"]
        finally:
            process.terminate()
            process.wait(timeout=20)
