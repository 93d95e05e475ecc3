"""Applies a batch of the stream to pages and rollups.

The stream delivers at least once, and the order does not matter: only the highest revision of each
fact is applied, and the ledger ignores revisions that it already has. Records that a retry may fix
are delivered again. Records that no retry can fix are quarantined, so that they do not delay other
organisations. The caller needs one number: the index of the earliest record that is not known to
be applied or quarantined.
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

    RECORD = "record"  # the record cannot be parsed
    ORGANISATION = "organisation"  # the organisation does not exist
    LEDGER = "ledger"  # pages or rollups are damaged, too large or too new, or there is a bug


@dataclass(frozen=True, slots=True)
class Delivery:
    """One fact as the stream delivered it, and its index in the batch."""

    index: int
    org_id: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that a retry may fix, and the earliest record of the batch that it left unapplied."""

    earliest_index: int
    org_id: str | None
    error: Exception


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Records that were quarantined together.

    `indices` are their ascending indices in the batch. `org_id` is None if it is unknown. `name` is
    the name of the object that holds the records.
    """

    indices: tuple[int, ...]
    org_id: str | None
    cause: Cause
    reason: str
    name: str


@dataclass(slots=True)
class Result:
    """The outcome of a batch."""

    quarantined: list[Quarantined] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def earliest_unapplied(self) -> int | None:
        """The index of the earliest record not known to be applied or quarantined, or None."""
        return min((failure.earliest_index for failure in self.failures), default=None)


class Update:
    """Applies a batch's facts to every epoch that their organisation writes.

    `parse` returns the fact in a stream record, None for a removal, or raises CorruptItem.
    `may_pass` returns whether a retry may succeed after an error although no stored data changes.
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

        A failure of one organisation does not delay another. Every record before
        `earliest_unapplied` is applied, quarantined, or has nothing to apply: a removal, a record of
        an organisation that is being deleted, or a tombstone without a position.
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
            except Exception as error:  # noqa: BLE001 - the other organisations continue
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
        """The deliveries of each organisation; records that cannot be parsed are quarantined."""
        by_org: dict[str, list[Delivery]] = {}
        for index, record in enumerate(records):
            try:
                parsed = self._parse(record)
            except Exception as error:  # noqa: BLE001 - the other records continue
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
        """Apply an organisation's deliveries, and return those that no retry can apply, by reason.

        Epochs are applied one by one: damage in one epoch does not affect the next.
        """
        if organisation.is_deleting:
            return {}
        rows = fold(delivery.fact for delivery in own)
        reasons: dict[tuple[str, str], str] = {}
        for number in organisation.written:

            def apply(part: Rows, number: int = number) -> None:
                self._apply_facts.rows(organisation, part, (number,))

            # So that the rows of a damaged page stay together when halved.
            bucket_of = organisation.epoch(number).bucket_of
            rows.sort(key=lambda pair: (bucket_of(pair[1].id).number, pair[0], pair[1].position))
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
    """A description of an error for a log line.

    The message of an error that Rollcall does not raise itself may quote a record, so such an error
    is described only by its type and place.
    """
    if isinstance(error, RollcallError):
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_DESCRIBED:]
    places = [f"{pathlib.Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return f"{type(error).__name__} at {' > '.join(places)}"
