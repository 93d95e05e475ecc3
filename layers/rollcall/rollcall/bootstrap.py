"""Wires use cases to stores: one function per service, built once per execution environment.

Modules that only some Lambda functions need are imported inside the function that wires them. A
Lambda function that reads only rollups starts without numpy, and one without a body starts without
pydantic.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from rollcall.clock import now_ms, now_us
from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.errors import BrokenDestination
from rollcall.invocation import Metric
from rollcall.invocation import count as count_metric
from rollcall.retry import Backoff
from rollcall.sdk_logs import keep_requests_out_of_logs
from rollcall.settings import settings
from rollcall.storage.accounts import Directory
from rollcall.storage.client import READ_TIMEOUT_SECONDS, dynamodb_client
from rollcall.storage.rollups import RollupStore

if TYPE_CHECKING:
    from rollcall.ingest.authorize import Authorize
    from rollcall.ingest.ingest import Ingest
    from rollcall.ingest.ports import Quarantine
    from rollcall.ingest.token_use import RecordUse
    from rollcall.ingest.update import Result, StreamRecord, Update
    from rollcall.ledger.apply import Applier
    from rollcall.ledger.writer import ApplyFacts
    from rollcall.maintenance.accounts import Administer
    from rollcall.maintenance.delete_organisation import DeleteOrganisation
    from rollcall.maintenance.erase import Erase, Stores
    from rollcall.maintenance.erasure_preview import PreviewErasure
    from rollcall.maintenance.lag import MeasureLag
    from rollcall.maintenance.rebuild import Rebuild, RebuildTimeouts
    from rollcall.maintenance.reconcile.run import Reconcile
    from rollcall.maintenance.reconcile.schedule import ReconcileDue
    from rollcall.maintenance.redrive import Redrive
    from rollcall.query.engine import QueryEngine
    from rollcall.query.lookups import Lookup
    from rollcall.query.reports.breeze import ReportBreeze
    from rollcall.query.reports.campaign import ReportCampaign
    from rollcall.query.reports.query import ReportQuery
    from rollcall.query.reports.totals import ReportTotals
    from rollcall.query.reports.workspace import ReportWorkspace
    from rollcall.query.search import SearchCalls
    from rollcall.query.single import FindRecord
    from rollcall.storage.audits import AuditStore
    from rollcall.storage.facts import FactStore
    from rollcall.storage.purge import Purge
    from rollcall.storage.row_revisions import RowRevisions

# Queries that run at once for one request, and so the number of DynamoDB answers (1 MB) in memory.
_SCAN_CONCURRENCY: Final = 8

_read_timeout_seconds = READ_TIMEOUT_SECONDS

keep_requests_out_of_logs()


def set_read_timeout(seconds: float) -> None:
    """Wait longer for DynamoDB than a function may; to be called before anything is wired."""
    global _read_timeout_seconds  # noqa: PLW0603 - a command sets it once, before it is read
    _read_timeout_seconds = seconds


@functools.cache
def _client() -> Any:
    return dynamodb_client(
        connections=max(settings.ingest_concurrency, _SCAN_CONCURRENCY),
        read_timeout_seconds=_read_timeout_seconds,
    )


@functools.cache
def directory() -> Directory:
    """Organisations, handles and tokens."""
    return Directory(_client(), settings.records_table, Backoff())


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
    """Manages organisations and tokens."""
    from rollcall.maintenance.accounts import Administer

    return Administer(directory(), now_ms)


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
        _client(), settings.analytics_table, _readers(), _SCAN_CONCURRENCY, Backoff()
    )
    return QueryEngine(_rollups(), ledger, settings.max_ledger_rows)


@functools.cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_SCAN_CONCURRENCY, thread_name_prefix="read")


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

    return FindRecord(_look_up(), _revisions(), _rollups())


@functools.cache
def _revisions() -> RowRevisions:
    from rollcall.storage.row_revisions import RowRevisions

    return RowRevisions(_client(), settings.analytics_table, Backoff())


@functools.cache
def _rollups() -> RollupStore:
    return RollupStore(_client(), settings.analytics_table, Backoff())


@functools.cache
def _look_up() -> Lookup:
    from rollcall.query.lookups import Lookup

    return Lookup(directory(), facts(), _readers())


@functools.cache
def report_query() -> ReportQuery:
    """Runs queries."""
    from rollcall.query.reports.query import ReportQuery

    return ReportQuery(engine(), now_ms)


@functools.cache
def search_calls() -> SearchCalls:
    """Searches for calls."""
    from rollcall.query.search import SearchCalls
    from rollcall.storage.ledger_walk import LedgerWalk

    ledger = LedgerWalk(_client(), settings.analytics_table, Backoff())
    return SearchCalls(ledger, _look_up(), _rollups(), settings.max_ledger_rows)


@functools.cache
def facts() -> FactStore:
    """Reads, resolves and writes facts."""
    from rollcall.storage.facts import FactStore

    return FactStore(_client(), settings.records_table, now_us, Backoff())


@functools.cache
def purge() -> Purge:
    """Removes epochs and facts."""
    from rollcall.storage.purge import Purge

    return Purge(_client(), settings.records_table, settings.analytics_table, Backoff())


@functools.cache
def ingest() -> Ingest:
    """Writes records as facts."""
    from rollcall.ingest.ingest import Ingest

    executor = ThreadPoolExecutor(settings.ingest_concurrency, thread_name_prefix="ingest")
    return Ingest(directory(), facts(), executor, now_us)


@functools.cache
def update() -> Update:
    """Applies batches of the stream."""
    from rollcall.ingest.update import Update
    from rollcall.storage.client import may_pass
    from rollcall.storage.fact_items import stream_fact

    return Update(directory(), apply_facts(), stream_fact, _quarantine(), may_pass)


@functools.cache
def apply_facts() -> ApplyFacts:
    """Applies facts to pages and rollups."""
    from rollcall.ledger.apply import Applier
    from rollcall.ledger.writer import ApplyFacts
    from rollcall.storage.pages import PageStore

    client, backoff = _client(), Backoff()

    def writer(org_id: str, epoch: int, contribute: ContributionFunction) -> Applier:
        store = PageStore(client, settings.analytics_table, org_id, epoch, now_ms, backoff)
        return Applier(
            store,
            contribute,
            target_bytes=settings.page_target_bytes,
            backoff=backoff,
            on_spill=functools.partial(count_metric, Metric.BREAKDOWNS_SPILLED),
        )

    return ApplyFacts(writer)


@functools.cache
def measure_lag() -> MeasureLag:
    """Measures how far the ledger is behind the facts."""
    from rollcall.maintenance.lag import MeasureLag
    from rollcall.storage.probing import ProbeReads

    reads = ProbeReads(_client(), settings.records_table, Backoff())
    return MeasureLag(facts(), reads, _revisions(), now_us, time.monotonic, time.sleep)


@functools.cache
def audits() -> AuditStore:
    """The last audit of each organisation, and the unfinished one."""
    from rollcall.storage.audits import AuditStore

    return AuditStore(_client(), settings.records_table, Backoff())


@functools.cache
def reconcile() -> Reconcile:
    """Compares facts, pages and rollups."""
    from rollcall.maintenance.reconcile.run import Reconcile
    from rollcall.storage.inspection import LedgerInspection

    client, backoff = _client(), Backoff()

    def inspection(org_id: str, epoch: int) -> LedgerInspection:
        return LedgerInspection(client, settings.analytics_table, org_id, epoch, now_ms, backoff)

    grace_seconds = settings.reconcile_grace_seconds
    return Reconcile(
        directory(), audits(), facts(), inspection, apply_facts(), now_us, time.sleep, grace_seconds
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
def rebuild() -> Rebuild:
    """Rebuilds pages and rollups as a new epoch."""
    from rollcall.maintenance.rebuild import Rebuild
    from rollcall.storage.epochs import EpochContents
    from rollcall.storage.rebuilds import RebuildStore

    runs = RebuildStore(_client(), settings.records_table, Backoff())
    contents = EpochContents(_client(), settings.analytics_table, Backoff())
    return Rebuild(directory(), runs, facts(), apply_facts(), contents, purge(), now_ms, Backoff())


def rebuild_timeouts(grace_ms: int, settle_ms: int) -> RebuildTimeouts:
    """The waits of a rebuild; this deployment's settings may raise them."""
    from rollcall.maintenance.rebuild import RebuildTimeouts

    return RebuildTimeouts(
        grace_ms=grace_ms,
        settle_ms=settle_ms,
        authorizer_cache_ms=settings.authorizer_cache_seconds * 1_000,
        longest_answer_ms=settings.longest_answer_seconds * 1_000,
        chunk_facts=settings.rebuild_chunk_facts,
    )


