"""Applies facts to the pages and rollups of their organisation's epochs.

The stream's updater, repairs, rebuilds and erasures all write through this module, so they can run
at the same time: the ledger keeps the highest revision of each fact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial

from rollcall.at_once import at_once
from rollcall.domain.contributions import contribution_function
from rollcall.domain.epochs import Bucket, Epoch
from rollcall.domain.facts import Fact, without_detail
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ledger.page import Row
from rollcall.ledger.ports import LedgerWriterFactory


class ApplyFacts:
    """Applies facts to epochs, to each with its own contribution version.

    The buckets of an epoch share no item, so `executor` applies several at once; None: one after another.
    """

    def __init__(self, writers: LedgerWriterFactory, executor: Executor | None = None) -> None:
        self._writers = writers
        self._executor = executor

    def __call__(self, organisation: Organisation, facts: Iterable[Fact]) -> None:
        """Apply facts to every written epoch of their organisation.

        `organisation` must be read consistently, after the facts were stored. Raises Unavailable
        when the store stays busy, and UnknownContribution if this release lacks the contribution
        version of an epoch. Some facts may be applied by then, and it is safe to apply all of them
        again.
        """
        self.rows(organisation, fold(facts), organisation.written)

    def rows(
        self,
        organisation: Organisation,
        rows: Sequence[tuple[str, Row]],
        epochs: Collection[int],
    ) -> None:
        """Apply (record type, row) pairs to some epochs, at most one row per fact."""
        with tenant(organisation.id):
            for number in epochs:
                contribute = contribution_function(organisation.contributions.get(number, 0))
                works = [
                    partial(self._writers(bucket, contribute).apply, own)
                    for bucket, own in by_bucket(organisation.epoch(number), rows).items()
                ]
                if self._executor is not None:
                    at_once(self._executor, works)
                    continue
                for work in works:
                    work()


def by_bucket(epoch: Epoch, rows: Iterable[tuple[str, Row]]) -> dict[Bucket, list[tuple[str, Row]]]:
    """(record type, row) pairs by the bucket to which they belong, in their order."""
    found: dict[Bucket, list[tuple[str, Row]]] = {}
    for record_type, row in rows:
        found.setdefault(epoch.bucket_of(row.id), []).append((record_type, row))
    return found


def fold(facts: Iterable[Fact]) -> list[tuple[str, Row]]:
    """The highest revision of each fact that has a position, as (record type, row)."""
    newest: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        key = (fact.type, fact.id)
        known = newest.get(key)
        if fact.has_position and (known is None or fact.rev > known.rev):
            newest[key] = fact
    return [(fact.type, row_of(fact)) for fact in newest.values()]


def row_of(fact: Fact) -> Row:
    """The row of a fact that has a position, with a tombstone for each time that it has left.

    It has all but the detail of a record. The tombstones have the revision of the last move, so that
    no older version can live at their positions, and a change that is no move writes none of them
    again.
    """
    left = tuple(Row(fact.id, fact.last_move, time_ms, None) for time_ms in fact.left_behind)
    record = fact.record if fact.record is None else without_detail(fact.record)
    return Row(fact.id, fact.rev, fact.time_ms or 0, record, left)
