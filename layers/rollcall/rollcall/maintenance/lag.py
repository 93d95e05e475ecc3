"""How far the ledger is behind the facts, measured by one write per organisation.

Nothing that is stored says how old the oldest change is that waits in the stream. So one fact of
each organisation is written again, unchanged but for a later revision, and its ledger page is read
until it has that revision. The write is what `rollcall reconcile --repair` does to a fact whose row
differs: it changes no answer. The measure includes the stream, the update function and its retries,
and holds for the partition of that one fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from rollcall.domain.errors import Conflict
from rollcall.domain.facts import Fact
from rollcall.domain.organisations import Organisation, tenant
from rollcall.ledger.writer import row_of

_TRIES: Final = 5
_SECONDS_BETWEEN_READS: Final = 0.2


class Facts(Protocol):
    """Facts, with writing (`rollcall.storage.facts.FactStore`)."""

    def restate(self, org_id: str, buckets: int, stored: Fact | None, fact: Fact) -> None: ...


class Reads(Protocol):
    """Single items of both tables (`rollcall.storage.probing.ProbeReads`)."""

    def some_fact(self, organisation: Organisation) -> Fact | None: ...
    def revision(
        self, org_id: str, epoch: int, record_type: str, position: str, id_: str
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Lag:
    """How long a change took; `is_applied` False: it took longer than was waited."""

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
        facts: Facts,
        reads: Reads,
        now_us: Callable[[], int],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._facts = facts
        self._reads = reads
        self._now_us = now_us
        self._clock = clock
        self._sleep = sleep

    def __call__(
        self, organisations: Sequence[Organisation], wait_seconds: float
    ) -> Mapping[str, Lag]:
        """The lags by organisation id; one without records that have a place in the ledger is absent.

        All are written first, then waited for, each for `wait_seconds` from its write. Raises
        Unavailable when the store stays busy, Conflict when a fact changes too often to be written.
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
                restated = replace(stored, rev=max(stored.rev + 1, self._now_us()))
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
            stored = self._reads.revision(
                organisation.id, organisation.live, fact.type, row_of(fact).position, fact.id
            )
        return stored >= fact.rev