@functools.cache
def erase() -> Erase:
    """Erases leads."""
    from rollcall.maintenance.erase import Erase

    return Erase(_erasure_stores(), _mentions)


@functools.cache
def preview_erasure() -> PreviewErasure:
    """Counts what would be erased."""
    from rollcall.maintenance.erasure_preview import PreviewErasure

    return PreviewErasure(_erasure_stores(), _mentions)


def _erasure_stores() -> Stores:
    from rollcall.maintenance.erase import Stores
    from rollcall.storage.epochs import EpochContents
    from rollcall.storage.page_scan import PageScan

    return Stores(
        directory(),
        facts(),
        apply_facts(),
        PageScan(_client(), settings.analytics_table, Backoff()),
        EpochContents(_client(), settings.analytics_table, Backoff()),
        now_us,
    )


@functools.cache
def delete_organisation() -> DeleteOrganisation:
    """Deletes organisations."""
    from rollcall.maintenance.delete_organisation import DeleteOrganisation

    return DeleteOrganisation(directory(), purge(), _mentions, now_ms, time.sleep)


def _mentions(org_id: str, lead_id: str | None, calls: Collection[str]) -> Iterator[str]:
    from rollcall.storage.failed_mentions import mentions
    from rollcall.storage.failures import failures

    if not settings.failure_destination:
        raise BrokenDestination("ROLLCALL_FAILURE_DESTINATION is not set")
    return mentions(failures(settings.failure_destination), org_id, lead_id, calls)


@functools.cache
def _quarantine() -> Quarantine:
    from rollcall.storage.failures import failures

    return failures(settings.failure_destination)


@functools.cache
def redrive(destination: str) -> Redrive:
    """Replays failed records; only a replay needs the tables.

    Raises BrokenDestination when the destination is not a valid URL.
    """
    from rollcall.maintenance.redrive import Redrive
    from rollcall.storage.failure_documents import failed_records
    from rollcall.storage.failures import failures

    def replay(records: Sequence[StreamRecord]) -> Result:
        return _replay()(records)

    return Redrive(failures(destination), failed_records, replay)


@functools.cache
def _replay() -> Update:
    from rollcall.ingest.update import Update
    from rollcall.maintenance.redrive import LeftInPlace
    from rollcall.storage.client import may_pass
    from rollcall.storage.fact_items import stream_fact

    return Update(directory(), apply_facts(), stream_fact, LeftInPlace(), may_pass)
