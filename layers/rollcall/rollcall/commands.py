"""Wires what only the command line runs, from the stores of `rollcall.bootstrap`."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rollcall import bootstrap
from rollcall.domain.errors import BrokenDestination

if TYPE_CHECKING:
    from rollcall.hooks.manage import ManageHooks
    from rollcall.hooks.unfinished import ListUnfinished
    from rollcall.ingest.update import Result, StreamRecord, Update
    from rollcall.maintenance.delete_organisation import DeleteOrganisation
    from rollcall.maintenance.erase import Erase, Stores
    from rollcall.maintenance.erasure_preview import PreviewErasure
    from rollcall.maintenance.lag import MeasureLag
    from rollcall.maintenance.rebuild import Rebuild, RebuildTimeouts
    from rollcall.maintenance.redrive import Redrive
    from rollcall.storage.purge import Purge


@functools.cache
def purge() -> Purge:
    """Removes epochs and facts."""
    from rollcall.storage.purge import Purge

    return Purge(
        bootstrap.dynamodb(),
        bootstrap.settings.records_table,
        bootstrap.settings.analytics_table,
        bootstrap.Backoff(),
    )


@functools.cache
def measure_lag() -> MeasureLag:
    """Measures how far the ledger is behind the facts."""
    from rollcall.maintenance.lag import MeasureLag
    from rollcall.storage.probing import ProbeReads

    reads = ProbeReads(bootstrap.dynamodb(), bootstrap.settings.records_table, bootstrap.Backoff())
    return MeasureLag(
        bootstrap.facts(),
        reads,
        bootstrap.revisions(),
        bootstrap.now_us,
        time.monotonic,
        time.sleep,
    )


@functools.cache
def rebuild() -> Rebuild:
    """Rebuilds pages and rollups as a new epoch."""
    from rollcall.maintenance.rebuild import Rebuild
    from rollcall.storage.epochs import EpochContents
    from rollcall.storage.rebuilds import RebuildStore

    runs = RebuildStore(bootstrap.dynamodb(), bootstrap.settings.records_table, bootstrap.Backoff())
    contents = EpochContents(
        bootstrap.dynamodb(), bootstrap.settings.analytics_table, bootstrap.Backoff()
    )
    return Rebuild(
        bootstrap.directory(),
        runs,
        bootstrap.facts(),
        bootstrap.apply_facts(),
        contents,
        purge(),
        bootstrap.now_ms,
        bootstrap.Backoff(),
    )


def rebuild_timeouts(grace_ms: int, settle_ms: int) -> RebuildTimeouts:
    """The waits of a rebuild; this deployment's settings may raise them."""
    from rollcall.maintenance.rebuild import RebuildTimeouts

    return RebuildTimeouts(
        grace_ms=grace_ms,
        settle_ms=settle_ms,
        authorizer_cache_ms=bootstrap.settings.authorizer_cache_seconds * 1_000,
        longest_answer_ms=bootstrap.settings.longest_answer_seconds * 1_000,
        chunk_facts=bootstrap.settings.rebuild_chunk_facts,
    )


@functools.cache
def erase() -> Erase:
    """Erases leads."""
    from rollcall.maintenance.erase import Erase

    return Erase(_erasure_stores(), _mentions, bootstrap.hook_states().forget)


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
        bootstrap.directory(),
        bootstrap.facts(),
        bootstrap.apply_facts(),
        PageScan(bootstrap.dynamodb(), bootstrap.settings.analytics_table, bootstrap.Backoff()),
        EpochContents(
            bootstrap.dynamodb(), bootstrap.settings.analytics_table, bootstrap.Backoff()
        ),
        bootstrap.now_us,
    )


@functools.cache
def delete_organisation() -> DeleteOrganisation:
    """Deletes organisations."""
    from rollcall.maintenance.delete_organisation import DeleteOrganisation

    return DeleteOrganisation(
        bootstrap.directory(), purge(), _mentions, bootstrap.now_ms, time.sleep
    )


def _mentions(org_id: str, lead_id: str | None, calls: Collection[str]) -> Iterator[str]:
    from rollcall.storage.failed_mentions import mentions
    from rollcall.storage.failures import failures

    if not bootstrap.settings.failure_destination:
        raise BrokenDestination("ROLLCALL_FAILURE_DESTINATION is not set")
    return mentions(failures(bootstrap.settings.failure_destination), org_id, lead_id, calls)


@functools.cache
def manage_hooks() -> ManageHooks:
    """Manages hooks."""
    from rollcall.hooks.manage import ManageHooks

    return ManageHooks(
        bootstrap.hooks(),
        bootstrap.hook_cipher,
        bootstrap.directory().org_id_of_handle,
        bootstrap.now_ms,
    )


@functools.cache
def list_unfinished() -> ListUnfinished:
    """Lists calls of hooks whose end never came."""
    from rollcall.hooks.unfinished import ListUnfinished

    return ListUnfinished(bootstrap.hooks(), bootstrap.hook_states(), bootstrap.now_ms)


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

    def redeliver(document: Mapping[str, Any]) -> str | None:
        return bootstrap.receive_hook().redeliver(document)

    return Redrive(failures(destination), failed_records, replay, redeliver)


@functools.cache
def _replay() -> Update:
    from rollcall.ingest.update import Update
    from rollcall.maintenance.redrive import LeftInPlace
    from rollcall.storage.client import may_pass
    from rollcall.storage.fact_items import stream_fact

    return Update(
        bootstrap.directory(), bootstrap.apply_facts(), stream_fact, LeftInPlace(), may_pass
    )
