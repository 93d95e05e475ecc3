"""Ledger writers that keep what they know from one invocation of a function to the next."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeAlias

from rollcall.domain.contributions import ContributionFunction
from rollcall.domain.epochs import Bucket
from rollcall.ledger.apply import Applier
from rollcall.ledger.page import Row

WARM_BYTES: Final = 64 * 1024 * 1024
# How many new objects the process makes before it looks for garbage; Python's default is 700. What is kept
# lives on, so going through all of it that often finds nothing; in `updater_cpu` it took half of the time.
_OBJECTS_PER_COLLECTION: Final = 50_000

# A bucket, and the contributions of its epoch.
_Place: TypeAlias = tuple[Bucket, ContributionFunction]


class WarmWriters:
    """Makes writers that keep pages and rollups, `max_bytes` of them at most.

    What was used least recently goes first, a bucket at a time. Calls from several
    threads never share an applier.
    """

    def __init__(
        self,
        make: Callable[[Bucket, ContributionFunction], Applier],
        max_bytes: int = WARM_BYTES,
    ) -> None:
        self._make = make
        self._max_bytes = max_bytes
        self._resting: OrderedDict[_Place, Applier] = OrderedDict()
        self._lock = Lock()
        gc.set_threshold(_OBJECTS_PER_COLLECTION)

    def __call__(self, bucket: Bucket, contribute: ContributionFunction) -> _WarmWriter:
        return _WarmWriter(self, (bucket, contribute))

    def take(self, place: _Place) -> Applier:
        """The applier of a bucket, which no other caller has until it is put back."""
        with self._lock:
            kept = self._resting.pop(place, None)
        return kept or self._make(*place)

    def put_back(self, place: _Place, applier: Applier) -> None:
        """Keep an applier, and let go what exceeds the limit."""
        with self._lock:
            self._resting[place] = applier
            self._resting.move_to_end(place)
            kept = sum(each.kept_bytes for each in self._resting.values())
            while kept > self._max_bytes:
                _, oldest = self._resting.popitem(last=False)
                kept -= oldest.kept_bytes


@dataclass(frozen=True, slots=True)
class _WarmWriter:
    """The writer of one bucket (`rollcall.ledger.ports.LedgerWriter`)."""

    writers: WarmWriters
    place: _Place

    def apply(self, rows: Sequence[tuple[str, Row]]) -> None:
        """Apply rows to pages and rollups.

        Nothing is kept after an error, and after a conflict with another writer: while several write to
        one bucket, each would begin with a write that fails.
        """
        applier = self.writers.take(self.place)
        applier.apply(rows)
        if not applier.has_met_another_writer:
            self.writers.put_back(self.place, applier)
