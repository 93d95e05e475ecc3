"""The stores that queries read, as protocols; `rollcall.storage` implements them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.facts import Fact
from rollcall.domain.measures import Rollup, RollupKey, Scope
from rollcall.domain.organisations import Organisation
from rollcall.domain.time.periods import Period
from rollcall.ledger.positions import Span
from rollcall.query.metering import ReadMeter

if TYPE_CHECKING:  # they import numpy, which not every function needs
    from rollcall.ledger.page import Rows
    from rollcall.ledger.segments import Directory as SegmentDirectory
    from rollcall.query.filtering import PageRead, Stretch


class Directory(Protocol):
    """Organisations (`rollcall.storage.accounts.Directory`)."""

    def organisation(self, org_id: str, meter: ReadMeter | None = None) -> Organisation | None:
        """One organisation, read consistently."""


class Facts(Protocol):
    """Facts, read only (`rollcall.storage.facts.FactStore`)."""

    def look_up(
        self,
        org_id: str,
        buckets: int,
        record_type: str,
        ids: Collection[str],
        meter: ReadMeter,
    ) -> Mapping[str, Fact]:
        """The stored facts of one type among `ids`, by id, read consistently."""

    def detail(
        self, org_id: str, buckets: int, fact: Fact, meter: ReadMeter
    ) -> dict[str, Any] | None:
        """The detail of a fact that has one, read consistently; None if it has changed since."""


class Rollups(Protocol):
    """Rollups, read only and consistently (`rollcall.storage.rollups.RollupStore`)."""

    def read(
        self,
        epoch: Epoch,
        wanted: Collection[RollupKey],
        meter: ReadMeter,
        *,
        names: Collection[str],
    ) -> Mapping[RollupKey, Rollup]:
        """The stored rollups among `wanted`, each the sum of those of all buckets.

        `names` are the closed measures and the letters of the open breakdowns to read.
        """

    def days(
        self,
        epoch: Epoch,
        family: str,
        scope: Scope,
        days: range,
        meter: ReadMeter,
        *,
        names: Collection[str],
        requests: int = 1,
    ) -> Iterator[tuple[int, Rollup]]:
        """(day number, rollup) of a scope's stored days, ascending; `days` must not be empty.

        Rollups and `names` are as for `read`. Up to `requests` may read a long range at once.
        """


class Ledger(Protocol):
    """Ledger pages, read only (`rollcall.storage.ledger_reader.LedgerReader`)."""

    def pages(
        self,
        epoch: Epoch,
        record_type: str,
        periods: Iterable[Period],
        meter: ReadMeter,
        columns: Collection[str] | None,
        can_match: Callable[[SegmentDirectory, Rows], bool],
    ) -> Iterator[PageRead]:
        """Pages of all buckets, each with the part of a period whose rows are to be taken from it.

        `columns` are the columns that are used, beside times and tombstones; None: all. Of a segment
        that cannot match, as its directory or its rows show, none is used.

        The periods must not overlap. Every row in them is in exactly one of the pages, in its
        state before or after any concurrent write. The pages are in no particular order.
        """


class OrderedLedger(Protocol):
    """Ledger pages in order, read only (`rollcall.storage.ledger_walk.LedgerWalk`)."""

    def stretches(
        self,
        bucket: Bucket,
        record_type: str,
        span: Span,
        meter: ReadMeter,
        *,
        is_backward: bool,
        columns: Collection[str] | None,
        can_match: Callable[[SegmentDirectory, Rows], bool],
    ) -> Iterator[Stretch]:
        """The rows of a span of one bucket in stretches, the positions of each after those of the one before.

        `columns` are the columns that are used, beside ids, times and tombstones; None: all. Of a
        segment that cannot match, as its directory or its rows without ids and revisions show, none is
        used. With `is_backward`, the positions of each are before those of the one before it. Rows inside
        a stretch are in no particular order. Every row of the span is in exactly one stretch, in
        its state before or after any concurrent write. Pages are read as the iteration asks for
        them.
        """


class Revisions(Protocol):
    """Revisions of rows (`rollcall.storage.row_revisions.RowRevisions`)."""

    def revision(
        self,
        epoch: Epoch,
        record_type: str,
        position: str,
        fact_id: str,
        meter: ReadMeter,
    ) -> int:
        """The revision that an epoch's ledger has of a fact, read consistently; 0 if it has none."""
