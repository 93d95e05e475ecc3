"""Wires use cases to stores: one function per service, built once per execution environment.

Modules that only some Lambda functions need are imported inside the function that wires them. A
Lambda function that reads only rollups starts without numpy, and one without a body starts without
pydantic.
"""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from rollcall import invocation
from rollcall.clock import now_ms, now_us
from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.retry import Backoff
from rollcall.sdk_logs import keep_requests_out_of_logs
from rollcall.settings import settings
from rollcall.storage.accounts import Directory
from rollcall.storage.client import READ_TIMEOUT_SECONDS, dynamodb_client
from rollcall.storage.rollups import RollupStore

if TYPE_CHECKING:
    from rollcall.hooks.ports import Cipher, KeptDeliveries
    from rollcall.hooks.receive import ReceiveHook
    from rollcall.hooks.recording import RecordCalls
    from rollcall.hooks.replay import ReplayDeliveries
    from rollcall.hooks.unfinished import SweepHooks
    from rollcall.ingest.authorize import Authorize
    from rollcall.ingest.ingest import Ingest
    from rollcall.ingest.ports import Quarantine
    from rollcall.ingest.token_use import RecordUse
    from rollcall.ingest.update import Update
    from rollcall.ledger.apply import Applier
    from rollcall.ledger.writer import ApplyFacts
    from rollcall.maintenance.accounts import Administer
    from rollcall.maintenance.reconcile.run import Reconcile
    from rollcall.maintenance.reconcile.schedule import ReconcileDue
    from rollcall.query.engine import QueryEngine
    from rollcall.query.group_planner import AggregationPlan
    from rollcall.query.lookups import Lookup
    from rollcall.query.model import Aggregation
    from rollcall.query.reports.breeze import ReportBreeze
    from rollcall.query.reports.campaign import ReportCampaign
    from rollcall.query.reports.query import ReportQuery
    from rollcall.query.reports.totals import ReportTotals
    from rollcall.query.reports.values import ReportValues
    from rollcall.query.reports.workspace import ReportWorkspace
    from rollcall.query.search import SearchCalls
    from rollcall.query.single import FindRecord
    from rollcall.storage.audits import AuditStore
    from rollcall.storage.facts import FactStore
    from rollcall.storage.hook_states import HookStates
    from rollcall.storage.hooks import HookStore
    from rollcall.storage.row_revisions import RowRevisions

# Queries that run at once for one request, and so the number of DynamoDB answers (1 MB) in memory.
_SCAN_CONCURRENCY: Final = 8

_ADMINISTRATION_TRIES: Final = 4

_read_timeout_seconds = READ_TIMEOUT_SECONDS

keep_requests_out_of_logs()


def set_read_timeout(seconds: float) -> None:
    """Wait longer for DynamoDB than a function may; to be called before anything is wired."""
    global _read_timeout_seconds  # noqa: PLW0603 - a command sets it once, before it is read
    _read_timeout_seconds = seconds


@functools.cache
def dynamodb() -> Any:
    """The client of DynamoDB, which checks each request against the current organisation."""
    return dynamodb_client(
        connections=max(settings.ingest_concurrency, _SCAN_CONCURRENCY),
        read_timeout_seconds=_read_timeout_seconds,
    )


@functools.cache
def directory() -> Directory:
    """Organisations, handles and tokens."""
    return Directory(dynamodb(), settings.records_table, Backoff())


@functools.cache
def authorize() -> Authorize:
    """Resolves Authorization headers."""
    from rollcall.ingest.authorize import Authorize

    return Authorize(directory(), now_ms, _record_use())


@functools.cache
def _record_use() -> RecordUse:
    from rollcall.ingest.token_use import RecordUse

    def warn(error: BaseException) -> None:
        from rollcall.telemetry import logger  # would add 65 ms to the authorizer's start

        logger.warning("use of a token not recorded", extra={"error": type(error).__name__})

    return RecordUse(directory(), _aside(), now_ms, warn)


@functools.cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="aside")


@functools.cache
def administer() -> Administer:
    """Manages organisations and tokens, for a person who waits: each request is tried a few times.

    The tries are limited rather than the time, which grows with the number of organisations.
    """
    from rollcall.maintenance.accounts import Administer

    accounts = Directory(dynamodb(), settings.records_table, Backoff(_ADMINISTRATION_TRIES))
    return Administer(accounts, now_ms)


