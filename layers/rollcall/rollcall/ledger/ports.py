"""The stores that the ledger needs; `rollcall.storage` implements them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.epochs import Bucket
from rollcall.domain.measures import RollupKey
from rollcall.ledger.page import Row
from rollcall.ledger.rollups import StoredRollup
from rollcall.ledger.transaction import Transaction
from rollcall.ledger.tree import Page


class LedgerStore(Protocol):
    """The pages and rollups of one bucket of an epoch (`rollcall.storage.pages.PageStore`)."""

    def page_at(self, record_type: str, position: str) -> Page | None:
        """The last page that starts at or before a position, read consistently, or None."""

    def rollups(self, keys: Collection[RollupKey]) -> Mapping[RollupKey, StoredRollup]:
        """The stored rollups among `keys`, read consistently."""

    def commit(self, transaction: Transaction) -> None:
        """Write all of a transaction, or nothing.

        Raises Conflict if a condition failed or another transaction interfered: nothing was
        written. Raises Unavailable if it is unknown whether the transaction was written; it is safe
        to read and compute again.
        """


class LedgerWriter(Protocol):
    """Applies rows to one bucket of an epoch (`rollcall.ledger.apply.Applier`)."""

    def apply(self, rows: Sequence[tuple[str, Row]]) -> None:
        """Apply rows to pages and rollups, at most one row per fact."""


class LedgerWriterFactory(Protocol):
    """Makes the writer of a bucket."""

    def __call__(self, bucket: Bucket, contribute: ContributionFunction) -> LedgerWriter: ...
