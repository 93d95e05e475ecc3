"""The stores that maintenance needs; `rollcall.storage` implements them, tests may fake them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.measures import RollupKey, Scope
from rollcall.domain.organisations import Organisation, Token
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.rebuilds import RebuildRun

if TYPE_CHECKING:  # these bring numpy, which not every command needs
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
        """The id of the organisation that has a handle."""

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
    """Organisations, and changing their epochs."""

    def change_epochs(self, read: Organisation, changed: Organisation) -> None:
        """Store another live epoch, other written ones and their versions.

        Raises Conflict when they are no longer as read, or the organisation is being deleted.
        """


class Retirement(Organisations, Protocol):
    """Organisations, and their end."""

    def mark_deleting(self, org_id: str, at_ms: int) -> None:
        """Mark an organisation, so that no function serves it any longer."""

    def retire(self, organisation: Organisation) -> None:
        """Release its handle and leave a bare mark."""


# ------------------------------------------------------------------------------------- facts
class FactPage(Protocol):
    """Some facts, the sort keys of items that are none, and where the next page begins.

    `last` is None on the last page.
    """

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
        """The facts of one type in one bucket, read consistently, from behind `after`."""


class AuditedFacts(ListedFacts, Protocol):
    """Facts, listed, looked up and restated."""

    def bucket_of(self, fact_id: str, buckets: int) -> int: ...
    def places(
        self, org_id: str, buckets: int, record_type: str, ids: Collection[str]
    ) -> Mapping[str, int | None]: ...
    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Fact]: ...
    def restate(self, org_id: str, buckets: int, stored: Fact | None, fact: Fact) -> None: ...


class ErasableFacts(AuditedFacts, Protocol):
    """Facts, and making tombstones of them."""

    def misplaced(self, org_id: str, buckets: int, record_type: str, fact_id: str) -> list[int]: ...
    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]: ...


# ------------------------------------------------------------------------- pages and rollups
class Pages(Protocol):
    """All pages of a ledger (`rollcall.storage.page_scan.PageListing`)."""

    def pages(self, org_id: str, epoch: int, record_type: str) -> Iterator[Page]: ...


class Epochs(Protocol):
    """Epochs as wholes (`rollcall.storage.epochs.EpochContents`)."""

    def is_empty(self, org_id: str, epoch: int) -> bool:
        """Whether nothing is stored of an epoch."""

    def rows(self, org_id: str, epoch: int) -> int:
        """How many rows the pages of an epoch hold."""


class EpochRemoval(Protocol):
    """Removes the pages and rollups of an epoch (`rollcall.storage.purge.Sweeper`)."""

    def remove_epoch(self, org_id: str, epoch: int) -> Iterator[int]:
        """Remove the pages and rollups of an epoch that are found now; yields how many."""


class Purge(EpochRemoval, Protocol):
    """Removes everything of an organisation; each yields how many items, as it removes them."""

    def remove_facts(self, org_id: str, buckets: int) -> Iterator[int]: ...
    def remove_tokens(self, org_id: str) -> Iterator[int]: ...
    def remove_notes(self, org_id: str) -> Iterator[int]: ...


class Inspection(Protocol):
    """All pages and rollups of one organisation in one epoch (`rollcall.storage.inspection`)."""

    def pages(self, record_type: str, first: str, end: str) -> Iterator[SurveyedPage]: ...
    def page_from(self, record_type: str, position: str) -> SurveyedPage | None: ...
    def versions(self, record_type: str, first: str, end: str) -> Iterator[PageVersion]: ...
    def strays(self) -> Iterator[ForeignItem | Misindexed]: ...
    def relist(self, item: Misindexed) -> None: ...
    def repair_page_version(self, record_type: str, start: str) -> None: ...
    def repair_rollup_version(self, key: RollupKey) -> None: ...
    def rollup_keys(self, bucket: str) -> Iterator[RollupKey]: ...
    def rollup_buckets(self) -> Iterator[str]: ...
    def seen(self, wanted: Collection[RollupKey]) -> Mapping[RollupKey, RollupSeen]: ...
    def days_of(self, family: str, scope: Scope, *, is_open: bool) -> Iterator[RollupSeen]: ...
    def commit(self, transaction: Transaction) -> None: ...
    def remove(self, item: ForeignItem) -> None: ...
    def remove_page(self, record_type: str, page: SurveyedPage) -> None: ...


# ---------------------------------------------------------------------------- failed records
class Failures(Protocol):
    """The failure destination: objects by name. Every operation may raise BrokenDestination."""

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        """Keep whole records durably, in one object: its name, always the same for these records."""

    def names(self) -> Iterator[str]:
        """The names of all objects, in no particular order."""

    def read(self, name: str) -> Mapping[str, Any] | None:
        """The JSON document under a name; None: no such name. Raises CorruptItem if it is none."""

    def remove(self, name: str) -> None:
        """Remove an object; no-op if it does not exist."""


class Mentions(Protocol):
    """The names of failed objects with something of an organisation, or of one of its leads."""

    def __call__(
        self, org_id: str, lead_id: str | None, calls: Collection[str]
    ) -> Iterator[str]: ...


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
    """What became of a batch of stream records (`rollcall.ingest.update.Result`)."""

    @property
    def quarantined(self) -> Sequence[QuarantinedRecords]: ...
    @property
    def failures(self) -> Sequence[UnappliedWork]: ...


# --------------------------------------------------------------------------- resumable runs
class Audits(Protocol):
    """The last audit of each organisation, and the one under way; read consistently.

    What is written is what was given, with at most MAX_KEPT differences and none of their names.
    A write that was made, and only its reply lost, is no Conflict. Each raises Unavailable when the
    store stays busy: the write may or may not be made then.
    """

    def last(self, org_id: str) -> Audit | None:
        """The last audit that was finished."""

    def running(self, org_id: str) -> Audit | None:
        """The unfinished audit, with the cursor that it was last saved with."""

    def both(self, org_id: str) -> tuple[Audit | None, Audit | None]:
        """The last audit that was finished, and the unfinished one, in one request."""

    def begin(self, org_id: str, audit: Audit, replacing: Audit | None) -> None:
        """Store the first state of a run in place of `replacing` (None: of nothing).

        Raises Conflict when another run stands there. With a run_id of its own, a run that goes on
        with the cursor of `replacing` shuts out whoever may still be working on that.
        """

    def save(self, org_id: str, audit: Audit) -> None:
        """Store how far a run has come. Raises Conflict when it is not the one under way."""

    def finish(self, org_id: str, audit: Audit) -> None:
        """Make a run the last one, and end it; both or neither.

        Raises Conflict when it is not the one under way.
        """


class Rebuilds(Protocol):
    """The last rebuild of each organisation, done or not; read consistently.

    A write that was made, and only its reply lost, is no Conflict. Each raises Unavailable when the
    store stays busy: the write may or may not be made then.
    """

    def read(self, org_id: str) -> RebuildRun | None:
        """The last rebuild; None: there never was one."""

    def begin(self, org_id: str, run: RebuildRun, replacing: RebuildRun | None) -> None:
        """Store the first state of a run in place of `replacing` (None: of nothing).

        Raises Conflict when another run stands there. With a run_id of its own, a run that goes on
        where `replacing` stopped shuts out whoever may still be working on that.
        """

    def save(self, org_id: str, run: RebuildRun) -> None:
        """Store how far a run has come. Raises Conflict when another run took its place."""