@functools.cache
def count() -> ReportTotals:
    """Lifetime counts from rollups."""
    from rollcall.query.reports.totals import ReportTotals

    return ReportTotals(_rollups())


@functools.cache
def engine() -> QueryEngine:
    """Computes measures over calls or leads."""
    from rollcall.query.engine import QueryEngine
    from rollcall.storage.ledger_reader import LedgerReader

    ledger = LedgerReader(
        dynamodb(), settings.analytics_table, _workers(), _SCAN_CONCURRENCY, Backoff()
    )
    explain = _log_plan if settings.log_level == "DEBUG" else None
    return QueryEngine(_rollups(), ledger, settings.max_ledger_rows, explain)


def _log_plan(aggregation: Aggregation, plan: AggregationPlan) -> None:
    from rollcall.query.explaining import explained
    from rollcall.telemetry import logger

    logger.debug("plan", extra={"plan": explained(aggregation, plan)})


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_SCAN_CONCURRENCY, thread_name_prefix="work")


@functools.cache
def report_breeze() -> ReportBreeze:
    """Answers the queries of the Breeze dialect."""
    from rollcall.query.reports.breeze import ReportBreeze

    return ReportBreeze(engine())


@functools.cache
def report_campaign() -> ReportCampaign:
    """Reports on campaigns."""
    from rollcall.query.reports.campaign import ReportCampaign

    return ReportCampaign(_rollups(), engine(), _look_up())


@functools.cache
def report_workspace() -> ReportWorkspace:
    """Reports on workspaces."""
    from rollcall.query.reports.workspace import ReportWorkspace

    return ReportWorkspace(_rollups(), engine, _look_up(), now_ms)


@functools.cache
def find_record() -> FindRecord:
    """Finds single records."""
    from rollcall.query.single import FindRecord

    return FindRecord(_look_up(), revisions(), _rollups())


@functools.cache
def revisions() -> RowRevisions:
    """Reads revisions of rows."""
    from rollcall.storage.row_revisions import RowRevisions

    return RowRevisions(dynamodb(), settings.analytics_table, Backoff())


@functools.cache
def _rollups() -> RollupStore:
    return RollupStore(dynamodb(), settings.analytics_table, _workers(), Backoff())


@functools.cache
def _look_up() -> Lookup:
    from rollcall.query.lookups import Lookup

    return Lookup(directory(), facts(), _workers())


@functools.cache
def report_query() -> ReportQuery:
    """Runs queries."""
    from rollcall.query.reports.query import ReportQuery

    return ReportQuery(engine(), now_ms)


@functools.cache
def report_values() -> ReportValues:
    """Lists the values of dimensions."""
    from rollcall.query.reports.values import ReportValues

    return ReportValues(report_query(), _look_up())


@functools.cache
def search_calls() -> SearchCalls:
    """Searches for calls."""
    from rollcall.query.search import SearchCalls
    from rollcall.storage.ledger_walk import LedgerWalk

    ledger = LedgerWalk(dynamodb(), settings.analytics_table, Backoff())
    return SearchCalls(ledger, _look_up(), _rollups(), _workers(), settings.max_ledger_rows)


@functools.cache
def facts() -> FactStore:
    """Reads, resolves and writes facts."""
    from rollcall.storage.facts import FactStore

    return FactStore(dynamodb(), settings.records_table, now_us, Backoff())


@functools.cache
def ingest() -> Ingest:
    """Writes records as facts."""
    from rollcall.ingest.ingest import Ingest

    executor = ThreadPoolExecutor(settings.ingest_concurrency, thread_name_prefix="ingest")
    return Ingest(directory(), facts(), executor, now_us, keeps_detail=settings.keep_detail)


@functools.cache
def hooks() -> HookStore:
    """Hooks of providers."""
    from rollcall.storage.hooks import HookStore

    return HookStore(dynamodb(), settings.records_table, hook_states(), Backoff())


