"""The contents of the failure destination: stream records, and deliveries to hooks."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class FailureKind(enum.Enum):
    """Why records are in the failure destination."""

    BATCH = "batch"  # the event source discarded them together
    DELIVERY = "delivery"  # of a provider to a hook, which could not be recorded
    QUARANTINED = "quarantined"  # the function found that no retry can apply them


@dataclass(frozen=True, slots=True)
class FailedRecords:
    """One object of the failure destination.

    For a batch, `reason` is the condition that the event source reports. `oldest_ms` is when the
    oldest record was written, or None if no record has a time. `org_ids` are the sorted organisation
    ids in the keys of the records.
    """

    kind: FailureKind
    reason: str
    kept_at_ms: int | None
    records: Sequence[Mapping[str, Any]]
    oldest_ms: int | None
    org_ids: tuple[str, ...]
