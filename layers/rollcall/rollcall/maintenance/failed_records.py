"""What the failure destination holds: stream records that had no effect on pages and rollups yet."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class FailureKind(enum.Enum):
    """How records came into the failure destination."""

    BATCH = "batch"  # the event source discarded them together
    QUARANTINED = "quarantined"  # the function found that no retry can apply them


@dataclass(frozen=True, slots=True)
class FailedRecords:
    """One object of the failure destination.

    `reason` is the event source's condition for a batch. `oldest_ms` is when the oldest of the
    records was written; None where no record says. `org_ids` are those that keys name, sorted.
    """

    kind: FailureKind
    reason: str
    kept_at_ms: int | None
    records: Sequence[Mapping[str, Any]]
    oldest_ms: int | None
    org_ids: tuple[str, ...]
