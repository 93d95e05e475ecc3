"""The stores that use cases need; `rollcall.storage` implements them, tests may fake them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rollcall.domain.facts import Change, Fact, Outcome
from rollcall.domain.measures import Rollup, RollupKey, Scope
from rollcall.domain.metering import ReadMeter
from rollcall.domain.organisations import Organisation, Token
from rollcall.domain.periods import Period

if TYPE_CHECKING:  # it brings numpy, which not every function needs
    from rollcall.ledger.selecting import PageRead


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
    """Keeps what can never be applied."""

    def put(self, record: Mapping[str, Any], reason: str) -> None:
        """Keep the whole record durably. Raises when it could not be kept."""
