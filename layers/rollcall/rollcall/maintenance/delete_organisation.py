"""Deletes an organisation: marks it, removes its items, and removes them again after the last writer.

After the mark, the updater skips the organisation and the authorizer refuses its tokens. Requests in
progress may still write for as long as API Gateway caches a policy and a function runs, so after
that time the removal is repeated until nothing is found. At the end the handle is released and only
a tombstone is left, so that records that are still in the stream, or replayed from the failure
destination, are skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rollcall.domain.errors import Conflict, InvalidOperation
from rollcall.domain.organisations import Organisation, searched_shards
from rollcall.maintenance.erase import FailedObjects, look_for
from rollcall.maintenance.ports import Mentions, Purge, Retirement

# API Gateway caches a policy for 60 s, and the longest function runs for 900 s.
MAX_WRITE_SECONDS: Final = 60 + 900

# Epoch numbers increase: after this many empty epochs, no more are expected.
_EMPTY_EPOCHS: Final = 32
_MAX_ROUNDS: Final = 60
_SECONDS_BETWEEN_ROUNDS: Final = 1.0  # GSI1 is about as far behind

FACTS: Final = "facts"
ANALYTICS: Final = "pages and rollups"
TOKENS: Final = "tokens"
HOOKS: Final = "hooks and states of their calls"
NOTES: Final = "audits and states"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a deletion. `waiting_seconds` is the length of the current wait."""

    removed: int
    waiting_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Deletion:
    """The result of a deletion: items removed by this run, by kind."""

    organisation: Organisation
    at_ms: int
    removed: dict[str, int]
    failed_objects: FailedObjects


class DeleteOrganisation:
    """Deletes an organisation and all of its data."""

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
        """The organisation with a handle or an id, even if it is partly or wholly deleted.

        Raises InvalidOperation when there is none, or the handle and the id do not match.
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
        """Delete an organisation; it may be interrupted and repeated at any time.

        `wait_seconds` counts from the mark, so a resumed deletion waits only for the rest. Raises
        InvalidOperation when another process keeps writing, and Unavailable when the store stays
        busy.
        """
        marked = self._marked(organisation.id)
        removed: Counter[str] = Counter(dict.fromkeys((FACTS, ANALYTICS, TOKENS, HOOKS, NOTES), 0))
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
                "another process keeps writing; stop it, and delete the organisation again"
            )
        self._directory.retire(marked)
        return Deletion(
            organisation=marked,
            at_ms=self._now_ms(),
            removed=dict(removed),
            failed_objects=look_for(self._mentions, marked.id, None),
        )

    def _marked(self, org_id: str) -> Organisation:
        """Mark the organisation as being deleted if it is not, and return it."""
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
        """Remove all items that are found, and return their number."""
        before = removed.total()
        for kind, counts in self._removals(organisation):
            for count in counts:
                removed[kind] += count
                show(Progress(removed.total()))
        return removed.total() - before

    def _removals(self, organisation: Organisation) -> Iterator[tuple[str, Iterator[int]]]:
        org_id = organisation.id
        yield TOKENS, self._purge.remove_tokens(org_id)
        yield HOOKS, self._purge.remove_hooks(org_id)
        yield NOTES, self._purge.remove_notes(org_id)
        # More than its own: a fact may be in the wrong one.
        shards = searched_shards(organisation.buckets)
        yield FACTS, self._purge.remove_facts(org_id, len(shards))
        yield ANALYTICS, self._epochs(organisation)

    def _epochs(self, organisation: Organisation) -> Iterator[int]:
        """Remove every epoch, including those that an abandoned rebuild left behind."""
        known = max((organisation.live, *organisation.written))
        epoch = empty = 0
        while epoch <= known or empty < _EMPTY_EPOCHS:
            empty += 1
            for count in self._purge.remove_epoch(organisation.id, epoch):
                empty = 0
                yield count
            epoch += 1
