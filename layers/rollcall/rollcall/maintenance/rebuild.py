"""Rebuilds an organisation's pages and rollups from its facts, as the next epoch, without downtime.

A rebuild runs through the phases of `rollcall.maintenance.rebuilds`. Every step may run twice, and
the progress is stored after each step, so after a crash the next command resumes there. A command
that resumes a run takes it over: the earlier command can save nothing more and stops. Requests that
the earlier command still has in flight do no harm, because every change of the organisation is
conditional on its previous state, and no epoch number is ever used twice.

**Why nothing is missed.** The facts are listed, consistently, after the organisation item lists the
next epoch among the written ones. A writer applies facts after they were stored, and reads that item
consistently. A writer that read the item after the change writes to both epochs. A writer that read
it before the change writes only to the old epoch, but its facts were stored before the change, so
the listing finds them or later versions. From the end of the listing, the next epoch therefore holds
everything that the live one does. Writers write to the first epoch in `written` first, which is the
next epoch, so it stays ahead: a reader that changes from the old to the new epoch never sees a
figure decrease.

**Why no answer is torn.** A reader takes the number of the live epoch from the authorizer, whose
policy API Gateway caches, and uses it for a whole answer. Until the last cached policy expires, the
old epoch is written too, and until the last answer from it has ended, it is kept. It is removed when
every writer with an older state of the organisation must also have ended.

This release cannot write an epoch of a contribution version that it does not know: the updater
refuses the organisation's records, and they wait in the stream. A rebuild ends this state. Such an
epoch is written no more after the switch, but not before, so that a rollback to an earlier release
finds it complete.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rollcall.domain import contributions
from rollcall.domain.errors import Conflict, InvalidOperation, Unavailable
from rollcall.domain.organisations import Organisation
from rollcall.ledger.page import Row
from rollcall.ledger.writer import ApplyFacts, fold
from rollcall.maintenance.epochs import (
    can_resume,
    dropped,
    entered,
    is_known_version,
    is_written,
    switched,
    taken_over,
)
from rollcall.maintenance.fact_chunks import Chunk, read_chunk
from rollcall.maintenance.ports import (
    EpochRemoval,
    Epochs,
    ListedFacts,
    Rebuilds,
    WrittenEpochs,
)
from rollcall.maintenance.rebuilds import Phase, RebuildRun
from rollcall.retry import Backoff

# Rows that are applied before the rebuild checks again whether to stop.
_SLICE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class RebuildTimeouts:
    """The waits of a rebuild, and the number of facts that it copies at a time.

    `grace_ms` is how long the old epoch is kept current after the switch, and at least
    `authorizer_cache_ms`, for which API Gateway may use the old number. `settle_ms` is how long the
    old epoch is kept after that: the longest that a writer may run. It is also kept until an answer
    with the old number must have ended. `look_again_ms` is the pause between two searches for
    remaining items. `chunk_facts`, and up to a page (1 MB) more, are held in memory.
    """

    grace_ms: int
    settle_ms: int
    authorizer_cache_ms: int
    longest_answer_ms: int
    chunk_facts: int
    look_again_ms: int = 5_000

    @property
    def is_grace_raised(self) -> bool:
        """Whether the grace period is longer than requested."""
        return self.grace_ms < self.authorizer_cache_ms


@dataclass(frozen=True, slots=True)
class ProgressObserver:
    """Callbacks that receive the progress of a run, and may request a stop.

    `show` receives the run, which may be ahead of the stored one. `found_damaged` receives the
    record type and the sort key of a fact that cannot be read; after a crash perhaps twice.
    """

    show: Callable[[RebuildRun], None] = lambda _run: None
    found_damaged: Callable[[str, str], None] = lambda _record_type, _sort_key: None
    wants_to_stop: Callable[[], bool] = lambda: False


class Rebuild:
    """Rebuilds organisations, each until it must wait."""

    def __init__(
        self,
        directory: WrittenEpochs,
        rebuilds: Rebuilds,
        facts: ListedFacts,
        apply_facts: ApplyFacts,
        epochs: Epochs,
        purge: EpochRemoval,
        now_ms: Callable[[], int],
        backoff: Backoff,
    ) -> None:
        self._directory = directory
        self._rebuilds = rebuilds
        self._facts = facts
        self._apply_facts = apply_facts
        self._epochs = epochs
        self._purge = purge
        self._now_ms = now_ms
        self._backoff = backoff

    # -- organisations -----------------------------------------------------------------------
    def named(self, handle: str) -> Organisation:
        """The organisation with a handle. Raises InvalidOperation."""
        org_id = self._directory.org_id_of_handle(handle)
        organisation = self._directory.organisation(org_id) if org_id is not None else None
        if organisation is None:
            raise InvalidOperation(f"no organisation has the handle {handle!r}")
        return organisation

    def all(self) -> list[Organisation]:
        """Every organisation that is not being deleted, by handle."""
        return [each for each in self._directory.organisations() if not each.is_deleting]

    def outdated(self) -> list[Organisation]:
        """Organisations with an unfinished rebuild, or of another contribution version than ours."""
        return [each for each in self.all() if self._is_outdated(each)]

    def expected_rows(self, organisation: Organisation) -> int:
        """The approximate number of rows to copy, which is that of the live epoch."""
        return self._epochs.rows(organisation.epoch(organisation.live))

    # -- a run -------------------------------------------------------------------------------
    def begin(self, org_id: str, buckets: int | None = None) -> RebuildRun:
        """Begin a run into `buckets` buckets, or take over the unfinished one.

        None means as many as the live epoch has, or the unfinished run. An unfinished run of another
        contribution version than this release's, or of another number of buckets, is abandoned for a
        new one, unless its epoch is already live. Raises InvalidOperation, also for a live epoch of
        another number of buckets whose run is unfinished.
        """
        stored = self._rebuilds.read(org_id)
        organisation = self._organisation(org_id)
        resumed = stored if stored is not None and can_resume(stored, organisation) else None
        if resumed is not None and buckets not in (None, resumed.buckets):
            if organisation.live == resumed.epoch:
                raise InvalidOperation(
                    f"a rebuild into {resumed.buckets} buckets is unfinished: finish it first,"
                    " without --buckets"
                )
            resumed = None
        if resumed is not None:
            run = replace(resumed, run_id=secrets.token_hex(16))
        else:
            run = self._new_run(organisation, stored, buckets)
        try:
            self._rebuilds.begin(org_id, run, replacing=stored)
        except Conflict:
            raise taken_over(organisation) from None
        return run

    def is_old_epoch_written(self, run: RebuildRun) -> bool:
        """Whether this release can write the old epoch.

        If not, the updater refuses the organisation's records until the new epoch is live.
        """
        return is_known_version(run.old_version)

    def due_ms(self, run: RebuildRun, timeouts: RebuildTimeouts) -> int:
        """When the next step may run, in milliseconds since 1970; 0 if it may run at once."""
        match run:
            case RebuildRun(phase=Phase.OVERLAPPING, switched_at_ms=int(switched)):
                return switched + max(timeouts.grace_ms, timeouts.authorizer_cache_ms)
            case RebuildRun(
                phase=Phase.SETTLING, switched_at_ms=int(switched), dropped_at_ms=int(dropped)
            ):
                last_answer = switched + timeouts.authorizer_cache_ms + timeouts.longest_answer_ms
                return max(dropped + timeouts.settle_ms, last_answer)
            case RebuildRun(phase=Phase.REMOVING, looked_at_ms=int(looked)):
                return looked + timeouts.look_again_ms
        return 0

    def go_on(
        self,
        org_id: str,
        run: RebuildRun,
        timeouts: RebuildTimeouts,
        observer: ProgressObserver | None = None,
    ) -> RebuildRun:
        """Continue until the run is done, must wait (`due_ms`), or the observer requests a stop.

        Raises InvalidOperation when the organisation does not exist or is being deleted, or another
        command took the run over, and Unavailable when the store stays busy; `begin` resumes the run
        then.
        """
        observer = observer or ProgressObserver()
        while not run.is_done and self.due_ms(run, timeouts) <= self._now_ms():
            if observer.wants_to_stop():
                break
            further = self._step(org_id, run, timeouts, observer)
            if further is not run:
                self._save(org_id, further)
                run = further
            observer.show(run)
        return run

    def _step(
        self, org_id: str, run: RebuildRun, timeouts: RebuildTimeouts, observer: ProgressObserver
    ) -> RebuildRun:
        """Make the next step, and return the run after it; the same object if it was interrupted."""
        match run.phase:
            case Phase.ENTERING:
                self._change(org_id, run, entered)
                return replace(run, phase=Phase.COPYING)
            case Phase.COPYING:
                return self._copy(org_id, run, timeouts, observer)
            case Phase.SWITCHING:
                self._change(org_id, run, switched)
                return replace(run, phase=Phase.OVERLAPPING, switched_at_ms=self._now_ms())
            case Phase.OVERLAPPING:
                self._change(org_id, run, dropped)
                return replace(run, phase=Phase.SETTLING, dropped_at_ms=self._now_ms())
            case Phase.SETTLING:
                return replace(run, phase=Phase.REMOVING)
            case Phase.REMOVING:
                return self._remove(org_id, run, observer)
            case Phase.DONE:
                return run

    # -- beginning ---------------------------------------------------------------------------
    def _new_run(
        self, organisation: Organisation, stored: RebuildRun | None, buckets: int | None
    ) -> RebuildRun:
        used = {organisation.live, *organisation.written, *organisation.contributions}
        if stored is not None:
            used.add(stored.epoch)
        epoch = max(used) + 1
        while not self._epochs.is_empty(organisation.id, epoch):
            epoch += 1
        return RebuildRun(
            run_id=secrets.token_hex(16),
            phase=Phase.ENTERING,
            epoch=epoch,
            version=contributions.CURRENT_VERSION,
            buckets=buckets or organisation.epoch(organisation.live).bucket_count,
            old_epoch=organisation.live,
            old_version=organisation.contributions.get(organisation.live, 0),
            started_at_ms=self._now_ms(),
        )

    def _is_outdated(self, organisation: Organisation) -> bool:
        live_version = organisation.contributions.get(organisation.live)
        if live_version != contributions.CURRENT_VERSION:
            return True
        stored = self._rebuilds.read(organisation.id)
        return stored is not None and not stored.is_done

    # -- copying -----------------------------------------------------------------------------
    def _copy(
        self, org_id: str, run: RebuildRun, timeouts: RebuildTimeouts, observer: ProgressObserver
    ) -> RebuildRun:
        """Copy a chunk; after an interruption it is copied again, which is harmless."""
        organisation = self._written_by(org_id, run)
        chunk = self._read(organisation, run.cursor, timeouts.chunk_facts)
        # In order of position, so that few transactions write each page.
        rows = sorted(fold(chunk.facts), key=lambda row: (row[0], row[1].position))
        for start in range(0, len(rows), _SLICE_ROWS):
            if observer.wants_to_stop():
                return run
            part = rows[start : start + _SLICE_ROWS]
            self._apply(org_id, run, part)
            observer.show(replace(run, rows=run.rows + start + len(part)))
        for record_type, sort_key in chunk.damaged:
            observer.found_damaged(record_type, sort_key)
        return replace(
            run,
            phase=Phase.SWITCHING if chunk.cursor is None else Phase.COPYING,
            cursor=chunk.cursor,
            facts=run.facts + len(chunk.facts),
            rows=run.rows + len(rows),
            damaged=run.damaged + len(chunk.damaged),
        )

    def _apply(self, org_id: str, run: RebuildRun, rows: Sequence[tuple[str, Row]]) -> None:
        """Apply rows to the run's epoch, with retries: the updater writes the same rollups."""
        attempts = self._backoff.attempts()
        while True:
            organisation = self._written_by(org_id, run)
            try:
                self._apply_facts.rows(organisation, rows, (run.epoch,))
            except Unavailable as error:
                attempts.failed(error)
            else:
                return

    def _read(self, organisation: Organisation, cursor: str | None, most: int) -> Chunk:
        """The facts after a cursor: `most` and up to a page more, of one partition."""
        return read_chunk(self._facts, organisation, cursor, most)

    def _written_by(self, org_id: str, run: RebuildRun) -> Organisation:
        """The organisation, which must still write the run's epoch. Raises InvalidOperation."""
        organisation = self._organisation(org_id)
        if not is_written(run, organisation):
            raise taken_over(organisation)
        return organisation

    # -- removing ----------------------------------------------------------------------------
    def _remove(self, org_id: str, run: RebuildRun, observer: ProgressObserver) -> RebuildRun:
        """Remove every earlier epoch, including those of abandoned runs.

        GSI1 is behind the table, and a writer may be late: the removal is done when two searches
        some time apart found nothing.
        """
        organisation = self._organisation(org_id)
        if organisation.live < run.epoch or min(organisation.written, default=0) < run.epoch:
            raise taken_over(organisation)
        found = 0
        for epoch in range(run.epoch):
            for count in self._purge.remove_epoch(org_id, epoch):
                found += count
                observer.show(replace(run, removed=run.removed + found))
                if observer.wants_to_stop():
                    return replace(run, removed=run.removed + found, empty_since_ms=None)
        now_ms = self._now_ms()
        if found:
            removed = run.removed + found
            return replace(run, removed=removed, looked_at_ms=now_ms, empty_since_ms=None)
        if run.empty_since_ms is None:
            return replace(run, looked_at_ms=now_ms, empty_since_ms=now_ms)
        return replace(run, phase=Phase.DONE, looked_at_ms=now_ms, finished_at_ms=now_ms)

    # -- shared ------------------------------------------------------------------------------
    def _organisation(self, org_id: str) -> Organisation:
        organisation = self._directory.organisation(org_id)
        if organisation is None:
            raise InvalidOperation("the organisation does not exist")
        if organisation.is_deleting:
            raise InvalidOperation("the organisation is being deleted; it is not rebuilt")
        return organisation

    def _change(
        self,
        org_id: str,
        run: RebuildRun,
        changed: Callable[[RebuildRun, Organisation], Organisation],
    ) -> None:
        """Change the organisation's epochs unless they are changed already. Raises InvalidOperation."""
        attempts = self._backoff.attempts()
        while True:
            read = self._organisation(org_id)
            wanted = changed(run, read)
            if wanted == read:
                return
            try:
                self._directory.change_epochs(read, wanted)
            except (Conflict, Unavailable) as error:
                attempts.failed(error)

    def _save(self, org_id: str, run: RebuildRun) -> None:
        try:
            self._rebuilds.save(org_id, run)
        except Conflict:
            raise taken_over(self._organisation(org_id)) from None
