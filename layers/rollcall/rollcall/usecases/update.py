"""Bringing a batch of the stream into pages and rollups.

The stream delivers at least once and in no order that matters: the batch is folded to the highest
revision of each fact, and the ledger decides by revision what is new. What the batch's caller needs
to know is one number: the earliest record that is not known to be applied or quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rollcall.domain.errors import CorruptItem, RollcallError
from rollcall.domain.facts import Fact, StreamFact
from rollcall.usecases.apply_facts import ApplyFacts
from rollcall.usecases.ports import Directory, Quarantine

StreamRecord: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One fact as the stream delivered it, and where in the batch."""

    index: int
    org_id: str
    fact: Fact


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
        apply_facts: ApplyFacts,
        parse: Callable[[StreamRecord], StreamFact | None],
        quarantine: Quarantine,
    ) -> None:
        self._directory = directory
        self._apply_facts = apply_facts
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
                    self._apply_facts(organisation, (delivery.fact for delivery in own))
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
