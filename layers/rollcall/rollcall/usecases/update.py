"""Bringing a batch of the stream into pages and rollups.

The stream delivers at least once and in no order that matters: the batch is folded to the highest
revision of each fact, and the ledger decides by revision what is new. What the batch's caller needs
to know is one number: the earliest record that is not known to be applied or quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from rollcall.domain.contributions import ContributionFunction, contribution_function
from rollcall.domain.errors import CorruptItem, RollcallError
from rollcall.domain.facts import Fact, StreamFact
from rollcall.domain.organisations import Organisation
from rollcall.domain.tenancy import tenant
from rollcall.ledger.page import Row
from rollcall.usecases.ports import Directory, Quarantine

StreamRecord: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One fact as the stream delivered it, and where in the batch."""

    index: int
    org_id: str
    fact: Fact


class LedgerWriter(Protocol):
    """Brings rows into one organisation's ledger in one epoch (`rollcall.ledger.apply.Applier`)."""

    def apply(self, rows: Sequence[tuple[str, Row]]) -> None:
        """Bring rows into pages and rollups, each fact at most once."""


class LedgerWriterFactory(Protocol):
    """Makes the writer of an organisation's epoch."""

    def __call__(
        self, org_id: str, epoch: int, contribute: ContributionFunction
    ) -> LedgerWriter: ...


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that could not be done, and the earliest record of the batch that it leaves undone."""

    earliest_index: int
    org_id: str | None
    error: RollcallError


@dataclass(slots=True)
class Result:
    """What became of a batch."""

    quarantined: list[tuple[int, str]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def earliest_unapplied(self) -> int | None:
        """The earliest record not known to be applied or quarantined; None when there is none."""
        return min((failure.earliest_index for failure in self.failures), default=None)


class Update:
    """Applies a batch's facts to every epoch that their organisation writes.

    `parse` gives the fact that a stream record brings, None for a removal, or raises CorruptItem.
    """

    def __init__(
        self,
        directory: Directory,
        writers: LedgerWriterFactory,
        parse: Callable[[StreamRecord], StreamFact | None],
        quarantine: Quarantine,
    ) -> None:
        self._directory = directory
        self._writers = writers
        self._parse = parse
        self._quarantine = quarantine

    def __call__(self, records: Sequence[StreamRecord]) -> Result:
        """Apply a batch; what fails does not hold the rest up.

        Every record before `earliest_unapplied` is applied, quarantined, or nothing to apply by
        rule: a removal, an organisation that is being deleted, a tombstone without a position.
        """
        result = Result()
        by_org: dict[str, list[Delivery]] = {}
        for index, record in enumerate(records):
            try:
                parsed = self._parse(record)
            except CorruptItem as corrupt:
                self._set_aside(result, records, index, str(corrupt))
                continue
            if parsed is not None:
                org_id, fact = parsed
                by_org.setdefault(org_id, []).append(Delivery(index, org_id, fact))
        for org_id, own in by_org.items():
            try:
                organisation = self._directory.organisation(org_id)
                if organisation is not None and not organisation.is_deleting:
                    self._apply(organisation, own)
            except RollcallError as error:
                earliest = min(delivery.index for delivery in own)
                result.failures.append(Failure(earliest, org_id, error))
                continue
            if organisation is None:
                for delivery in own:
                    self._set_aside(result, records, delivery.index, "no such organisation")
        return result

    def _set_aside(
        self, result: Result, records: Sequence[StreamRecord], index: int, reason: str
    ) -> None:
        try:
            self._quarantine.put(records[index], reason)
        except RollcallError as error:
            result.failures.append(Failure(index, None, error))
        else:
            result.quarantined.append((index, reason))

    def _apply(self, organisation: Organisation, deliveries: Sequence[Delivery]) -> None:
        rows = fold(deliveries)
        with tenant(organisation.id):
            for epoch in organisation.written:
                contribute = contribution_function(organisation.contributions.get(epoch, 0))
                self._writers(organisation.id, epoch, contribute).apply(rows)


def fold(deliveries: Sequence[Delivery]) -> list[tuple[str, Row]]:
    """The highest revision of each fact that has a position, as (record type, row)."""
    newest: dict[tuple[str, str], Fact] = {}
    for delivery in deliveries:
        fact = delivery.fact
        key = (fact.type, fact.id)
        known = newest.get(key)
        if fact.has_position and (known is None or fact.rev > known.rev):
            newest[key] = fact
    return [
        (fact.type, Row(fact.id, fact.rev, fact.time_ms or 0, fact.record))
        for fact in newest.values()
    ]
