"""What the parts of a reconciliation share: the organisation, its stores, and what was found."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.errors import Conflict, CorruptItem, RollcallError
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation
from rollcall.ledger.page import Row
from rollcall.ledger.transaction import RollupPut, Transaction
from rollcall.ledger.writer import ApplyFacts, row_of
from rollcall.maintenance import audits
from rollcall.maintenance.audits import MAX_KEPT, Audit, Difference
from rollcall.maintenance.ports import AuditedFacts, Inspection, Organisations

# A transaction's items are seen one after another, for some milliseconds: what seems wrong is looked
# at again after this long.
AGAIN_SECONDS: Final = 0.25


class EpochChanged(RollcallError):
    """The epoch that was compared is not the live one any more: the comparison begins anew."""


@dataclass(slots=True)
class Findings:
    """What was compared and found so far."""

    facts: int = 0
    rows: int = 0
    pages: int = 0
    rollups: int = 0
    drift: dict[str, int] = field(default_factory=dict)
    repaired: int = 0
    unsettled: int = 0
    differences: list[Difference] = field(default_factory=list)

    @staticmethod
    def of(audit: Audit) -> Findings:
        """The findings of an audit, to go on with."""
        return Findings(
            audit.facts,
            audit.rows,
            audit.pages,
            audit.rollups,
            dict(audit.drift),
            audit.repaired,
            audit.unsettled,
            list(audit.differences),
        )

    def found(self, difference: Difference) -> None:
        """Count a difference; the first ones are kept."""
        self.drift[difference.kind] = self.drift.get(difference.kind, 0) + 1
        self.repaired += difference.is_repaired
        if len(self.differences) < MAX_KEPT:
            self.differences.append(difference)


@dataclass(slots=True)
class Context:
    """One organisation's live epoch under comparison.

    `since_ms` is when everything was last found exact; `grace_us` how long the stream may take to
    bring a change; `tell` is called with every difference as it is found.
    """

    organisation: Organisation
    directory: Organisations
    inspection: Inspection
    facts: AuditedFacts
    apply_facts: ApplyFacts
    contribute: ContributionFunction
    findings: Findings
    report: Callable[[Difference], None]
    now_us: Callable[[], int]
    sleep: Callable[[float], None]
    grace_us: int
    since_ms: int
    is_repairing: bool

    @property
    def epoch(self) -> int:
        """The epoch that is compared."""
        return self.organisation.live

    def found(
        self,
        kind: str,
        subject: str,
        name: str,
        *,
        amount: int = 1,
        bucket: str = "",
        since_ms: int | None = None,
        is_repaired: bool = False,
    ) -> None:
        """Count and tell one difference.

        Raises EpochChanged where another epoch is live by now: what was found may be what was
        being removed.
        """
        self.current()
        # What was right when all was last found right has begun since.
        since_ms = max(self.since_ms, since_ms or 0)
        difference = Difference(
            kind, self.epoch, subject, bucket, amount, since_ms, is_repaired, name
        )
        self.findings.found(difference)
        self.report(difference)

    def current(self) -> Organisation:
        """The organisation as it is now, read consistently.

        Raises EpochChanged when another epoch is live: what is missing from one that is being
        removed is no drift, and must not be put back.
        """
        found = self.directory.organisation(self.organisation.id)
        if found is None or found.is_deleting or found.live != self.epoch:
            raise EpochChanged(f"epoch {self.epoch} is not live any more")
        return found

    def restate(self, stored: Fact | None, fact: Fact) -> bool:
        """Store a fact in the place of what was read; False: it was changed meanwhile."""
        org = self.current()
        try:
            self.facts.restate(org.id, org.buckets, stored, fact)
        except Conflict:
            # The stream brings what it is now, unless it is this: then only the reply was lost.
            return self.read_fact(fact.type, fact.id) == fact
        return True

    def apply(self, fact: Fact) -> bool:
        """Bring a fact into every written epoch, the ordinary way; see `apply_row`."""
        return self.apply_row(fact.type, row_of(fact))

    def apply_row(self, record_type: str, row: Row) -> bool:
        """Bring a row into every written epoch, the ordinary way; the live one first.

        A damaged rollup would be in the way of every row that it counts, so those are put right
        first: what they hold then is compared later, like all others. False: something else is in
        the way, such as a page that was lost or damaged since the pages were compared. A next run
        finds it; this one would wait for it for ever.
        """
        if not self._is_covered(record_type, row.position):
            return False
        try:
            self._apply_row(record_type, row)
        except CorruptItem:
            self._mend_rollups(record_type, row)
            try:
                self._apply_row(record_type, row)
            except CorruptItem:
                return False
        return True

    def _is_covered(self, record_type: str, position: str) -> bool:
        """Whether the ledger has a page for a position, or no page at all yet."""
        for is_again in (False, True):
            if is_again:
                self.sleep(AGAIN_SECONDS)  # a split may be under way
            page = self.inspection.page_from(record_type, position)
            if page is None or page.covers(position):
                return True
        return False

    def _apply_row(self, record_type: str, row: Row) -> None:
        organisation = self.current()
        others = [epoch for epoch in organisation.written if epoch != self.epoch]
        epochs = (self.epoch, *others) if self.epoch in organisation.written else others
        self.apply_facts.rows(organisation, [(record_type, row)], epochs)

    def _mend_rollups(self, record_type: str, row: Row) -> None:
        """Put those of the rollups that a row changes anew, with nothing in them, if damaged."""
        page = self.inspection.page_from(record_type, row.position)
        old = page.row(row.id) if page is not None else None
        records = [r.record for r in (row, old) if r is not None and r.record is not None]
        keys = {key for record in records for key, _ in self.contribute(row.id, record)}
        for key, seen in self.inspection.seen(sorted(keys)).items():
            if seen.stored is not None and seen.version is not None:
                continue
            with contextlib.suppress(Conflict):  # somebody else mended it
                if seen.version is None:
                    self.inspection.repair_rollup_version(key)
                if seen.stored is None:
                    version = self.inspection.seen([key])[key].version
                    empty = RollupPut(key, {}, frozenset(), version or 0)
                    self.inspection.commit(Transaction((), (), (empty,)))
                self.found(
                    audits.ROLLUP_DAMAGED,
                    key.family,
                    f"{' '.join((key.family, *key.scope, key.bucket))}: damaged",
                    bucket=key.bucket,
                    is_repaired=True,
                )

    def read_fact(self, record_type: str, fact_id: str) -> Fact | None:
        """One fact, read consistently; None: there is none."""
        org = self.organisation
        return self.facts.read(org.id, org.buckets, [(record_type, fact_id)]).get(
            (record_type, fact_id)
        )
