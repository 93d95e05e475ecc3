"""A rebuild: how far an organisation's pages and rollups are made anew, as a next epoch, from facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What a rebuild does next; the phases follow each other in this order."""

    ENTERING = "entering"  # have the next epoch written beside the live one
    COPYING = "copying"  # bring all facts into it
    SWITCHING = "switching"  # make it the live one
    OVERLAPPING = "overlapping"  # keep the old one current for those who still read it
    SETTLING = "settling"  # wait for whoever began to write or read before that ended
    REMOVING = "removing"  # remove the old one
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RebuildRun:
    """One rebuild of one organisation, and how far it has come.

    `epoch` is the number that it makes, the largest that the organisation ever used: no number
    comes twice. `version` is that epoch's contribution version, the old ones are those of the epoch
    that was live when it began. `cursor` is where copying goes on. The three counts are of what was
    copied: facts, those of them that have a row, and items under a fact's key that are none. What
    is empty was seen empty at `empty_since_ms`, and last looked at at `looked_at_ms`.
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

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.phase is Phase.DONE

    @property
    def is_live(self) -> bool:
        """Whether the switch is known to be made."""
        return self.switched_at_ms is not None
