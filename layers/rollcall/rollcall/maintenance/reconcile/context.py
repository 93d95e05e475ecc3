"""The state that the parts of a comparison share: the organisation, its stores, and the audit so far."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.errors import Conflict, CorruptItem, RollcallError
from rollcall.domain.facts import Fact
from rollcall.domain.measures import RollupKey
from rollcall.domain.organisations import Organisation
from rollcall.ledger.page import Row
from rollcall.ledger.rollups import RollupPut
from rollcall.ledger.transaction import Transaction
from rollcall.ledger.writer import ApplyFacts, row_of
from rollcall.maintenance import audits
from rollcall.maintenance.audits import Audit, Difference
from rollcall.maintenance.ports import AuditedFacts, IndexInspection, Inspection, Organisations
from rollcall.maintenance.reconcile.inspection import RollupSeen

# The items of a transaction become visible one after another, within milliseconds: what seems wrong
# is read again after this pause.
AGAIN_SECONDS: Final = 0.25


class EpochChanged(RollcallError):
    """The compared epoch is no longer the live one: the comparison starts again."""


@dataclass(slots=True)
class Context:
    """The comparison of one organisation's live epoch.

    `inspections` are those of the buckets of the epoch, in their order. `audit` is the audit so far, which
    compares details if `reads_details`. `since_ms` is when everything was last found exact; `grace_us` is how long the stream may take to
    apply a change; `report` is called with every difference when it is found.
    """

    organisation: Organisation
    directory: Organisations
    inspections: Sequence[Inspection]
    index: IndexInspection
    facts: AuditedFacts
    apply_facts: ApplyFacts
    contribute: ContributionFunction
    audit: Audit
    report: Callable[[Difference], None]
    now_us: Callable[[], int]
    sleep: Callable[[float], None]
    grace_us: int
    since_ms: int
    is_repairing: bool
    reads_details: bool = False

    @property
    def epoch(self) -> int:
        """The epoch that is compared."""
        return self.organisation.live

    def bucket_of(self, fact_id: str) -> int:
        """The number of the bucket to which a fact belongs."""
        return self.organisation.epoch(self.epoch).bucket_of(fact_id).number

    def inspection_of(self, fact_id: str) -> Inspection:
        """The inspection of the bucket to which a fact belongs."""
        return self.inspections[self.bucket_of(fact_id)]

    def count(self, **more: int) -> None:
        """Add to counts of the audit: `context.count(rows=3)`."""
        self.audit = self.audit.counting(**more)

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
        """Count and report one difference.

        Raises EpochChanged when another epoch is live by now: the difference may be the result of
        its removal.
        """
        self.current()
        # Everything was exact at `since_ms`, so the drift began later; but few audits read details.
        is_of_detail = kind in audits.DETAIL_KINDS
        exact_ms = self.organisation.created_at_ms if is_of_detail else self.since_ms
        since_ms = max(exact_ms, since_ms or 0)
        difference = Difference(
            kind, self.epoch, subject, bucket, amount, since_ms, is_repaired, name
        )
        self.audit = self.audit.with_difference(difference)
        self.report(difference)

    def current(self) -> Organisation:
        """The organisation as it is now, read consistently.

        Raises EpochChanged when another epoch is live: items that are missing from an epoch that is
        being removed are not drift, and must not be written again.
        """
        found = self.directory.organisation(self.organisation.id)
        if found is None or found.is_deleting or found.live != self.epoch:
            raise EpochChanged(f"epoch {self.epoch} is not live any more")
        return found

    def restate(self, stored: Fact | None, fact: Fact) -> bool:
        """Replace the fact that was read; returns False if it changed meanwhile."""
        org = self.current()
        try:
            self.facts.restate(org.id, org.buckets, stored, fact)
        except Conflict:
            # If this fact is stored, only the reply was lost; else the stream applies the other.
            return self.read_fact(fact.type, fact.id) == fact
        return True

    def apply(self, fact: Fact) -> bool:
        """Apply a fact to every written epoch; see `apply_row`."""
        return self.apply_row(fact.type, row_of(fact))

    def apply_row(self, record_type: str, row: Row) -> bool:
        """Apply a row, with its tombstones, to every written epoch, the live one first.

        A damaged rollup blocks every row that contributes to it, so damaged rollups are emptied
        first; their content is compared later. Returns False when other damage blocks the row, such
        as a page that was lost since the pages were compared: the next run finds it.
        """
        if not all(self._is_covered(record_type, each) for each in (row, *row.left_behind)):
            return False
        try:
            self._apply_row(record_type, row)
        except CorruptItem:
            self._empty_damaged_rollups(record_type, row)
            try:
                self._apply_row(record_type, row)
            except CorruptItem:
                return False
        return True

    def _is_covered(self, record_type: str, row: Row) -> bool:
        """Whether the ledger has a page for a row, or no page at all yet."""
        for is_again in (False, True):
            if is_again:
                self.sleep(AGAIN_SECONDS)  # a split may be in progress
            page = self.inspection_of(row.id).page_from(record_type, row.position)
            if page is None or page.covers(row.position):
                return True
        return False

    def _apply_row(self, record_type: str, row: Row) -> None:
        organisation = self.current()
        others = [epoch for epoch in organisation.written if epoch != self.epoch]
        epochs = (self.epoch, *others) if self.epoch in organisation.written else others
        self.apply_facts.rows(organisation, [(record_type, row)], epochs)

    def _empty_damaged_rollups(self, record_type: str, row: Row) -> None:
        """Replace the damaged ones of the rollups that a row and its tombstones change."""
        inspection = self.inspection_of(row.id)
        rows = [row]
        for each in (row, *row.left_behind):
            page = inspection.page_from(record_type, each.position)
            old = page.row(each.id, each.time_ms) if page is not None else None
            rows += [old] if old is not None else []
        records = [each.record for each in rows if each.record is not None]
        keys = {key for record in records for key, _ in self.contribute(row.id, record)}
        for key, seen in inspection.seen(sorted(keys)).items():
            if seen.stored is None or seen.version is None:
                with contextlib.suppress(Conflict):  # another writer repaired it
                    self._empty_rollup(inspection, key, seen)

    def _empty_rollup(self, inspection: Inspection, key: RollupKey, seen: RollupSeen) -> None:
        """Give a damaged rollup a version, and empty it if its measures are damaged."""
        if seen.version is None:
            inspection.repair_rollup_version(key)
        if seen.stored is None:
            version = inspection.seen([key])[key].version
            empty = RollupPut(key, {}, {}, frozenset(), version or 0)
            inspection.commit(Transaction(puts=(empty,)))
        self.found(
            audits.ROLLUP_DAMAGED,
            key.family,
            f"{' '.join((key.family, *key.scope, key.bucket))}: damaged",
            bucket=key.bucket,
            is_repaired=True,
        )

    def read_fact(self, record_type: str, fact_id: str) -> Fact | None:
        """One fact, read consistently, or None."""
        org = self.organisation
        return self.facts.read(org.id, org.buckets, [(record_type, fact_id)]).get(
            (record_type, fact_id)
        )
