"""Previews the erasure of a lead. It reads as much as the first round of an erasure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rollcall.domain.errors import InvalidOperation
from rollcall.domain.organisations import Organisation, searched_shards, tenant
from rollcall.maintenance.erase import FailedObjects, Progress, Stores, look_for
from rollcall.maintenance.leads import CALL, LEAD, TYPES, is_of_lead, live_rows, org_id_of
from rollcall.maintenance.ports import Mentions


@dataclass(frozen=True, slots=True)
class Preview:
    """The live facts of a lead, by type, and its live rows, by epoch.

    `damaged` counts the facts that cannot be read, so that it is unknown whether they are the
    lead's, and those of the lead in the wrong bucket: an erasure does not erase them.
    """

    organisation: Organisation
    lead_id: str
    facts: Mapping[str, int]
    rows: Mapping[int, int]
    damaged: int
    failed_objects: FailedObjects

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        return not any(self.facts.values()) and not any(self.rows.values())


class PreviewErasure:
    """Counts what `rollcall.maintenance.erase.Erase` would erase; writes nothing."""

    def __init__(self, stores: Stores, mentions: Mentions) -> None:
        self._stores = stores
        self._mentions = mentions

    def __call__(
        self,
        handle: str,
        lead_id: str,
        show: Callable[[Progress], None] = lambda _progress: None,
    ) -> Preview:
        """Count the facts and rows of a lead.

        Raises InvalidOperation when the organisation does not exist or the id is not valid;
        Unavailable when the store stays busy; CorruptItem for a damaged page.
        """
        org_id = org_id_of(self._stores.directory, handle, lead_id)
        with tenant(org_id):
            organisation = self._stores.directory.organisation(org_id)
            if organisation is None or organisation.is_deleting:
                raise InvalidOperation("the organisation is being deleted")
            count = _Count(self._stores, organisation, lead_id, show)
            count.lead()
            count.calls()
            rows = {epoch: count.rows(epoch) for epoch in organisation.written}
            return Preview(
                organisation,
                lead_id,
                {name: len(count.found[name]) for name in TYPES},
                rows,
                count.damaged,
                look_for(self._mentions, org_id, lead_id, count.found[CALL]),
            )


class _Count:
    """One running preview."""

    def __init__(
        self,
        stores: Stores,
        organisation: Organisation,
        lead_id: str,
        show: Callable[[Progress], None],
    ) -> None:
        self._stores = stores
        self._organisation = organisation
        self._lead_id = lead_id
        self._show = show
        self._facts_seen = 0
        self._pages_seen = 0
        self.found: dict[str, set[str]] = {name: set() for name in TYPES}
        self.damaged = 0

    def lead(self) -> None:
        """Count the lead's own fact."""
        org_id, buckets = self._organisation.id, self._organisation.buckets
        facts = self._stores.facts
        stored = facts.read(org_id, buckets, [(LEAD, self._lead_id)]).get((LEAD, self._lead_id))
        if is_of_lead(stored, self._lead_id):
            self.found[LEAD].add(self._lead_id)
        if stored is None and facts.places(org_id, buckets, LEAD, [self._lead_id]):
            self.damaged += 1
        self.damaged += len(facts.misplaced(org_id, buckets, LEAD, self._lead_id))

    def calls(self) -> None:
        """Count the facts of its calls, also those in the wrong bucket."""
        org_id, facts = self._organisation.id, self._stores.facts
        for bucket in searched_shards(self._organisation.buckets):
            for page in facts.listed(org_id, bucket, CALL):
                self._facts_seen += len(page.facts) + len(page.damaged)
                self.damaged += len(page.damaged)
                for fact in page.facts:
                    if not is_of_lead(fact, self._lead_id):
                        continue
                    if facts.bucket_of(fact.id, self._organisation.buckets) == bucket:
                        self.found[CALL].add(fact.id)
                    else:
                        self.damaged += 1
                self._report()

    def rows(self, epoch: int) -> int:
        """The number of live rows in one epoch's pages."""
        found: set[tuple[str, str]] = set()
        for record_type in TYPES:
            for page in self._stores.pages.pages(self._organisation.epoch(epoch), record_type):
                self._pages_seen += 1
                found |= {
                    (record_type, row.id) for row in live_rows(page, record_type, self._lead_id)
                }
                self._report()
        return len(found)

    def _report(self) -> None:
        self._show(Progress(self._facts_seen, self._pages_seen, 0))
