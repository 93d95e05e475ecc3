"""The stores and services that maintenance needs; `rollcall.storage` implements the stores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.errors import CorruptItem
from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.measures import RollupKey, Scope
from rollcall.domain.organisations import Organisation, Token
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.rebuilds import RebuildRun

if TYPE_CHECKING:  # these import numpy, which not every command needs
    from rollcall.ledger.runs import StoredPage
    from rollcall.ledger.segments import EncodedSegment
    from rollcall.ledger.transaction import Transaction
    from rollcall.ledger.tree import Page
    from rollcall.maintenance.reconcile.inspection import (
        ForeignItem,
        Misindexed,
        PageVersion,
        RollupSeen,
        SurveyedPage,
    )


# ------------------------------------------------------------------------------ organisations
class Organisations(Protocol):
    """Organisations and handles (`rollcall.storage.accounts.Directory`)."""

    def organisation(self, org_id: str) -> Organisation | None:
        """One organisation, read consistently."""

    def org_id_of_handle(self, handle: str) -> str | None:
        """The id of the organisation that has a handle, or None."""

    def organisations(self) -> Iterator[Organisation]:
        """Every organisation, by handle."""


class Accounts(Organisations, Protocol):
    """Organisations and tokens, with writing."""

    def create_organisation(self, organisation: Organisation) -> None: ...
    def token(self, token_id: str) -> Token | None: ...
    def tokens(self, org_id: str) -> list[Token]: ...
    def token_ids(self, org_id: str, prefix: str) -> list[str]: ...
    def put_token(self, token: Token) -> None: ...
    def revoke_token(self, token_id: str, revoked_at_ms: int) -> None: ...


class WrittenEpochs(Organisations, Protocol):
    """Organisations, with changes of their epochs."""

    def change_epochs(self, read: Organisation, changed: Organisation) -> None:
        """Store the changed live epoch, written epochs and contribution versions.

        Raises Conflict when they changed since they were read, or the organisation is being deleted.
        """


class Retirement(Organisations, Protocol):
    """Organisations, with their deletion."""

    def mark_deleting(self, org_id: str, at_ms: int) -> None:
        """Mark an organisation as being deleted, so that no function serves it."""

    def retire(self, organisation: Organisation) -> None:
        """Replace an organisation by its tombstone and release its handle."""


# ------------------------------------------------------------------------------------- facts
class FactPage(Protocol):
    """Some facts, the sort keys of damaged items, and the last sort key (None on the last page)."""

    @property
    def facts(self) -> Sequence[Fact]: ...
    @property
    def damaged(self) -> Sequence[str]: ...
    @property
    def last(self) -> str | None: ...


class ListedFacts(Protocol):
    """All facts of an organisation, a page at a time (`rollcall.storage.facts.FactStore`)."""

    def listed(
        self, org_id: str, bucket: int, record_type: str, after: str | None = None
    ) -> Iterator[FactPage]:
        """The facts of one type in one bucket, read consistently, after the sort key `after`."""


class RestatedFacts(Protocol):
    """Facts, with conditional replacement (`rollcall.storage.facts.FactStore`)."""

    def restate(self, org_id: str, buckets: int, stored: Fact | None, fact: Fact) -> None:
        """Store a fact in place of the one that was read. Raises Conflict if it changed meanwhile."""


class AuditedFacts(ListedFacts, RestatedFacts, Protocol):
    """Facts, with lookups and conditional replacement."""

    def bucket_of(self, fact_id: str, buckets: int) -> int: ...
    def places(
        self, org_id: str, buckets: int, record_type: str, ids: Collection[str]
    ) -> Mapping[str, frozenset[int]]: ...
    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Fact]: ...
    def detail_hashes(
        self, org_id: str, buckets: int, facts: Sequence[Fact]
    ) -> Mapping[str, str | None]: ...


class ProbeReads(Protocol):
    """Single facts (`rollcall.storage.probing.ProbeReads`)."""

    def some_fact(self, organisation: Organisation) -> Fact | None: ...


class Revisions(Protocol):
    """Revisions of rows (`rollcall.storage.row_revisions.RowRevisions`)."""

    def revision(self, epoch: Epoch, record_type: str, position: str, id_: str) -> int: ...


class ErasableFacts(AuditedFacts, Protocol):
    """Facts, with changes."""

    def misplaced(self, org_id: str, buckets: int, record_type: str, fact_id: str) -> list[int]: ...
    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]: ...


# ------------------------------------------------------------------------- pages and rollups
class Pages(Protocol):
    """All pages of an epoch (`rollcall.storage.page_scan.PageScan`)."""

    def pages(self, epoch: Epoch, record_type: str) -> Iterator[Page]: ...


class Epochs(Protocol):
    """The contents of whole epochs (`rollcall.storage.epochs.EpochContents`)."""

    def is_empty(self, org_id: str, epoch: int) -> bool:
        """Whether an epoch has no items."""

    def rows(self, epoch: Epoch) -> int:
        """The number of rows in the pages of an epoch."""


class EpochRemoval(Protocol):
    """Removes the pages and rollups of an epoch (`rollcall.storage.purge.Purge`)."""

    def remove_epoch(self, org_id: str, epoch: int) -> Iterator[int]:
        """Remove the pages and rollups of an epoch; yields the size of each batch."""


class Purge(EpochRemoval, Protocol):
    """Removes everything of an organisation; each method yields the size of each batch."""

    def remove_facts(self, org_id: str, buckets: int) -> Iterator[int]: ...
    def remove_tokens(self, org_id: str) -> Iterator[int]: ...
    def remove_hooks(self, org_id: str) -> Iterator[int]: ...
    def remove_notes(self, org_id: str) -> Iterator[int]: ...


class Inspection(Protocol):
    """All pages and rollups of one bucket of an epoch (`rollcall.storage.inspection`)."""

    def pages(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]: ...
    def page_from(self, record_type: str, position: str) -> SurveyedPage | None: ...
    def versions(self, record_type: str, first: str, end: str) -> Iterator[PageVersion]: ...
    def repair_page_version(self, record_type: str, start: str) -> None: ...
    def repair_rollup_version(self, key: RollupKey) -> None: ...
    def rollup_keys(self, bucket: str) -> Iterator[RollupKey]: ...
    def rollup_buckets(self) -> Iterator[str]: ...
    def seen(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, RollupSeen]: ...
    def days_of(self, family: str, scope: Scope) -> Iterator[RollupSeen]: ...
    def commit(self, transaction: Transaction) -> None: ...
    def remove_page(self, record_type: str, page: SurveyedPage) -> None: ...


class IndexInspection(Protocol):
    """What GSI1 lists in an epoch (`rollcall.storage.index_inspection`)."""

    def strays(self) -> Iterator[ForeignItem | Misindexed]: ...
    def is_foreign(self, item: ForeignItem) -> bool: ...
    def relist(self, item: Misindexed) -> None: ...
    def remove(self, item: ForeignItem) -> None: ...


class EpochInspection(Protocol):
    """An epoch: its buckets, in their order, and the index (`rollcall.storage.inspection`)."""

    @property
    def buckets(self) -> Sequence[Inspection]: ...
    @property
    def index(self) -> IndexInspection: ...


# ---------------------------------------------------------------------------- failed records
class Failures(Protocol):
    """The failure destination: objects by name. Every operation may raise BrokenDestination."""

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        """Store whole records durably as one object, and return its name.

        The same records always have the same name.
        """

    def names(self) -> Iterator[str]:
        """The names of all objects, in no particular order."""

    def read(self, name: str) -> Mapping[str, Any] | None:
        """The JSON document under a name, or None. Raises CorruptItem if it is not a JSON object."""

    def remove(self, name: str) -> None:
        """Remove an object; no-op if it does not exist."""


class Mentions(Protocol):
    """The names of failed objects with records of an organisation, or of one of its leads."""

    def __call__(
        self, org_id: str, lead_id: str | None, calls: Collection[str]
    ) -> Iterator[str]: ...


class ForgetCalls(Protocol):
    """Removes what hooks know of calls (`rollcall.storage.hook_states.HookStates.forget`)."""

    def __call__(self, org_id: str, lead_id: str, calls: Collection[str]) -> None:
        """Remove the states of these calls, and those that name the lead."""


class UnappliedWork(Protocol):
    """Records of a batch that could not be applied, and why."""

    @property
    def error(self) -> Exception: ...


class QuarantinedRecords(Protocol):
    """Records of a batch that no retry can apply, and why."""

    @property
    def indices(self) -> Sequence[int]: ...
    @property
    def reason(self) -> str: ...


class AppliedBatch(Protocol):
    """The outcome of a batch of stream records (`rollcall.ingest.update.Result`)."""

    @property
    def quarantined(self) -> Sequence[QuarantinedRecords]: ...
    @property
    def failures(self) -> Sequence[UnappliedWork]: ...


# --------------------------------------------------------------------------- resumable runs
class Audits(Protocol):
    """The last audit of each organisation, and the unfinished one; read consistently.

    An audit is stored with at most MAX_KEPT differences, without their names. A write that succeeded
    although its reply was lost does not raise Conflict. Each method raises Unavailable when the
    store stays busy: a write may or may not have succeeded then.
    """

    def last(self, org_id: str) -> Audit | None:
        """The last finished audit."""

    def running(self, org_id: str) -> Audit | None:
        """The unfinished audit, with its last saved cursor."""

    def both(self, org_id: str) -> tuple[Audit | None, Audit | None]:
        """The last finished audit and the unfinished one, in one request."""

    def begin(self, org_id: str, audit: Audit, replacing: Audit | None) -> None:
        """Store the first state of a run in place of `replacing`, or of no run for None.

        Raises Conflict when another run is stored. A run that resumes from the cursor of `replacing`
        under a new run_id stops a command that still executes `replacing`.
        """

    def save(self, org_id: str, audit: Audit) -> None:
        """Store the progress of a run. Raises Conflict when another run is stored."""

    def finish(self, org_id: str, audit: Audit) -> None:
        """Store a run as the last audit and remove the unfinished one; both or neither.

        Raises Conflict when another run is stored.
        """


class Rebuilds(Protocol):
    """The last rebuild of each organisation, done or not; read consistently.

    A write that succeeded although its reply was lost does not raise Conflict. Each method raises
    Unavailable when the store stays busy: a write may or may not have succeeded then.
    """

    def read(self, org_id: str) -> RebuildRun | None:
        """The last rebuild, or None if there never was one."""

    def begin(self, org_id: str, run: RebuildRun, replacing: RebuildRun | None) -> None:
        """Store the first state of a run in place of `replacing`, or of no run for None.

        Raises Conflict when another run is stored. A run that resumes `replacing` under a new run_id
        stops a command that still executes `replacing`.
        """

    def save(self, org_id: str, run: RebuildRun) -> None:
        """Store the progress of a run. Raises Conflict when another run is stored."""


# ---------------------------------------------------------------------------------- services
class Reconciles(Protocol):
    """Compares an organisation's facts, pages and rollups (`rollcall.maintenance.reconcile.run`)."""

    def __call__(
        self,
        organisation: Organisation,
        *,
        is_repairing: bool,
        show: Callable[[Audit], None] | None = None,
        restart: bool = False,
    ) -> Audit:
        """Resume the unfinished run, or begin one, and finish it.

        Raises Unavailable when no time is left, after saving the progress, and Conflict when another
        run took it over.
        """


class MergedPages(Protocol):
    """Pages that can be merged into segments (`rollcall.storage.merging.PageMerging`)."""

    def starts(self, bucket: Bucket) -> Mapping[str, list[str]]: ...
    def pages(
        self,
        bucket: Bucket,
        record_type: str,
        starts: Sequence[str],
        damaged: Callable[[CorruptItem], None],
    ) -> Iterator[StoredPage]: ...
    def merge(
        self,
        bucket: Bucket,
        record_type: str,
        segment: EncodedSegment,
        pages: Sequence[StoredPage],
    ) -> None: ...
