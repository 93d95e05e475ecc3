"""The stores that use cases need; `rollcall.storage` implements them, tests may fake them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.measures import Rollup, RollupKey, Scope
from rollcall.domain.organisations import Organisation, Token
from rollcall.domain.time.periods import Period
from rollcall.maintenance.audits import Audit
from rollcall.maintenance.rebuilds import RebuildRun
from rollcall.query.metering import ReadMeter

if TYPE_CHECKING:  # it brings numpy, which not every function needs
    from rollcall.query.filtering import PageRead


class Directory(Protocol):
    """Organisations, handles and tokens."""

    def organisation(self, org_id: str, meter: ReadMeter | None = None) -> Organisation | None:
        """One organisation, read consistently."""

    def org_id_of_handle(self, handle: str) -> str | None:
        """Whose handle it is."""

    def token(self, token_id: str) -> Token | None:
        """One token, read consistently."""


class Facts(Protocol):
    """Facts, written under optimistic locking."""

    def read(
        self, org_id: str, buckets: int, facts: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Fact]:
        """The stored facts among the given (type, id) pairs, read consistently."""

    def look_up(
        self,
        org_id: str,
        buckets: int,
        record_type: str,
        ids: Collection[str],
        meter: ReadMeter,
    ) -> Mapping[str, Fact]:
        """The stored facts of one type among `ids`, read consistently."""

    def write(
        self, org_id: str, buckets: int, stored: Fact | None, change: Change
    ) -> tuple[Outcome, Fact | None]:
        """Judge a change and make it durable if it wins: the outcome, and what is stored now."""


class Rollups(Protocol):
    """Rollups, read only and consistently."""

    def read(
        self, org_id: str, epoch: int, wanted: Collection[RollupKey], meter: ReadMeter
    ) -> Mapping[RollupKey, Rollup]:
        """The stored rollups among `wanted`."""

    def days(
        self,
        org_id: str,
        epoch: int,
        family: str,
        scope: Scope,
        days: range,
        meter: ReadMeter,
        *,
        names: Collection[str] | None,
    ) -> Iterator[tuple[int, Rollup]]:
        """The stored rollups of a scope's days, by day number ascending; `days` is not empty.

        `names` are the closed measures that are wanted, None the open breakdowns.
        """


class Ledger(Protocol):
    """Ledger pages, read only."""

    def pages(
        self,
        org_id: str,
        epoch: int,
        record_type: str,
        periods: Iterable[Period],
        meter: ReadMeter,
    ) -> Iterator[PageRead]:
        """Pages, and of each the part of a period that its rows are to be taken from.

        Every row of the periods, which must not overlap, is in exactly one of them, whatever is
        written meanwhile: in its state of before or after. In no particular order.
        """


class Quarantine(Protocol):
    """Keeps records that no retry can apply."""

    def put(self, records: Sequence[Mapping[str, Any]], reason: str) -> str:
        """Keep whole records durably, in one object: its name, always the same for these records.

        Raises BrokenDestination when it could not be kept.
        """


class Failures(Quarantine, Protocol):
    """The failure destination: objects by name. Every operation may raise BrokenDestination."""

    def names(self) -> Iterator[str]:
        """The names of all objects, in no order that means anything."""

    def read(self, name: str) -> Mapping[str, Any] | None:
        """The JSON document under a name; None: no such name. Raises CorruptItem if it is none."""

    def remove(self, name: str) -> None:
        """Remove an object; one that is gone already is as good."""


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
