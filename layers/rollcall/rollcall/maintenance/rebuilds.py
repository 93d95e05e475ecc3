"""The state of a rebuild: how much of an organisation's next epoch is built from its facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What a rebuild does next; the phases follow in this order."""

    ENTERING = "entering"  # add the next epoch to the written ones
    COPYING = "copying"  # apply all facts to it
    SWITCHING = "switching"  # make it the live epoch
    OVERLAPPING = "overlapping"  # keep writing the old epoch for requests that still read it
    SETTLING = "settling"  # wait for the writers and readers that began before that ended
    REMOVING = "removing"  # remove the old epoch
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RebuildRun:
    """One rebuild of one organisation, and its progress.

    `epoch` is the number of the new epoch, larger than any that the organisation used before;
    `version` is its contribution version and `buckets` the number of its buckets. `old_epoch` and `old_version` are those of the epoch that
    was live at the start. Copying resumes at `cursor`. `facts` and `rows` count what was copied, and
    `damaged` the facts that cannot be read. The last search for items of earlier epochs was at
    `looked_at_ms`; the first that found nothing was at `empty_since_ms`.
    """

    run_id: str
    phase: Phase
    epoch: int
    version: int
    old_epoch: int
    old_version: int
    started_at_ms: int
    cursor: str | None = None
    facts: int = 0
    rows: int = 0
    damaged: int = 0
    switched_at_ms: int | None = None
    dropped_at_ms: int | None = None
    looked_at_ms: int | None = None
    empty_since_ms: int | None = None
    removed: int = 0
    finished_at_ms: int | None = None
    buckets: int = 1

    @property
    def is_done(self) -> bool:
        """Whether the rebuild is finished."""
        return self.phase is Phase.DONE

    @property
    def is_live(self) -> bool:
        """Whether the switch to the new epoch is recorded."""
        return self.switched_at_ms is not None
