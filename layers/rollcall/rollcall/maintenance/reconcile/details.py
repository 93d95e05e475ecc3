"""Compares the detail beside each fact with the hash that the fact has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollcall.domain.errors import Unavailable
from rollcall.domain.facts import Fact, hash_of_detail
from rollcall.maintenance import audits
from rollcall.maintenance.reconcile.context import AGAIN_SECONDS, Context

# Up to 64 KB of each are in memory.
_DETAILS_AT_ONCE = 100
_MOST_READS = 20


@dataclass(slots=True)
class CompareDetails:
    """Compares facts with their details. No drift is repaired, because nothing else has the content."""

    context: Context

    def __call__(self, facts: Sequence[Fact]) -> None:
        """Report the details of these facts that are missing, or do not have the hash of the fact."""
        having = [fact for fact in facts if hash_of_detail(fact) is not None]
        for begin in range(0, len(having), _DETAILS_AT_ONCE):
            some = having[begin : begin + _DETAILS_AT_ONCE]
            found = self._hashes(some)
            for fact in some:
                if found.get(fact.id) != hash_of_detail(fact):
                    self._check(fact)

    def _check(self, listed: Fact) -> None:
        """Report the drift of a detail if two reads, a moment apart, agree on it.

        The detail changes together with its fact, and then the fact has a new revision. Raises
        Unavailable when the fact keeps changing.
        """
        seen: tuple[int, str | None] | None = None
        for _ in range(_MOST_READS):
            fact = self.context.read_fact(listed.type, listed.id)
            wanted = hash_of_detail(fact)
            if fact is None or wanted is None:
                return
            found = self._hashes([fact])
            stored = found.get(fact.id)
            if stored == wanted:
                return
            if seen == (fact.rev, stored):
                kind = audits.DETAIL_DIFFERS if fact.id in found else audits.DETAIL_MISSING
                name = f"{fact.type} {fact.id!r} of revision {fact.rev}"
                self.context.found(kind, fact.type, name)
                return
            seen = fact.rev, stored
            self.context.sleep(AGAIN_SECONDS)
        raise Unavailable(f"{listed.type} {listed.id!r} keeps changing")

    def _hashes(self, facts: Sequence[Fact]) -> dict[str, str | None]:
        org = self.context.organisation
        return dict(self.context.facts.detail_hashes(org.id, org.buckets, facts))
