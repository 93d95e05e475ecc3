"""Wires use cases to stores: one function a service, made once per execution environment.

What only some functions need is imported where it is wired, so that a function that reads rollups
starts without numpy and one that never sees a body starts without pydantic.
"""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from rollcall.domain.contributions import ContributionFunction
from rollcall.ledger.backoff import Backoff
from rollcall.settings import settings
from rollcall.storage.client import dynamodb_client
from rollcall.storage.directory import Directory
from rollcall.storage.rollups import RollupStore

if TYPE_CHECKING:
    from rollcall.ledger.apply import Applier
    from rollcall.usecases.administer import Administer
    from rollcall.usecases.ask import Ask
    from rollcall.usecases.authorize import Authorize
    from rollcall.usecases.count import Count
    from rollcall.usecases.ingest import Ingest
    from rollcall.usecases.look_up import LookUp
    from rollcall.usecases.measure import Measure
    from rollcall.usecases.ports import Quarantine
    from rollcall.usecases.report_campaign import ReportCampaign
    from rollcall.usecases.report_workspace import ReportWorkspace
    from rollcall.usecases.update import Update

# Queries of one answer that run at once, and so how many answers of DynamoDB (1 MB) are in memory.
_SCAN_CONCURRENCY: Final = 8


def now_us() -> int:
    """The clock, in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def now_ms() -> int:
    """The clock, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@functools.cache
def _client() -> Any:
    return dynamodb_client(connections=max(settings.ingest_concurrency, _SCAN_CONCURRENCY))


@functools.cache
def directory() -> Directory:
    """Organisations, handles and tokens."""
    return Directory(_client(), settings.records_table, Backoff())


@functools.cache
def authorize() -> Authorize:
    """Resolves Authorization headers."""
    from rollcall.usecases.authorize import Authorize

    return Authorize(directory(), now_ms)


@functools.cache
def administer() -> Administer:
    """The operator's verbs."""
    from rollcall.usecases.administer import Administer

    return Administer(directory(), now_ms)


@functools.cache
def count() -> Count:
    """Lifetime counts from rollups."""
    from rollcall.usecases.count import Count

    return Count(_rollups())


@functools.cache
def measure() -> Measure:
    """Measures any selection of calls or leads."""
    from rollcall.storage.ledger_reader import LedgerReader
    from rollcall.usecases.measure import Measure

    executor = ThreadPoolExecutor(_SCAN_CONCURRENCY, thread_name_prefix="scan")
    ledger = LedgerReader(
        _client(), settings.analytics_table, executor, _SCAN_CONCURRENCY, Backoff()
    )
    return Measure(_rollups(), ledger, settings.most_ledger_rows)


@functools.cache
def ask() -> Ask:
    """Answers queries."""
    from rollcall.usecases.ask import Ask

    return Ask(measure())


@functools.cache
def report_campaign() -> ReportCampaign:
    """Reports on campaigns."""
    from rollcall.usecases.report_campaign import ReportCampaign

    return ReportCampaign(_rollups(), measure(), _look_up())


@functools.cache
def report_workspace() -> ReportWorkspace:
    """Reports on workspaces."""
    from rollcall.usecases.report_workspace import ReportWorkspace

    return ReportWorkspace(_rollups(), measure, _look_up(), now_ms)


@functools.cache
def _rollups() -> RollupStore:
    return RollupStore(_client(), settings.analytics_table, Backoff())


@functools.cache
def _look_up() -> LookUp:
    from rollcall.storage.facts import FactStore
    from rollcall.usecases.look_up import LookUp

    facts = FactStore(_client(), settings.records_table, now_us, Backoff())
    return LookUp(directory(), facts)


@functools.cache
def ingest() -> Ingest:
    """Takes records in."""
    from rollcall.storage.facts import FactStore
    from rollcall.usecases.ingest import Ingest

    facts = FactStore(_client(), settings.records_table, now_us, Backoff())
    executor = ThreadPoolExecutor(settings.ingest_concurrency, thread_name_prefix="ingest")
    return Ingest(directory(), facts, executor, now_us)


@functools.cache
def update() -> Update:
    """Applies batches of the stream."""
    from rollcall.ledger.apply import Applier
    from rollcall.storage.facts import stream_fact
    from rollcall.storage.pages import PageStore
    from rollcall.usecases.update import Update

    client, backoff = _client(), Backoff()

    def writer(org_id: str, epoch: int, contribute: ContributionFunction) -> Applier:
        store = PageStore(client, settings.analytics_table, org_id, epoch, now_ms, backoff)
        return Applier(store, contribute, target_bytes=settings.page_target_bytes, backoff=backoff)

    return Update(directory(), writer, stream_fact, _quarantine())


@functools.cache
def _quarantine() -> Quarantine:
    from rollcall.storage.quarantine import quarantine

    return quarantine(settings.failure_destination)
