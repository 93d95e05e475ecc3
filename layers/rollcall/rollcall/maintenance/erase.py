"""Erases a person: every fact of a lead, every call that names it, and their rows.

Facts are replaced by tombstones as in any deletion, so that late older versions stay deleted, and
applied at once to every written epoch; the stream applies them again, harmlessly. Then all facts and
pages are searched for remaining data of the lead, until nothing is left. Calls that arrive meanwhile
are therefore found, and so is the data that an interrupted erasure left behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rollcall.domain.errors import BrokenDestination, Conflict, CorruptItem, InvalidOperation
from rollcall.domain.facts import Change, Fact
from rollcall.domain.organisations import Organisation, searched_shards, tenant
from rollcall.ledger.page import TOMBSTONE, Row
from rollcall.ledger.tree import Page
from rollcall.ledger.writer import ApplyFacts
from rollcall.maintenance.leads import (
    CALL,
    LEAD,
    TYPES,
    is_of_lead,
    live_rows,
    names_no_lead,
    org_id_of,
)
from rollcall.maintenance.ports import (
    Epochs,
    ErasableFacts,
    ForgetCalls,
    Mentions,
    Organisations,
    Pages,
)
from rollcall.maintenance.positions import recalled, replaces

# Every round but the last found new data: a client keeps sending calls of the lead.
_MAX_ROUNDS: Final = 20
_ROWS_AT_ONCE: Final = 100
# An abandoned rebuild may leave an epoch with a higher number than the written ones.
_EPOCHS_AHEAD: Final = 8


@dataclass(frozen=True, slots=True)
class FailedObjects:
    """Objects found in the failure destination, or the problem that prevented the search."""

    names: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an erasure: facts and pages read, and facts erased."""

    facts: int
    pages: int
    erased: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """The result of an erasure.

    `facts` counts the erased facts by type, and `rows` their tombstones in the pages at the end, by
    epoch. `is_known` is whether there was any data of the lead, including the tombstone of an
    earlier erasure. `damaged` counts the facts that cannot be read, so that it is unknown whether
    they are the lead's, and those of the lead in the wrong bucket. `left_epochs` are no longer
    written and not yet removed. `unnamed` are the ids of deleted calls that hold values of later
    merges and name no lead, so that they may be anyone's.
    """

    organisation: Organisation
    lead_id: str
    at_ms: int
    facts: Mapping[str, int]
    rows: Mapping[int, int]
    is_known: bool
    damaged: int
    left_epochs: tuple[int, ...]
    failed_objects: FailedObjects
    unnamed: tuple[str, ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether no data of the lead is left, and every item could be read."""
        return self.damaged == 0


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that an erasure reads and writes."""

    directory: Organisations
    facts: ErasableFacts
    apply_facts: ApplyFacts
    pages: Pages
    epochs: Epochs
    now_us: Callable[[], int]


class Erase:
    """Erases one lead of an organisation."""

    def __init__(self, stores: Stores, mentions: Mentions, forget: ForgetCalls) -> None:
        self._stores = stores
        self._mentions = mentions
        self._forget = forget

    def __call__(
        self,
        handle: str,
        lead_id: str,
        show: Callable[[Progress], None] = lambda _progress: None,
    ) -> Erasure:
        """Erase a lead and all of its calls, and verify that nothing is left.

        It may be interrupted and repeated at any time. Ids are compared as strings. One answer of
        the store (1 MB) and the ids of the erased facts are in memory. Raises InvalidOperation when
        the organisation does not exist, the id is not valid, or new calls of the lead keep arriving;
        Unavailable when the store stays busy; CorruptItem for a damaged page.
        """
        org_id = org_id_of(self._stores.directory, handle, lead_id)
        run = _Run(self._stores, org_id, lead_id, show)
        with tenant(org_id):
            for _ in range(_MAX_ROUNDS):
                if not run.erase_once():
                    self._forget(org_id, lead_id, run.erased[CALL])
                    return self._erasure(run)
        raise InvalidOperation(
            f"new records of lead {lead_id!r} keep arriving: stop their sender, and erase it again"
        )

    def _erasure(self, run: _Run) -> Erasure:
        organisation = run.organisation()
        others = set(range(max(organisation.written, default=0) + _EPOCHS_AHEAD))
        others -= set(organisation.written)
        is_empty = self._stores.epochs.is_empty
        return Erasure(
            organisation=organisation,
            lead_id=run.lead_id,
            at_ms=self._stores.now_us() // 1000,
            facts={name: len(run.erased[name]) for name in TYPES},
            rows=dict(run.rows),
            is_known=run.is_known,
            damaged=len(run.damaged),
            left_epochs=tuple(e for e in sorted(others) if not is_empty(run.org_id, e)),
            failed_objects=look_for(self._mentions, run.org_id, run.lead_id, run.erased[CALL]),
            unnamed=tuple(sorted(run.unnamed)),
        )


def look_for(
    mentions: Mentions, org_id: str, lead_id: str | None, calls: Collection[str] = ()
) -> FailedObjects:
    """The objects of the failure destination that may hold data of an organisation or a lead."""
    try:
        return FailedObjects(tuple(mentions(org_id, lead_id, calls)))
    except BrokenDestination as error:
        return FailedObjects(problem=str(error))


@dataclass(slots=True)
class _Run:
    """One running erasure."""

    stores: Stores
    org_id: str
    lead_id: str
    show: Callable[[Progress], None]
    erased: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in TYPES})
    rows: Counter[int] = field(default_factory=Counter)
    damaged: set[tuple[str, str]] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    is_known: bool = False
    facts_seen: int = 0
    pages_seen: int = 0

    def organisation(self) -> Organisation:
        """The organisation as it is now. Raises InvalidOperation when it is being deleted."""
        organisation = self.stores.directory.organisation(self.org_id)
        if organisation is None or organisation.is_deleting:
            raise InvalidOperation("the organisation is being deleted")
        return organisation

    def erase_once(self) -> bool:
        """Erase the facts and rows of the lead; returns whether anything was left to erase."""
        organisation = self.organisation()
        found = self._erase_facts(organisation)
        organisation = self.organisation()
        self.rows = Counter(dict.fromkeys(organisation.written, 0))
        for epoch in organisation.written:
            for record_type in TYPES:
                found = self._clear_rows(organisation, epoch, record_type) or found
        return found or self.organisation().written != organisation.written

    # -- facts -------------------------------------------------------------------------------
    def _erase_facts(self, organisation: Organisation) -> bool:
        key = (LEAD, self.lead_id)
        stored = self._read(organisation, [key]).get(key)
        self.is_known = self.is_known or stored is not None
        if stored is None:
            self._note_if_damaged(organisation, *key)
        for bucket in self.stores.facts.misplaced(self.org_id, organisation.buckets, *key):
            self.damaged.add((LEAD, f"{bucket}/{self.lead_id}"))
            self.is_known = True
        found = self._erase(organisation, [(key, stored)])
        self.unnamed.clear()
        # More than its own: a fact in the wrong one is found only here.
        for bucket in searched_shards(organisation.buckets):
            for page in self.stores.facts.listed(self.org_id, bucket, CALL):
                self.facts_seen += len(page.facts) + len(page.damaged)
                self.damaged |= {(CALL, name) for name in page.damaged}
                self.unnamed.update(fact.id for fact in filter(names_no_lead, page.facts))
                own, misplaced = self._by_place(organisation, bucket, page.facts)
                self.damaged |= {(CALL, f"{bucket}/{fact.id}") for fact in misplaced}
                self.is_known = self.is_known or bool(misplaced)
                theirs = [((CALL, fact.id), fact) for fact in own]
                found = self._erase(organisation, theirs) or found
                self._report()
        return found

    def _by_place(
        self, organisation: Organisation, bucket: int, facts: Iterable[Fact]
    ) -> tuple[list[Fact], list[Fact]]:
        """The lead's facts that belong in the bucket, and those that belong in another."""
        own: list[Fact] = []
        misplaced: list[Fact] = []
        for fact in facts:
            if is_of_lead(fact, self.lead_id):
                home = self.stores.facts.bucket_of(fact.id, organisation.buckets)
                (own if home == bucket else misplaced).append(fact)
        return own, misplaced

    def _erase(
        self,
        organisation: Organisation,
        found: Iterable[tuple[tuple[str, str], Fact | None]],
    ) -> bool:
        """Replace facts by tombstones without values, and apply them; returns whether there were any."""
        tombstones = []
        for (record_type, fact_id), stored in found:
            if stored is None or (stored.record is None and not stored.withheld):
                continue
            deletion = Change(record_type, stored.id, None, None)
            try:
                _, now = self.stores.facts.write(
                    self.org_id, organisation.buckets, stored, deletion
                )
            except CorruptItem:
                self.damaged.add((record_type, fact_id))
                continue
            if now is not None and now.record is None:
                tombstones.append(now)
                self.erased[record_type].add(fact_id)
                self.is_known = True
        self._apply(tombstones)
        return bool(tombstones)

    def _apply(self, facts: Sequence[Fact]) -> None:
        if facts:
            # Read after the facts were stored: a rebuild finds the facts, or is in `written`.
            self.stores.apply_facts(self.organisation(), facts)

    def _read(
        self, organisation: Organisation, wanted: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Fact]:
        return self.stores.facts.read(self.org_id, organisation.buckets, wanted)

    # -- rows --------------------------------------------------------------------------------
    def _clear_rows(self, organisation: Organisation, epoch: int, record_type: str) -> bool:
        """Apply the facts of all remaining rows of the lead; returns whether there were any."""
        missing = set(self.erased[record_type])
        found = False
        for page in self.stores.pages.pages(organisation.epoch(epoch), record_type):
            self.pages_seen += 1
            live = list(live_rows(page, record_type, self.lead_id))
            tombstones = missing & _tombstones(page) if missing else set()
            missing -= tombstones
            self.rows[epoch] += len(tombstones)
            for begin in range(0, len(live), _ROWS_AT_ONCE):
                some = live[begin : begin + _ROWS_AT_ONCE]
                found = self._clear(organisation, record_type, some) or found
            self._report()
        if missing:
            # A rebuild began this epoch meanwhile, and has not copied these facts yet.
            stored = self._read(organisation, [(record_type, fact_id) for fact_id in missing])
            self._apply([fact for fact in stored.values() if fact.has_position])
        return found or bool(missing)

    def _clear(self, organisation: Organisation, record_type: str, rows: Sequence[Row]) -> bool:
        """Apply the facts of live rows again, those of the lead as tombstones.

        A row with a lower revision than its fact is late, or was left by an interrupted erasure. Any
        other row drifted from its fact, or has none: the fact is then written again with a higher
        revision, so that it replaces the row. Returns False when none of the facts can be read.
        """
        self.is_known = True
        stored = self._read(organisation, [(record_type, row.id) for row in rows])
        newer: list[Fact] = []
        has_found = False
        for row in rows:
            key = (record_type, row.id)
            fact = stored.get(key)
            if is_of_lead(fact, self.lead_id):
                has_found = self._erase(organisation, [(key, fact)]) or has_found
            elif fact is None and self._note_if_damaged(organisation, *key):
                # If the listing did not count it yet, another round must.
                has_found = has_found or not self.damaged
            else:
                has_found = True
                newer += self._newer(organisation, record_type, row, fact)
        self._apply(newer)
        return has_found

    def _newer(
        self, organisation: Organisation, record_type: str, row: Row, fact: Fact | None
    ) -> list[Fact]:
        """The fact of a row if it replaces the row, or can be stored so; else nothing."""
        if fact is None or not replaces(fact, row):
            fact = self._restated(organisation, record_type, row, fact)
        if fact is None:
            return []
        if fact.record is None:
            self.erased[record_type].add(fact.id)
        return [fact]

    def _restated(
        self, organisation: Organisation, record_type: str, row: Row, fact: Fact | None
    ) -> Fact | None:
        """Store the fact so that it replaces the row; None if another writer was first.

        None too if the fact cannot have the time of the row: the row itself is replaced then.
        """
        now_us = self.stores.now_us()
        rev = max(row.rev, 0 if fact is None else fact.rev, now_us) + 1
        updated: Fact | None
        if fact is None:
            updated = Fact(record_type, row.id, row.time_ms, now_us // 1000, rev, None)
        elif row.time_ms in fact.times:
            updated = replace(fact, rev=rev, moved_rev=None)
        else:
            updated = recalled(fact, row, rev)
        if updated is None:
            dead = Row(row.id, row.rev + 1, row.time_ms, None)
            self.stores.apply_facts.rows(organisation, [(record_type, dead)], organisation.written)
            return None
        try:
            self.stores.facts.restate(self.org_id, organisation.buckets, fact, updated)
        except Conflict:
            return None
        return updated

    def _note_if_damaged(self, organisation: Organisation, record_type: str, fact_id: str) -> bool:
        """Whether the item of a fact is damaged. Counts leads only; the listing counts calls."""
        places = self.stores.facts.places(self.org_id, organisation.buckets, record_type, [fact_id])
        is_damaged = fact_id in places and not self._read(organisation, [(record_type, fact_id)])
        if is_damaged and record_type == LEAD:
            self.damaged.add((record_type, fact_id))
        return is_damaged

    def _report(self) -> None:
        erased = sum(map(len, self.erased.values()))
        self.show(Progress(self.facts_seen, self.pages_seen, erased))


def _tombstones(page: Page) -> set[str]:
    """The ids of the tombstones of a page."""
    rows = page.rows
    if TOMBSTONE not in rows.names:
        return set()
    marks = rows.integers(TOMBSTONE)
    return {text for index, text in enumerate(rows.ids()) if marks.get(index) is not None}
