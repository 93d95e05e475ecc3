"""Large ledgers, made by the real codec and the real rule, and brought into an engine fast.

Pages and rollups come from `Applier` and `PageStore`, without botocore between them and a store in
memory, and in transactions larger than DynamoDB takes: the items are the same. They are
kept in a folder of the user's cache, under a name made of what they depend on.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import http.client
import os
import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from benchmarks import data, wiring
from rollcall import bootstrap
from rollcall.domain.contributions import CURRENT_VERSION, Contribution, contribution_function
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.facts import Fact
from rollcall.domain.measures import Scope
from rollcall.domain.organisations import tenant
from rollcall.domain.records import Record
from rollcall.ledger import apply, transaction
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row
from rollcall.maintenance.merge_pages import MergePages
from rollcall.retry import Backoff
from rollcall.settings import settings
from rollcall.storage import keys
from rollcall.storage.fact_items import item_of_fact
from rollcall.storage.merging import PageMerging
from rollcall.storage.pages import PageStore
from tests.support.emulator.client import MemoryClient
from tests.support.emulator.dynamodb import MemoryDynamoDb
from tests.support.emulator.items import attributes_text
from tests.support.emulator.limits import Limits

CHECKOUT = Path(__file__).parents[1]
_BATCH = 1_000
_WRITES_AT_ONCE = 3
# What items depend on, besides the facts: changed code makes other items.
_SOURCES = ("layers/rollcall/rollcall/domain", "layers/rollcall/rollcall/ledger")


def analytics_items(
    name: str,
    facts: Iterable[Fact],
    page_target_bytes: int,
    scopes: Collection[Scope] | None,
    *,
    is_merged: bool = True,
) -> list[str]:
    """Pages, segments and rollups of some facts, as JSON texts of items; `name` stands for the facts.

    With `scopes`, only their rollups are kept: a rollup that no query reads takes time to load
    and changes nothing. Pages at rest are merged, as the merging function leaves them.
    """
    what = "segments of pages" if is_merged else "pages"
    kind = f"{name}, {what} of {page_target_bytes} bytes".replace("/", "-")
    path = _cache_folder() / f"{kind}, {_digest(scopes, settings.segment_bytes)}.jsonl"
    if not path.exists():
        for outdated in path.parent.glob(f"{glob.escape(kind)}, *"):
            outdated.unlink()
        unfinished = path.with_suffix(".tmp")
        with unfinished.open("w", encoding="utf-8") as file:
            for item in _applied(facts, page_target_bytes, scopes, is_merged=is_merged):
                file.write(attributes_text(item) + "\n")
        unfinished.replace(path)
    return path.read_text("utf-8").splitlines()


def fact_texts(facts: Iterable[Fact]) -> Iterator[str]:
    """Facts as JSON texts of their items in the records table."""
    for fact in facts:
        key = keys.fact(data.ORG_ID, fact.type, fact.id, wiring.ORGANISATION.buckets)
        yield attributes_text(item_of_fact(key, fact))


def load(url: str, table: str, texts: Iterable[str]) -> None:
    """Write items into a DynamoDB Local: plain HTTP, for botocore costs more than the engine."""
    local = threading.local()
    address = urlsplit(url).netloc
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
        "X-Amz-Date": "20261121T000000Z",
        # The engine requires a signature and does not check it.
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20261121/eu-central-1/dynamodb/"
        "aws4_request, SignedHeaders=host, Signature=0",
    }

    def write(batch: list[str]) -> None:
        puts = ",".join(f'{{"PutRequest":{{"Item":{text}}}}}' for text in batch)
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(address)
        body = f'{{"RequestItems":{{"{table}":[{puts}]}}}}'.encode()
        local.connection.request("POST", "/", body, headers)
        answer = local.connection.getresponse()
        said = answer.read()
        if answer.status != 200 or b'"UnprocessedItems":{}' not in said:
            raise AssertionError(said[:500])

    remaining = iter(texts)
    with ThreadPoolExecutor(_WRITES_AT_ONCE) as executor:
        while batches := [b for _ in range(200) if (b := list(islice(remaining, 25)))]:
            list(executor.map(write, batches))


def store_of(tables: dict[str, Iterable[str]]) -> MemoryDynamoDb:
    """A store in memory with these items."""
    store = MemoryDynamoDb()
    for table, texts in tables.items():
        for text in texts:
            store.put_text(table, text)
    return store


def _applied(
    facts: Iterable[Fact],
    page_target_bytes: int,
    scopes: Collection[Scope] | None,
    *,
    is_merged: bool,
) -> Iterator[dict[str, dict[str, Any]]]:
    contribute = contribution_function(CURRENT_VERSION)

    def kept(record_id: str, record: Record) -> Contribution:
        for key, measures in contribute(record_id, record):
            if scopes is None or key.scope in scopes:
                yield key, measures

    store = MemoryDynamoDb(Limits(transaction_actions=100_000, transaction_bytes=10**9))
    client = MemoryClient(store)
    applied_at_ms = 0
    pages = PageStore(
        client, wiring.ANALYTICS, Bucket(Epoch(data.ORG_ID, 0)), lambda: applied_at_ms, Backoff()
    )
    # Lambda makes a new one for every batch; this one would remember every page.
    with tenant(data.ORG_ID), _large_transactions():
        remaining = iter(facts)
        while batch := list(islice(remaining, _BATCH)):
            rows = [(f.type, Row(f.id, f.rev, f.time_ms or 0, f.record)) for f in batch]
            applied_at_ms = max(applied_at_ms, *(row.time_ms for _, row in rows))
            Applier(pages, kept, target_bytes=page_target_bytes, backoff=Backoff()).apply(rows)
    if is_merged:
        _merge(client)
    return store.all_items(wiring.ANALYTICS)


def _merge(client: MemoryClient) -> None:
    """Merge pages at rest into segments, as the merging function does."""
    merging = MergePages(
        bootstrap.directory(),
        PageMerging(client, wiring.ANALYTICS, Backoff()),
        lambda: data.TODAY_MS,
        cold_after_hours=settings.cold_after_hours,
        segment_bytes=settings.segment_bytes,
    )
    merged = merging.organisation(wiring.ORGANISATION)
    if merged.error is not None:
        raise merged.error
    if not merged.is_finished:
        raise AssertionError(merged)


@contextlib.contextmanager
def _large_transactions() -> Iterator[None]:
    with (
        patch.object(apply, "MAX_ITEMS", 100_000),
        patch.object(transaction, "MAX_ITEMS", 100_000),
        patch.object(transaction, "MAX_BYTES", 10**9),
    ):
        yield


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "rollcall" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(*parts: Any) -> str:
    digest = hashlib.sha256(repr(parts).encode())
    for folder in _SOURCES:
        for path in sorted((CHECKOUT / folder).glob("*.py")):
            digest.update(path.read_bytes())
    for name in ("data.py", "year.py", "loading.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()[:24]
