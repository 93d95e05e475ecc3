"""Deleting an organisation: marked first, removed, and removed again when nobody can write it any more.

The mark comes before everything: from then on the updater skips the organisation and the authorizer
refuses its tokens. What is under way at that moment may go on for as long as an authorizer's answer
is kept and a function runs, so after that time everything is looked for again, until nothing is
found. At the end the handle is released and only a bare mark is left: records that are still in the
stream, or come back from the failure destination, are then skipped as somebody's that is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rollcall.domain.errors import Conflict, InvalidOperation
from rollcall.domain.organisations import MAX_BUCKETS, Organisation
from rollcall.maintenance.erase import FailedObjects, look_for
from rollcall.maintenance.ports import Mentions, Purge, Retirement

# An authorizer's answer is kept for 60 s, and the longest function runs for 900 s.
MAX_WRITE_SECONDS: Final = 60 + 900

# Epochs are counted upwards; so many without an item behind the last, and there are no more.
_EMPTY_EPOCHS: Final = 32
_MAX_ROUNDS: Final = 60
_SECONDS_BETWEEN_ROUNDS: Final = 1.0  # GSI1 lags behind about as long

FACTS: Final = "facts"
ANALYTICS: Final = "pages and rollups"
TOKENS: Final = "tokens"
NOTES: Final = "audits and states"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a deletion has come. `waiting_seconds`: what is waited for now."""

    removed: int
    waiting_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion did: items named for removal by kind, those of earlier tries not included."""

    organisation: Organisation
    at_ms: int
    removed: dict[str, int]
    failed_objects: FailedObjects


class DeleteOrganisation:
    """Removes one tenant wholly."""

    def __init__(
        self,
        directory: Retirement,
        purge: Purge,
        mentions: Mentions,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
    ) -> None:
        self._directory = directory
        self._purge = purge
        self._mentions = mentions
        self._now_ms = now_ms
        self._sleep = sleep

    def find(self, handle: str | None, org_id: str | None) -> Organisation:
        """The organisation of a handle or an id, deleted in part or wholly as it may be.

        Raises Refused when there is none, or the two name different ones.
        """
        if handle is not None:
            holder = self._directory.org_id_of_handle(handle)
            if holder is None:
                raise InvalidOperation(f"no organisation has the handle {handle!r}")
            if org_id not in (None, holder):
                raise InvalidOperation(f"{handle!r} is the handle of {holder}, not of {org_id}")
            org_id = holder
        organisation = self._directory.organisation(org_id) if org_id is not None else None
        if organisation is None:
            raise InvalidOperation(f"there is no organisation {org_id!r}")
        return organisation

    def __call__(
        self,
        organisation: Organisation,
        *,
        wait_seconds: float = MAX_WRITE_SECONDS,
        show: Callable[[Progress], None] = lambda _progress: None,
    ) -> Deletion:
        """Delete an organisation; may be broken off anywhere, and done again at any time.

        `wait_seconds` count from the moment of the mark, so what is resumed waits for the rest.
        Raises Refused when something keeps writing, and Unavailable when the store stays busy.
        """
        marked = self._marked(organisation.id)
        removed: Counter[str] = Counter(dict.fromkeys((FACTS, ANALYTICS, TOKENS, NOTES), 0))
        self._sweep(marked, removed, show)
        since_ms = marked.deleting_since_ms or 0
        if (waiting := since_ms / 1000 + wait_seconds - self._now_ms() / 1000) > 0:
            show(Progress(removed.total(), waiting))
            self._sleep(waiting)
        for _ in range(_MAX_ROUNDS):
            if not self._sweep(marked, removed, show):
                break
            self._sleep(_SECONDS_BETWEEN_ROUNDS)
        else:
            raise InvalidOperation(
                "something keeps writing; stop it, and delete the organisation again"
            )
        self._directory.retire(marked)
        return Deletion(
            organisation=marked,
            at_ms=self._now_ms(),
            removed=dict(removed),
            failed_objects=look_for(self._mentions, marked.id, None),
        )

    def _marked(self, org_id: str) -> Organisation:
        """The organisation with its mark, which it gets now if it has none."""
        try:
            self._directory.mark_deleting(org_id, self._now_ms())
        except Conflict:
            raise InvalidOperation(f"there is no organisation {org_id!r}") from None
        organisation = self._directory.organisation(org_id)
        if organisation is None:
            raise InvalidOperation(f"there is no organisation {org_id!r}")
        return organisation

    def _sweep(
        self,
        organisation: Organisation,
        removed: Counter[str],
        show: Callable[[Progress], None],
    ) -> int:
        """Remove all that is found now; how much."""
        before = removed.total()
        for kind, counts in self._removals(organisation):
            for count in counts:
                removed[kind] += count
                show(Progress(removed.total()))
        return removed.total() - before

    def _removals(self, organisation: Organisation) -> Iterator[tuple[str, Iterator[int]]]:
        org_id = organisation.id
        yield TOKENS, self._purge.remove_tokens(org_id)
        yield NOTES, self._purge.remove_notes(org_id)
        # All that any organisation may have: something may lie in one that is not its own.
        yield FACTS, self._purge.remove_facts(org_id, MAX_BUCKETS)
        yield ANALYTICS, self._epochs(organisation)

    def _epochs(self, organisation: Organisation) -> Iterator[int]:
        """Remove every epoch that there ever was, also those that a rebuild left behind."""
        known = max((organisation.live, *organisation.written))
        epoch = empty = 0
        while epoch <= known or empty < _EMPTY_EPOCHS:
            empty += 1
            for count in self._purge.remove_epoch(organisation.id, epoch):
                empty = 0
                yield count
            epoch += 1