@functools.cache
def hook_states() -> HookStates:
    """What hooks know of calls."""
    from rollcall.storage.hook_states import HookStates

    return HookStates(dynamodb(), settings.records_table, Backoff())


@functools.cache
def receive_hook() -> ReceiveHook:
    """Accepts what providers send."""
    from rollcall.hooks.receive import ReceiveHook

    stores = hooks(), record_call(), hook_cipher, _inbox
    return ReceiveHook(*stores, now_ms, keeps_detail=settings.keep_detail)


@functools.cache
def record_call() -> RecordCalls:
    """Records calls of hooks."""
    from rollcall.hooks.recording import RecordCalls

    return RecordCalls(hook_states(), ingest(), Backoff())


@functools.cache
def sweep_hooks() -> SweepHooks:
    """Ends the calls whose end never came."""
    from rollcall.hooks.unfinished import SweepHooks

    return SweepHooks(directory(), hooks(), hook_states(), record_call(), now_ms)


@functools.cache
def replay_deliveries() -> ReplayDeliveries:
    """Replays the deliveries that wait."""
    from rollcall.hooks.replay import ReplayDeliveries

    return ReplayDeliveries(_inbox, receive_hook(), now_ms)


@functools.cache
def hook_cipher() -> Cipher:
    """Encrypts the secrets of hooks."""
    from rollcall.storage.sealing import cipher

    return cipher(settings.hook_key)


@functools.cache
def _inbox() -> KeptDeliveries:
    from rollcall.storage.failures import failures

    return failures(settings.failure_destination)


@functools.cache
def update() -> Update:
    """Applies batches of the stream."""
    from rollcall.ingest.update import Update
    from rollcall.ledger.warm import WarmWriters
    from rollcall.ledger.writer import ApplyFacts
    from rollcall.storage.client import may_pass
    from rollcall.storage.fact_items import stream_fact

    # Only the updater keeps what it knows: a repair must read what is stored.
    warm = ApplyFacts(WarmWriters(_applier), _workers())
    return Update(directory(), warm, stream_fact, _quarantine(), may_pass)


@functools.cache
def apply_facts() -> ApplyFacts:
    """Applies facts to pages and rollups."""
    from rollcall.ledger.writer import ApplyFacts

    return ApplyFacts(_applier, _workers())


def _applier(bucket: Bucket, contribute: ContributionFunction) -> Applier:
    """The writer of a bucket."""
    from rollcall.ledger.apply import Applier
    from rollcall.storage.pages import PageStore

    backoff = Backoff()
    store = PageStore(dynamodb(), settings.analytics_table, bucket, now_ms, backoff)
    spilled = functools.partial(invocation.count, invocation.Metric.BREAKDOWNS_SPILLED)
    split = functools.partial(invocation.count, invocation.Metric.SEGMENTS_SPLIT)
    target = settings.page_target_bytes
    return Applier(
        store, contribute, target_bytes=target, backoff=backoff, on_spill=spilled, on_split=split
    )


@functools.cache
def audits() -> AuditStore:
    """The last audit of each organisation, and the unfinished one."""
    from rollcall.storage.audits import AuditStore

    return AuditStore(dynamodb(), settings.records_table, Backoff())


@functools.cache
def reconcile() -> Reconcile:
    """Compares facts, pages and rollups."""
    from rollcall.maintenance.reconcile.run import Reconcile
    from rollcall.storage.inspection import EpochInspection

    def inspect(epoch: Epoch) -> EpochInspection:
        return EpochInspection(dynamodb(), settings.analytics_table, epoch, now_ms, Backoff())

    grace_seconds = settings.reconcile_grace_seconds
    return Reconcile(
        directory(), audits(), facts(), inspect, apply_facts(), now_us, time.sleep, grace_seconds
    )


@functools.cache
def reconcile_due() -> ReconcileDue:
    """Audits the organisations that are due."""
    from rollcall.maintenance.reconcile.schedule import ReconcileDue

    return ReconcileDue(
        directory(),
        audits(),
        reconcile(),
        now_ms,
        every_hours=settings.reconcile_every_hours,
        is_repairing=settings.reconcile_repairs,
    )


@functools.cache
def _quarantine() -> Quarantine:
    from rollcall.storage.failures import failures

    return failures(settings.failure_destination)
