"""Bringing a batch of the stream into pages and rollups.

The stream delivers at least once and in no order that matters: the batch is folded to the highest
revision of each fact, and the ledger decides by revision what is new. What a retry may fix comes
back; what no retry can fix is quarantined, so that it delays no other organisation of its shard.
What the batch's caller needs to know is one number: the earliest record that is not known to be
applied or quarantined.
"""

from __future__ import annotations

import enum
import pathlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from rollcall.domain.errors import BrokenDestination, CorruptItem, RollcallError
from rollcall.domain.facts import Fact, StreamFact
from rollcall.domain.organisations import Organisation
from rollcall.ingest.isolate import Rows, isolate
from rollcall.ingest.ports import Directory, Quarantine
from rollcall.ledger.writer import ApplyFacts, fold

StreamRecord: TypeAlias = Mapping[str, Any]

_FRAMES_DESCRIBED: Final = 4


class Cause(enum.Enum):
    """Why records were quarantined."""

    RECORD = "record"  # it cannot be parsed
    ORGANISATION = "organisation"  # there is no such organisation
    LEDGER = "ledger"  # its pages or rollups are damaged, too large or too new, or there is a bug


@dataclass(frozen=True, slots=True)
class Delivery:
    """One fact as the stream delivered it, and where in the batch."""

    index: int
    org_id: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that a retry may do, and the earliest record of the batch that it leaves undone."""

    earliest_index: int
    org_id: str | None
    error: Exception


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Records that were quarantined together.

    `indices` are their places in the batch, ascending. `org_id` is None where none is known.
    `name` is that of the object that keeps them.
    """

    indices: tuple[int, ...]
    org_id: str | None
    cause: Cause
    reason: str
    name: str


@dataclass(slots=True)
class Result:
    """What became of a batch."""

    quarantined: list[Quarantined] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def earliest_unapplied(self) -> int | None:
        """The earliest record not known to be applied or quarantined; None when there is none."""
        return min((failure.earliest_index for failure in self.failures), default=None)


class Update:
    """Applies a batch's facts to every epoch that their organisation writes.

    `parse` returns the fact in a stream record, None for a removal, or raises CorruptItem.
    `may_pass` is whether a retry may succeed after an error although nothing stored changes.
    """

    def __init__(
        self,
        directory: Directory,
        apply_facts: ApplyFacts,
        parse: Callable[[StreamRecord], StreamFact | None],
        quarantine: Quarantine,
        may_pass: Callable[[Exception], bool],
    ) -> None:
        self._directory = directory
        self._apply_facts = apply_facts
        self._parse = parse
        self._quarantine = quarantine
        self._may_pass = may_pass

    def __call__(self, records: Sequence[StreamRecord]) -> Result:
        """Apply a batch, the organisations with the fewest records first.

        No failure of one organisation holds another up. Every record before `earliest_unapplied` is
        applied, quarantined, or nothing to apply by rule: a removal, an organisation that is being
        deleted, a tombstone without a position.
        """
        result = Result()
        by_org = self._by_organisation(records, result)
        for org_id, own in sorted(by_org.items(), key=lambda entry: len(entry[1])):
            try:
                organisation = self._directory.organisation(org_id)
                if organisation is None:
                    cause, refused = Cause.ORGANISATION, {"no such organisation": own}
                else:
                    cause, refused = Cause.LEDGER, self._apply(organisation, own)
            except Exception as error:  # noqa: BLE001 - the others of the batch go on
                if self._may_pass(error):
                    result.failures.append(Failure(own[0].index, org_id, error))
                    continue
                cause, refused = Cause.LEDGER, {description(error): own}
            for reason, deliveries in refused.items():
                indices = [delivery.index for delivery in deliveries]
                self._set_aside(result, records, indices, org_id, cause, reason)
        return result

    def _by_organisation(
        self, records: Sequence[StreamRecord], result: Result
    ) -> dict[str, list[Delivery]]:
        """The deliveries of each organisation; what cannot be parsed is quarantined."""
        by_org: dict[str, list[Delivery]] = {}
        for index, record in enumerate(records):
            try:
                parsed = self._parse(record)
            except Exception as error:  # noqa: BLE001 - the others of the batch go on
                reason = str(error) if isinstance(error, CorruptItem) else description(error)
                self._set_aside(result, records, [index], None, Cause.RECORD, reason)
                continue
            if parsed is not None:
                org_id, fact = parsed
                by_org.setdefault(org_id, []).append(Delivery(index, org_id, fact))
        return by_org

    def _apply(
        self, organisation: Organisation, own: Iterable[Delivery]
    ) -> dict[str, list[Delivery]]:
        """Apply an organisation's deliveries; those that no retry can apply, by reason.

        Epochs are applied one by one: what is in the way in one is not in the way in the next.
        """
        if organisation.is_deleting:
            return {}
        rows = fold(delivery.fact for delivery in own)
        # The rows of a damaged page stand together, and are halved off together.
        rows.sort(key=lambda pair: (pair[0], pair[1].position))
        reasons: dict[tuple[str, str], str] = {}
        for epoch in organisation.written:

            def apply(part: Rows, epoch: int = epoch) -> None:
                self._apply_facts.rows(organisation, part, (epoch,))

            for part, error in isolate(rows, apply, self._may_pass):
                for record_type, row in part:
                    reasons.setdefault((record_type, row.id), description(error))
        refused: dict[str, list[Delivery]] = {}
        for delivery in own:
            reason = reasons.get((delivery.fact.type, delivery.fact.id))
            if reason is not None:
                refused.setdefault(reason, []).append(delivery)
        return refused

    def _set_aside(
        self,
        result: Result,
        records: Sequence[StreamRecord],
        indices: Sequence[int],
        org_id: str | None,
        cause: Cause,
        reason: str,
    ) -> None:
        try:
            name = self._quarantine.put([records[index] for index in indices], reason)
        except BrokenDestination as error:
            result.failures.append(Failure(indices[0], org_id, error))
        else:
            result.quarantined.append(Quarantined(tuple(indices), org_id, cause, reason, name))


def description(error: Exception) -> str:
    """An error in a line of a log.

    Of an error that Rollcall does not raise on purpose only the type and the place: its message may
    quote a record.
    """
    if isinstance(error, RollcallError):
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_DESCRIBED:]
    places = [f"{pathlib.Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return f"{type(error).__name__} at {' > '.join(places)}"
