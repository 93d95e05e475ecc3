"""Measures how far the ledger is behind the facts, with one write per organisation.

No stored value shows the age of the oldest change in the stream. Therefore one fact of each
organisation is written again, with a higher revision and otherwise unchanged, and its ledger page is
read until it has that revision. `rollcall reconcile --repair` writes facts in the same way; no
answer changes. The lag includes the stream, the update function and its retries, and is that of the
partition of this one fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rollcall.domain.errors import Conflict
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ledger.writer import row_of
from rollcall.maintenance.ports import ProbeReads, RestatedFacts, Revisions

_TRIES: Final = 5
_SECONDS_BETWEEN_READS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Lag:
    """How long a change took; if not `is_applied`, it took longer than the time limit."""

    seconds: float
    is_applied: bool


@dataclass(frozen=True, slots=True)
class _Probe:
    organisation: Organisation
    fact: Fact
    written_at: float


class MeasureLag:
    """Measures the lag of the stream, organisation by organisation."""

    def __init__(
        self,
        facts: RestatedFacts,
        reads: ProbeReads,
        revisions: Revisions,
        now_us: Callable[[], int],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._facts = facts
        self._reads = reads
        self._revisions = revisions
        self._now_us = now_us
        self._clock = clock
        self._sleep = sleep

    def __call__(
        self, organisations: Sequence[Organisation], wait_seconds: float
    ) -> Mapping[str, Lag]:
        """The lags by organisation id, without organisations that have no rows.

        All facts are written first, and each is awaited for up to `wait_seconds` after its write.
        Raises Unavailable when the store stays busy, and Conflict when a fact changes too often.
        """
        probes = [probe for each in organisations if (probe := self._written(each)) is not None]
        lags: dict[str, Lag] = {}
        while len(lags) < len(probes):
            for probe in probes:
                if probe.organisation.id not in lags:
                    is_applied = self._is_applied(probe)
                    seconds = self._clock() - probe.written_at
                    if is_applied or seconds >= wait_seconds:
                        lags[probe.organisation.id] = Lag(seconds, is_applied)
            if len(lags) < len(probes):
                self._sleep(_SECONDS_BETWEEN_READS)
        return lags

    def _written(self, organisation: Organisation) -> _Probe | None:
        with tenant(organisation.id):
            for attempt in range(1, _TRIES + 1):
                stored = self._reads.some_fact(organisation)
                if stored is None:
                    return None
                restated = stored.with_rev(max(stored.rev + 1, self._now_us()))
                try:
                    self._facts.restate(organisation.id, organisation.buckets, stored, restated)
                except Conflict:
                    if attempt == _TRIES:
                        raise
                    continue
                return _Probe(organisation, restated, self._clock())
        raise AssertionError("the last attempt returns or raises")

    def _is_applied(self, probe: _Probe) -> bool:
        fact, organisation = probe.fact, probe.organisation
        with tenant(organisation.id):
            stored = self._revisions.revision(
                organisation.epoch(organisation.live), fact.type, row_of(fact).position, fact.id
            )
        return stored >= fact.rev
